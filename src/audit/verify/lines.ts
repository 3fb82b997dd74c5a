const lineFeed = 0x0a
// Far more than an event can have. What is longer is no line, and does not get to fill the memory.
const longest = 64 * 1024 * 1024

/**
 * The lines of an export in a file, byte for byte: they end in a line feed and in nothing else
 * (Node's own line reader also cuts at U+2028, which is part of a line here). A line that is not
 * UTF-8 comes out empty, which is no line of an export either.
 */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    let start = 0
    for (let end; (end = chunk.indexOf(lineFeed, start)) !== -1; start = end + 1) {
      yield decode(Buffer.concat([...begun, chunk.subarray(start, end)]))
      begun = []
      length = 0
    }
    length += chunk.length - start
    if (length <= longest) begun.push(chunk.subarray(start))
  }
  if (length > 0) yield decode(Buffer.concat(begun))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    // Closed: what is no UTF-8 is no event, and is named as a finding.
    return ''
  }
}
