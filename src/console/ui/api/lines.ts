import { Failure, send, type Init } from './call.ts'

/** An answer of one JSON document a line, as they come, until `signal`. Throws `Failure`. */
export async function* readLines(path: string, init: Init, signal: AbortSignal): AsyncGenerator {
  const { body } = await send(path, init, signal)
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader()
  let begun = ''
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new Failure('unreachable', 'The answer was cut off before its end.', { cause })
    })
    if (done) return
    const lines = (begun + value).split('\n')
    begun = lines.pop()!
    for (const line of lines) yield JSON.parse(line)
  }
}
