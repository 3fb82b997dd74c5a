import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvents, type ServerSentEvent } from '../../src/cli/server-sent-events.ts'

async function read(chunks: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = []
  for await (const event of readEvents(ReadableStream.from<Uint8Array>(chunks))) events.push(event)
  return events
}

const stream =
  ': hello\n\nevent: approval\ndata: {"a":1}\n\ndata:first\r\ndata: second\r\n\r\nid: 7\rdata: größe\r\revent: unfinished\ndata: x\n'
const events = [
  { event: 'approval', data: '{"a":1}' },
  { event: 'message', data: 'first\nsecond' },
  { event: 'message', data: 'größe' },
]

test('events end with an empty line; what has not ended is no event', async () => {
  expect(await read([Buffer.from(stream)])).toEqual(events)
})

test('wherever the network cuts the stream, the events are the same', async () => {
  const bytes = Buffer.from(stream)
  const cuts = fc.array(fc.nat(bytes.length), { maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(cuts, async (at) => {
      const ends = [0, ...at.toSorted((a, b) => a - b), bytes.length]
      const chunks = ends.slice(1).map((end, i) => bytes.subarray(ends[i], end))
      expect(await read(chunks)).toEqual(events)
    }),
  )
})
