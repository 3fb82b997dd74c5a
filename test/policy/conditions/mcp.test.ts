import { expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

const policies = compile(`
rules:
  - { name: all, on: files, then: allow }
  - { name: deletes, on: files, what: { mcp: { tool: 'delete_*' } }, then: deny }
  - { name: root, on: files, what: { mcp: { tool: list, args: { path: / } } }, then: deny }
`)

test('tools by name or by a part of it', () => {
  expect(outcome(policies, { mcp: { tool: 'read', args: {} } })).toBe('allow by all')
  expect(outcome(policies, { mcp: { tool: 'delete_file', args: {} } })).toBe('deny by deletes')
  expect(outcome(policies, { mcp: { tool: 'DELETE_file', args: {} } })).toBe('deny by deletes')
})

test('arguments', () => {
  expect(outcome(policies, { mcp: { tool: 'list', args: { path: '/tmp' } } })).toBe('allow by all')
  expect(outcome(policies, { mcp: { tool: 'list', args: { path: '/' } } })).toBe('deny by root')
  expect(outcome(policies, { mcp: { tool: 'list', args: {} } })).toBe('deny by root')
})
