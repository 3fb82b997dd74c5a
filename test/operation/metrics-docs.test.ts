import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { Metrics } from '../../src/telemetry/metrics.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const metrics = new Metrics()
metrics.watchProcess()
const all = new Set(metrics.names)
const ours = [...all].filter((name) => name.startsWith('sallyport_'))

/** Every metric that a text names. The series of a histogram are the histogram's. */
function namedIn(text: string): string[] {
  // The manual names roles of the database, too.
  const words =
    text.match(/\b(sallyport_(?!gateway|owner|login|eraser|keeper)|nodejs_|process_)\w+/g) ?? []
  return [
    ...new Set(
      words.map((word) => (all.has(word) ? word : word.replace(/_(bucket|count|sum)$/, ''))),
    ),
  ]
}

interface Panel {
  readonly title: string
  readonly type: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string }[]
}
const { panels } = JSON.parse(read('examples/grafana/sallyport.json')) as { panels: Panel[] }
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

interface Rule {
  readonly alert: string
  readonly expr: string
}
const alerts = (
  parse(read('examples/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap(({ rules }) => rules)

test.each([
  ['docs/metrics.md', read('docs/metrics.md')],
  ['docs/operations.md', read('docs/operations.md')],
  ['the dashboard', queries.join('\n')],
  ['the alerts', alerts.map(({ expr }) => expr).join('\n')],
])('%s names no metric that there is not', (_where, text) => {
  expect(namedIn(text).length).toBeGreaterThan(0)
  expect(namedIn(text).filter((name) => !all.has(name))).toEqual([])
})

test.each([
  ['docs/metrics.md', read('docs/metrics.md')],
  ['the dashboard', queries.join('\n')],
])('%s has every metric of ours', (_where, text) => {
  expect(ours.length).toBeGreaterThan(20)
  expect(ours.filter((name) => !namedIn(text).includes(name))).toEqual([])
})

test('the manual says what to do about each alert', () => {
  const manual = read('docs/operations.md')
  expect(alerts.filter(({ alert }) => !manual.includes(`\`${alert}\``))).toEqual([])
})

describe('the dashboard', () => {
  test('has no panel on top of another', () => {
    for (const [index, { title, gridPos: a }] of panels.entries()) {
      const under = panels.slice(index + 1).filter(({ gridPos: b }) => {
        const beside = a.x + a.w <= b.x || b.x + b.w <= a.x
        return !beside && a.y + a.h > b.y && b.y + b.h > a.y
      })
      expect(
        under.map((panel) => panel.title),
        title,
      ).toEqual([])
      expect(a.x + a.w, title).toBeLessThanOrEqual(24)
    }
  })

  test('asks for what its variables choose', () => {
    for (const query of queries) expect(query).toContain('{job=~"$job",instance=~"$instance"')
  })
})
