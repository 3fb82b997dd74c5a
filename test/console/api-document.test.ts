import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly object[]
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, object>> }>
  >
}

let gateway: TestGateway
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>

beforeAll(async () => {
  gateway = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    policies: { 'none.yaml': 'rules: []\n' },
  })
  const answer = await fetch(`${gateway.controlUrl}/api/openapi.json`)
  ;({ paths } = (await answer.json()) as { paths: typeof paths })
})
afterAll(() => gateway.close())

const operations = () =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      ...operation,
    })),
  )

test('says of every route what it is for, who may call it, and what it answers', () => {
  expect(operations().length).toBeGreaterThan(45)
  for (const { name, summary, description, security, responses } of operations()) {
    expect(summary, name).toMatch(/\w{3}/)
    if (!security) expect(description, name).toMatch(/For people (who are logged in|in the role)/)
    const { default: failure, ...answers } = responses
    expect(Object.keys(failure!.content!), name).toEqual(['application/problem+json'])
    for (const [status, { content }] of Object.entries(answers)) {
      const empty = status === '204' || name === 'POST /identity/events'
      expect(Object.keys(content ?? {}).length > 0, `${name} ${status}`).toBe(
        !empty || status === '400',
      )
    }
  }
})

test('names the formats of an export, and answers in them', async () => {
  const { content } = paths['/api/audit/export']!['get']!.responses['200']!
  const types = ['application/x-ndjson', 'text/csv', 'text/plain', 'application/gzip']
  expect(Object.keys(content!)).toEqual(types)
  const answer = await gateway.person('dana', '/api/audit/export')
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
  expect((await answer.text()).trim().split('\n').length).toBeGreaterThan(1)
})

test('has every route that the manual names', () => {
  const docs = new URL('../../docs/', import.meta.url)
  const text = readdirSync(docs)
    .filter((file) => file.endsWith('.md'))
    .map((file) => readFileSync(new URL(file, docs), 'utf8'))
    .join('\n')
  const named = [...text.matchAll(/\b(GET|POST) (\/api\/[\w{}:/.-]*\w\}?)/g)]
  expect(named.length).toBeGreaterThan(10)
  const known = new Set(operations().map(({ name }) => name.replaceAll(/\{\w+\}/g, '{}')))
  known.add('GET /api/openapi.json')
  const missing = named
    .map(([, method, path]) => `${method} ${path!.replaceAll(/\{\w+\}|:\w+/g, '{}')}`)
    .filter((name) => !known.has(name))
  expect(missing).toEqual([])
})
