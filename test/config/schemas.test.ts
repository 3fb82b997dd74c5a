import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedFiles } from '../../scripts/write-schemas.ts'

const files = await generatedFiles()

test.each(files)('$path is up to date (else: npm run schema)', ({ path, text }) => {
  const committed = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  expect(committed).toBe(text)
})

test('every key of sallyport.yaml that is not self-evident is described', () => {
  const undescribed: string[] = []
  const visit = (schema: unknown, path: string) => {
    if (typeof schema !== 'object' || schema === null) return
    const {
      properties = {},
      items,
      anyOf = [],
    } = schema as {
      properties?: Record<string, { description?: string; properties?: object }>
      items?: unknown
      anyOf?: unknown[]
    }
    for (const [key, inner] of Object.entries(properties)) {
      if (!inner.description && !inner.properties) undescribed.push(`${path}${key}`)
      visit(inner, `${path}${key}.`)
    }
    visit(items, path)
    for (const inner of anyOf) visit(inner, path)
  }
  visit(JSON.parse(files[0]!.text), '')
  expect(undescribed).toEqual([])
})
