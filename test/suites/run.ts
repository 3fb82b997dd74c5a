// Runs drivers' own test suites twice, against a PostgreSQL and through a gateway that allows everything, and says which tests come out differently:
//
//   node test/suites/run.ts psycopg2 pgx      those; without names, all of them
//
// What a suite is made of comes from Debian's source packages, and is kept in $SALLYPORT_SUITES (else in the folder for temporary files). One that cannot be had, or needs
// what is not installed, is skipped, with the reason. Exits with 1 when something differs that is not different on purpose.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { folder, NotHere, sourceOf, unpackedPackages } from './sources.ts'
import type { Suite } from './suite.ts'
import { suites } from './suites.ts'
import { startWorld } from './world.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const lines = [
  '| suite | tests | alike | different on purpose | different | seconds, directly and through |',
  '| --- | --- | --- | --- | --- | --- |',
]
/** How suites say that a test has failed. */
const failure = /^(?:FAIL|FAILED|ERROR|not ok|F|E|[1-9]\d*)$/
let unexplained = 0

for (const name of positionals.length > 0 ? positionals : Object.keys(suites)) {
  const suite = suites[name]
  if (!suite) throw new Error(`there is no suite ${name}: ${Object.keys(suites).join(', ')}`)
  try {
    await compare(name, suite)
  } catch (error) {
    if (!(error instanceof NotHere)) throw error
    lines.push(`| ${name} | skipped: ${error.message} | | | | |`)
  }
}
process.stdout.write(`${lines.join('\n')}\n`)
process.exitCode = unexplained > 0 ? 1 : 0

async function compare(name: string, suite: Suite): Promise<void> {
  for (const [what, pack] of Object.entries(suite.needs))
    if (!isThere(what)) throw new NotHere(`${pack} is not installed`)
  const place = join(folder, suite.source ?? name)
  const source = suite.source === undefined ? join(place, 'source') : sourceOf(suite.source)
  mkdirSync(source, { recursive: true })
  const packages = unpackedPackages(suite.packages ?? [])
  const built = join(place, `${name}.built`)
  if (!existsSync(built)) {
    execFileSync('sh', ['-c', suite.build], {
      cwd: source,
      env: { ...process.env, PACKAGES: packages },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    writeFileSync(built, '')
  }
  let begun = performance.now()
  const direct = await outcomes(name, suite, source, packages, false)
  const seconds = [Math.round((performance.now() - begun) / 1000)]
  const failed = [...direct.values()].filter((outcome) => failure.test(outcome)).length
  // What fails in both runs is alike, and says nothing.
  if (failed * 2 > direct.size)
    throw new Error(
      `${failed} of ${direct.size} tests of ${name} fail without a gateway: see ${place}`,
    )
  begun = performance.now()
  const through = await outcomes(name, suite, source, packages, true)
  seconds.push(Math.round((performance.now() - begun) / 1000))
  let onPurpose = 0
  let different = 0
  for (const test of new Set([...direct.keys(), ...through.keys()])) {
    const [one, other] = [direct.get(test), through.get(test)]
    if (one === other) continue
    const reasons = { ...suite.different, ...(other === undefined && suite.ends) }
    const known = Object.entries(reasons).find(([part]) => test.includes(part))
    if (known) onPurpose += 1
    else different += 1
    const why = known ? ` (${known[1]})` : ''
    process.stdout.write(
      `${name}: ${test}: ${one ?? 'did not run'}, ${other ?? 'did not run'}${why}\n`,
    )
  }
  unexplained += different
  const alike = direct.size - onPurpose - different
  lines.push(
    `| ${name} | ${direct.size} | ${alike} | ${onPurpose} | ${different} | ${seconds.join(', ')} |`,
  )
}

/** How each test came out. What was printed is kept beside the source. */
async function outcomes(
  name: string,
  suite: Suite,
  source: string,
  packages: string,
  gateway: boolean,
): Promise<ReadonlyMap<string, string>> {
  const world = await startWorld({ ...suite, gateway })
  const env = {
    ...process.env,
    PGHOST: '127.0.0.1',
    PGPORT: String(world.port),
    PGUSER: 'postgres',
    PGPASSWORD: world.password,
    PGDATABASE: suite.databases[0],
    PGSSLMODE: 'disable',
    PACKAGES: packages,
  }
  // Not synchronously: this process has the keys that the gateway checks tokens with.
  const child = spawn('sh', ['-c', suite.run], {
    cwd: source,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const stdout = await text(child.stdout)
  await world.close()
  const log = `${name}.${gateway ? 'through' : 'direct'}.log`
  writeFileSync(join(source, '..', log), stdout)
  const found = new Map<string, string>()
  for (const line of stdout.split('\n')) {
    const { name: test, outcome, code } = suite.outcome.exec(line)?.groups ?? {}
    if (test !== undefined) found.set(test.trim(), outcome ?? code ?? '')
  }
  if (found.size === 0) throw new Error(`${name} ran no test: see ${join(source, '..', log)}`)
  return found
}

/** A file, or a program of the path. */
function isThere(what: string): boolean {
  return what.startsWith('/') ? existsSync(what) : spawnSync('which', [what]).status === 0
}
