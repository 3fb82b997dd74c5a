import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-lint-'))
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the linter says about one file, with our configuration. */
function lint(path: string, text: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [oxlint, path], { cwd: folder, encoding: 'utf8' })
  rmSync(join(folder, path))
  return run.stdout + run.stderr
}

const using = (name: string, from: string) => `import { ${name} } from '${from}'\n${name}()\n`

test.each([
  ['src/core/a.ts', using('load', '../config/load.ts')],
  ['src/policy/conditions/a.ts', using('query', '../../store/db.ts')],
  ['src/identity/a.ts', using('append', '../audit/append.ts')],
  ['src/gate/a.ts', using('serve', '../console/server.ts')],
  ['src/protocols/http/a.ts', using('decide', '../../policy/decide.ts')],
  ['src/console/routes/a.ts', using('startGateway', '../../app.ts')],
  ['src/app.ts', using('main', './cli/main.ts')],
])('an import that points up is refused in %s', (path, text) => {
  expect(lint(path, text)).toContain('Imports only point down')
})

test.each(['src/protocols/http/a.ts', 'src/console/a.ts', 'src/cli/a.ts', 'src/app.ts'])(
  'a permit cannot be made in %s',
  (path) => {
    const gate = path.startsWith('src/app')
      ? './gate'
      : path.includes('http')
        ? '../../gate'
        : '../gate'
    expect(lint(path, using('issuePermit', `${gate}/permit.ts`))).toContain(
      'Only the gate makes permits',
    )
  },
)

test('an import that points down is fine', () => {
  expect(lint('src/gate/a.ts', using('append', '../audit/append.ts'))).toContain('0 errors')
})
