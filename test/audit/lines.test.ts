import fc from 'fast-check'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readLines } from '../../src/audit/verify/lines.ts'

async function linesOf(chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLines(Readable.from(chunks))) lines.push(line)
  return lines
}

test('lines come out as they went in, wherever the file was cut into chunks', async () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((it) => !it.includes('\n'))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat()), async (lines, cuts) => {
      const file = Buffer.from(lines.map((it) => `${it}\n`).join(''))
      const places = [0, ...cuts.map((cut) => cut % (file.length + 1)), file.length]
      const ordered = places.toSorted((a, b) => a - b)
      const chunks = ordered.slice(1).map((end, i) => file.subarray(ordered[i], end))
      expect(await linesOf(chunks)).toEqual(lines)
    }),
  )
})

test('other line separators are part of a line', async () => {
  expect(await linesOf([Buffer.from('{"a":"\u2028\u2029\u0085"}\r\nb')])).toEqual([
    '{"a":"\u2028\u2029\u0085"}\r',
    'b',
  ])
})

test('what is not UTF-8 is no line, and a byte order mark is not overlooked', async () => {
  expect(await linesOf([Buffer.from([0xff, 0x0a, 0xef, 0xbb, 0xbf, 0x61, 0x0a])])).toEqual([
    '',
    '\ufeffa',
  ])
})
