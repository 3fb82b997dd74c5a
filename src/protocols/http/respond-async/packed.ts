/** A message that is kept to be sent later: its head as JSON, its body as bytes. */
export interface Packed<Head> {
  readonly head: Head
  /** `null` where there is no body, which differs from an empty one. */
  readonly bytes: Buffer | null
}

/**
 * Packs a message into one buffer: the length of the head in bytes (32 bits, big endian), the head,
 * a byte that says whether there is a body, and the body.
 */
export function pack<Head>({ head, bytes }: Packed<Head>): Buffer {
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json, Buffer.of(bytes ? 1 : 0), bytes ?? Buffer.alloc(0)])
}

/**
 * Unpacks what `pack` made. Anything else cannot come here, because the buffer was sealed in
 * between.
 */
export function unpack<Head>(packed: Buffer): Packed<Head> {
  const end = 4 + packed.readUInt32BE(0)
  const head = JSON.parse(packed.toString('utf8', 4, end)) as Head
  return { head, bytes: packed[end] === 1 ? packed.subarray(end + 1) : null }
}
