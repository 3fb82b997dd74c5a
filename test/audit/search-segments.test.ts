import { describe, expect, test } from 'vitest'
import { PageReader, PageWriter } from '../../src/audit/search/pages.ts'
import { most, SegmentBuilder, type Segment, type Text } from '../../src/audit/search/segment.ts'
import { eventId } from '../../src/audit/event-id.ts'
import { WordScanner } from '../../src/audit/search/word-scanner.ts'
import { wordsIn } from '../../src/audit/search/words.ts'

const seed = Math.floor(Math.random() * 2 ** 31)

/** Park and Miller's: the same numbers for a seed. */
function randomFrom(start: number): (below: number) => number {
  let state = (start % 2147483646) + 1
  return (below) => (state = (state * 48271) % 2147483647) % below
}

const random = randomFrom(seed)
const textOf = (index: number): Text => ({
  index,
  id: eventId(1_700_000_000_000 + index - random(40)).id,
  subject: random(5) === 0 ? null : `agent-${random(9)}`,
  body:
    random(30) === 0 ? null : JSON.stringify({ type: 'action.decided', resource: `r${random(3)}` }),
  personal:
    random(4) === 0
      ? null
      : JSON.stringify({ details: { summary: `say ${random(400)} Ünïted 東京` } }),
})

const build = (texts: readonly Text[]): Segment => {
  const builder = new SegmentBuilder(texts[0]!.index)
  for (const text of texts) builder.add(text)
  return builder.finish()!
}

describe(`words of a segment (seed ${seed})`, () => {
  test('are written and read again, each with its places', () => {
    const events = 1 + random(3_000)
    const lists = Array.from({ length: 300 }, (_, i) => {
      const density = 1 + random(i % 3 === 0 ? 2 : 500)
      const places = Array.from({ length: events }, (__, place) => place)
      return {
        word: `w${String(i).padStart(4, '0')}`,
        places: places.filter((place) => place === i % events || random(density) === 0),
      }
    })
    const writer = new PageWriter(events)
    for (const { word, places } of lists) writer.add(word, places)
    writer.finish()
    const read = writer.pages.flatMap(({ word, data }) => {
      const reader = new PageReader(data)
      const found = []
      while (reader.next()) found.push({ word: reader.word, places: reader.places() })
      expect(found[0]!.word).toBe(word.toString())
      return found
    })
    expect(read).toEqual(lists)
  })

  test('are the same, whether a search takes them from what is asked for or a segment from an event', () => {
    const pieces = [
      'abc',
      'fade',
      '0123abcd',
      '-',
      '\\n',
      '\\u0041',
      '\\\\',
      '\\"',
      '{"path":"',
      '"url":',
      'é',
      '東京🙂',
      ' ',
    ]
    pieces.push(
      'q'.repeat(70),
      'é'.repeat(70),
      '0123456789abcdef01',
      crypto.randomUUID(),
      'http',
      '_',
      '"',
    )
    for (let round = 0; round < 3_000; round += 1) {
      const text = Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]).join(
        '',
      )
      const found = new Set<string>()
      new WordScanner((lexeme) => lexeme).scan(text, (lexeme) => found.add(lexeme))
      const names = text.includes('{"path":') ? ['path'] : []
      expect(new Set([...found, ...names]), text).toEqual(new Set(wordsIn(text)))
    }
  })

  test('that were put together are those of one that was built at once', () => {
    const texts = Array.from({ length: 900 }, (_, index) => textOf(index))
    const whole = build(texts)
    const together = new SegmentBuilder(0)
    for (let first = 0; first < texts.length;) {
      const until = Math.min(texts.length, first + 1 + random(200))
      const { pages, ...part } = build(texts.slice(first, until))
      together.append({ ...part, pages: pages.map(({ data }) => data) })
      first = until
    }
    expect(together.finish()).toEqual(whole)
  })

  test('keep to what a row of the database can have, however long the names and common the words are', () => {
    const builder = new SegmentBuilder(0)
    const resource = '東'.repeat(300)
    for (let index = 0; index < most.events; index += 1) {
      const type = index % 2 === 0 ? 'action.decided' : 'action.completed'
      const body = JSON.stringify({ type, ...(index % 2 === 0 && { resource }) })
      builder.add({
        index,
        id: eventId(1_700_000_000_000 + index).id,
        subject: null,
        body,
        personal: null,
      })
    }
    expect(builder.isFull).toBe(true)
    const { pages } = builder.finish()!
    const largest = Math.max(...pages.map(({ word, data }) => word.length + data.length))
    expect(largest).toBeGreaterThan(most.events / 8)
    expect(largest).toBeLessThan(8_000)
  })

  test('that are cut in the middle of a character are one, with all of its events', () => {
    const builder = new SegmentBuilder(0)
    for (const [index, face] of ['😀', '😁', '🙀'].entries()) {
      const summary = `é${'🙂'.repeat(31)}${face}`
      builder.add({ ...textOf(index), personal: JSON.stringify({ details: { summary } }) })
    }
    const found = builder.finish()!.pages.flatMap(({ data }) => {
      const reader = new PageReader(data)
      const places = []
      while (reader.next()) if (reader.word.startsWith('é')) places.push(reader.places())
      return places
    })
    expect(found).toEqual([[0, 1, 2]])
  })

  test('are cut off where an attacker makes them too many', () => {
    const builder = new SegmentBuilder(0)
    for (let index = 0; !builder.isFull; index += 1) {
      const summary = Array.from({ length: 8_000 }, (_, i) => `${index}x${i}`).join(' ')
      builder.add({ ...textOf(index), personal: JSON.stringify({ details: { summary } }) })
    }
    expect(builder.until).toBeLessThan(200)
  })
})
