import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'

// A linter whose configuration matches nothing is content with everything: here it has to find what is wrong.

const root = fileURLToPath(new URL('../../', import.meta.url))

const using = (name: string, from: string) => `import { ${name} } from '${from}'\n${name}()\n`

const up = {
  'src/core/a.ts': using('load', '../config/load.ts'),
  'src/policy/conditions/a.ts': using('query', '../../store/db.ts'),
  'src/identity/a.ts': using('append', '../audit/append.ts'),
  'src/gate/a.ts': using('serve', '../console/server.ts'),
  'src/protocols/http/a.ts': using('decide', '../../policy/decide.ts'),
  'src/console/routes/a.ts': using('startGateway', '../../app.ts'),
  'src/app.ts': using('main', './cli/main.ts'),
}
const permits = {
  'src/protocols/http/b.ts': using('issuePermit', '../../gate/permit.ts'),
  'src/console/b.ts': using('issuePermit', '../gate/permit.ts'),
  'src/cli/b.ts': using('issuePermit', '../gate/permit.ts'),
  'scripts/b.ts': using('issuePermit', '../src/gate/permit.ts'),
}
const down = {
  'src/gate/c.ts': using('append', '../audit/append.ts'),
  'src/cli/c.ts': using('startGateway', '../app.ts'),
}

let said: { filename: string; message: string; help: string }[]
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-lint-'))
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  for (const [path, text] of Object.entries({ ...up, ...permits, ...down })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [oxlint, '--format', 'json'], {
    cwd: folder,
    encoding: 'utf8',
  })
  said = JSON.parse(run.stdout).diagnostics
  rmSync(folder, { recursive: true })
})

const about = (path: string) =>
  said.filter(({ filename }) => filename === path).map(({ message, help }) => `${message} ${help}`)

test.each(Object.keys(up))('an import that points up is refused in %s', (path) => {
  expect(about(path).join()).toContain('Imports only point down')
})

test.each(Object.keys(permits))('a permit cannot be made in %s', (path) => {
  expect(about(path).join()).toContain('Only the gate makes permits')
})

test.each(Object.keys(down))('an import that points down is fine in %s', (path) => {
  expect(about(path)).toEqual([])
})
