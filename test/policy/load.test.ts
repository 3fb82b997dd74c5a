import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import { loadPolicies, readPolicyFolder } from '../../src/policy/load.ts'
import { resources } from './support.ts'

let root: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'sallyport-policies-'))
})

afterAll(() => rm(root, { recursive: true }))

async function folder(files: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(root, 'folder-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return path
}

const allow = 'rules: [{ name: allow, on: crm, then: allow }]'
const deny = 'rules: [{ name: deny, on: crm, then: deny }]'

async function mistakes(path: string): Promise<string> {
  const error: unknown = await loadPolicies(path, { resources }).catch((caught: unknown) => caught)
  return error instanceof MistakesError ? error.message : 'no mistakes'
}

test('a folder is one set of rules, however they are spread over its files', async () => {
  const two = await loadPolicies(await folder({ 'a.yaml': allow, 'b.yaml': deny }), { resources })
  const turned = await loadPolicies(await folder({ 'x.yaml': deny, 'y.yaml': allow }), {
    resources,
  })
  const one = await folder({
    'all.yaml': `# The same, in one file.
rules:
  - name: deny
    on: [crm]
    then: deny
    risk: medium      # which is what it is anyway
  - { then: allow, on: crm, name: allow }
`,
  })
  expect(two.rules.map(({ name }) => name)).toEqual(['allow', 'deny'])
  expect(two.hash).toMatch(/^[0-9a-f]{64}$/)
  expect(turned.hash).toBe(two.hash)
  expect((await loadPolicies(one, { resources })).hash).toBe(two.hash)
})

test('another word in a rule is another version', async () => {
  const versions = ['allow', 'deny'].map(
    (then) =>
      compilePolicies([{ file: 'a.yaml', text: `rules: [{ name: r, on: crm, then: ${then} }]` }], {
        resources,
      }).hash,
  )
  expect(new Set(versions).size).toBe(2)
})

test('the texts are kept, so that a version can be stored', async () => {
  const { documents } = await loadPolicies(await folder({ 'b.yaml': deny, 'a.yaml': allow }), {
    resources,
  })
  expect(documents.map(({ text }) => text)).toEqual([allow, deny])
})

test('tests are no policies, and hidden files are nobody’s', async () => {
  const path = await folder({ 'a.yaml': allow, 'a.test.yaml': 'tests: []', '.a.yaml.swp': 'x' })
  await mkdir(join(path, '.git'))
  const { policies, tests } = await readPolicyFolder(path)
  expect(policies.map(({ file }) => file)).toEqual([join(path, 'a.yaml')])
  expect(tests.map(({ file }) => file)).toEqual([join(path, 'a.test.yaml')])
})

test('the same name in two files is told with both places', async () => {
  const path = await folder({ 'a.yaml': allow, 'b.yaml': allow })
  expect(await mistakes(path)).toContain(
    `${join(path, 'b.yaml')}:1:17  There is another rule "allow", at ${join(path, 'a.yaml')}:1.`,
  )
})

test('the mistakes of all files come together', async () => {
  const path = await folder({ 'a.yaml': 'rules: [', 'b.yaml': 'rules: [{}]' })
  const text = await mistakes(path)
  expect(text).toContain(join(path, 'a.yaml'))
  expect(text).toContain('rules[0].name is missing')
})

test('a folder that is not there, or is empty, is a mistake', async () => {
  expect(await mistakes(join(root, 'nowhere'))).toContain('The folder of policies cannot be read')
  expect(await mistakes(await folder({}))).toContain('There is no policy here')
})

test('what would be left out without a word is a mistake: a deny rule could be in it', async () => {
  const path = await folder({ 'a.yaml': allow, 'b.yml': deny })
  await mkdir(join(path, 'more'))
  const text = await mistakes(path)
  expect(text).toContain('Rename it to *.yaml')
  expect(text).toContain('Put all policies into one folder')
})
