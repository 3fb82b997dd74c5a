import { beforeAll, describe, expect, test } from 'vitest'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import { searchEvents } from '../../src/audit/search.ts'
import { buildWords } from '../../src/audit/search/build-words.ts'
import type { Store } from '../../src/store/db.ts'
import { anIntent } from '../support/audit.ts'
import { replicaOfThen } from '../support/past.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const seed = Math.floor(Math.random() * 2 ** 31)

/** Park and Miller's: the same numbers for a seed. */
function randomFrom(start: number): (below: number) => number {
  let state = (start % 2147483646) + 1
  return (below) => (state = (state * 48271) % 2147483647) % below
}

const random = randomFrom(seed)
const oneOf = <T>(all: readonly T[]): T => all[random(all.length)]!

// What is between words, and what JSON writes with a backslash, or what looks as if it had.
const between = [
  ...[' ', '\n', '\r\n', '\t', '"', '\\', '\\n', '\\\\', '\\"', '\b', '\u0001', '\u001f', '.'],
  ...['é', '東京', '🙂', '_', "'", ';', '\\u0041', '/', '-', '{"path":', '"path":', '":', '', 'ǅ'],
]
const names = ['select', 'FROM', 'nfrom', 'Orders', 'x1', 'u0041', 'path', 'b', 'new', 'ten', 'aß']
/** What else each event says. */
const rest = JSON.stringify(anIntent({ attributes: { sql: { text: '' } } }))
const piece = () => oneOf(between) + oneOf(names)
const texts = Array.from({ length: 260 }, () =>
  Array.from({ length: 1 + random(5) }, piece).join(''),
)

const kindOf = (code: number) =>
  code > 0x7f ? 2 : /[0-9a-z]/.test(String.fromCharCode(code)) ? 1 : 0

/** What it says in the docs, without any of the machinery: as it is written, in any case, from the beginning of a word on. */
function says(value: string, wanted: string): boolean {
  const [text, what] = [value.toLowerCase(), wanted.toLowerCase()]
  for (let at = text.indexOf(what); at !== -1; at = text.indexOf(what, at + 1)) {
    const kind = kindOf(what.charCodeAt(0))
    if (at === 0 || kind === 0 || kind !== kindOf(text.charCodeAt(at - 1))) return true
  }
  return false
}

describe.each(storeKinds)(
  `what is looked for among hostile texts (seed ${seed}), on the %s store`,
  (kind) => {
    let store: Store
    const actions: string[] = []

    beforeAll(async () => {
      store = await openTestStore(kind)
      const then = await replicaOfThen(store, new Date(Date.now() - 3_600_000))
      for (const [at, text] of texts.entries()) {
        const intent = anIntent({ attributes: { sql: { text } } })
        actions.push(intent.action!.id)
        await then.append(intent)
        if (at % 60 !== 59) continue
        await takeTurn(store, 0)
        while (await buildWords(store, 10));
      }
      await takeTurn(store, 0)
      while (await buildWords(store, 10));
    })

    test('is found where it is, and nowhere else', async () => {
      for (let round = 0; round < 150; round++) {
        const one = oneOf(texts)
        const from = random(one.length)
        const q = one.slice(from, from + 1 + random(9)).trim()
        const terms = q.split(/\s+/).filter((one) => one !== '')
        if (terms.length === 0 || !q.isWellFormed() || terms.some((one) => says(rest, one)))
          continue
        const { events } = await searchEvents(store, { q, resource: 'crm' }, null, 1_000)
        const found = new Set(
          events.map(({ action }) => actions.indexOf((action as { id: string }).id)),
        )
        const expected = texts.flatMap((text, i) =>
          terms.every((one) => says(text, one)) ? i : [],
        )
        const missing = expected.filter((i) => !found.delete(i))
        expect({
          q,
          missing: missing.map((i) => texts[i]),
          more: [...found].map((i) => texts[i]),
        }).toEqual({ q, missing: [], more: [] })
      }
    })
  },
)
