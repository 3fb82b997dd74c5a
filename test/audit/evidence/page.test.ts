import { expect, test } from 'vitest'
import { Collector } from '../../../src/audit/evidence/collect.ts'
import { frameworks, type Framework } from '../../../src/audit/evidence/controls.ts'
import { evidencePage } from '../../../src/audit/evidence/page.ts'
import { evidenceReport } from '../../../src/audit/evidence/report.ts'

const verified = {
  ok: true,
  lines: 3,
  erased: 0,
  retained: 0,
  chains: [],
  signed: { size: 3, time: null },
  findings: [],
}

function pageOf(events: readonly object[], framework: Framework = 'soc2', changes: object = {}) {
  const collector = new Collector()
  for (const event of events) collector.add(JSON.stringify(event))
  return evidencePage(
    evidenceReport(framework, {
      made: '2026-12-01T00:00:00.000Z',
      span: { from: '2026-11-01', to: '2026-12-01' },
      file: 'log.ndjson',
      checkpoint: 'origin\n3\nroot\n',
      keys: ['origin+00+key'],
      verified,
      answers: collector.answers(),
      ...changes,
    }),
  )
}

const attack = `<script>alert(1)</script><img src=x onerror="alert(1)">' " & \u202egnp.exe \u0000`

test('whatever an agent wrote into the log is text on the page', () => {
  const event = {
    id: attack,
    hash: '00',
    time: attack,
    type: 'action.decided',
    decision: 'deny',
    reason: attack,
    resource: attack,
    rules: [attack],
    subject: { issuer: attack, subject: attack },
    details: { summary: attack },
  }
  const page = pageOf([event], 'soc2', {
    checkpoint: attack,
    keys: [attack],
    verified: { ...verified, findings: [{ kind: 'edited', line: 1, message: attack }] },
  })
  for (const raw of ['<script', '<img', `onerror="`, '\u202e', '\u0000'])
    expect(page).not.toContain(raw)
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(page).toContain('⟨U+202E⟩')
})

test('the page needs nothing else, and runs nothing', () => {
  const page = pageOf([])
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(page).not.toMatch(/\b(src|href)="(?!#)/)
  expect(page).not.toContain('url(')
})

test('every control says what it shows, and what it does not', () => {
  for (const framework of Object.keys(frameworks) as Framework[]) {
    const page = pageOf([], framework)
    for (const { id, elsewhere } of frameworks[framework].controls) {
      expect(page).toContain(`<h3>${id} `)
      expect(elsewhere).toMatch(/\.$/)
    }
    // Each link leads to a section, and each section is linked to.
    const links = new Set([...page.matchAll(/href="#(\w+)"/g)].map(([, name]) => name))
    const sections = [...page.matchAll(/section id="(\w+)"/g)].map(([, name]) => name)
    expect(links).toEqual(new Set(sections))
  }
})

test('it says first of all when the log does not verify', () => {
  const page = pageOf([], 'soc2', { verified: { ...verified, ok: false, signed: null } })
  expect(page).toContain('This export is not what was recorded.')
  expect(page).not.toContain('The verifier found nothing')
})

test('samples are those with the lowest hashes, whatever order they come in', () => {
  const events = Array.from({ length: 40 }, (_, n) => ({
    id: `e${n}`,
    hash: String((n * 7) % 40).padStart(2, '0'),
    time: `2026-11-01T00:00:${String(n).padStart(2, '0')}Z`,
    type: 'identity.login',
  }))
  const samplesOf = (all: readonly object[]) => {
    const collector = new Collector()
    for (const event of all) collector.add(JSON.stringify(event))
    return collector.answers().logins.samples.map(({ id }) => id)
  }
  expect(samplesOf(events)).toEqual(samplesOf(events.toReversed()))
  const least = events.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)).slice(0, 5)
  expect(new Set(samplesOf(events))).toEqual(new Set(least.map(({ id }) => id)))
})

test('names without end do not fill the memory, and still count', () => {
  const collector = new Collector()
  for (let n = 0; n < 1_000; n++) {
    collector.add(JSON.stringify({ id: `e${n}`, type: 'identity.refused', reason: `r${n}` }))
  }
  const { count, groups } = collector.answers().refused_credentials
  expect(count).toBe(1_000)
  expect(groups).toHaveLength(201)
  expect(groups[0]).toEqual({ name: 'others', count: 800 })
})
