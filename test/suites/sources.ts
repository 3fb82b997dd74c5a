import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where sources are kept between two runs. */
export const folder = process.env['SALLYPORT_SUITES'] ?? join(tmpdir(), 'sallyport-suites')

/** Releases in which a source package is looked for: what one of them has lost, another may have. */
const releases = ['bookworm', 'bookworm-backports', 'trixie', 'sid']

/** A suite that cannot be had on this machine. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}

/**
 * The folder with what upstream has published, as Debian's source package `name` has it: the newest version that can be downloaded. Throws `NotHere`. Whatever apt
 * is told stays in a folder of its own: the machine's lists are not touched.
 */
export function sourceOf(name: string): string {
  const place = join(folder, name)
  const unpacked = join(place, 'source')
  if (existsSync(unpacked)) return unpacked
  mkdirSync(place, { recursive: true })
  const config = aptConfig()
  for (const version of versionsOf(name, config)) {
    try {
      apt(config, ['source', '--download-only', `${name}=${version}`], place)
    } catch {
      // A part of it is gone, which may be Debian's own: upstream's archive is what counts.
    }
    const archive = readdirSync(place).find((file) => /\.orig\.tar\.\w+$/.test(file))
    if (!archive) continue
    mkdirSync(unpacked)
    execFileSync('tar', ['xf', archive, '--strip-components=1', '-C', unpacked], { cwd: place })
    return unpacked
  }
  throw new NotHere(`no archive of the source package ${name} can be downloaded`)
}

/**
 * The folder into which Debian's binary packages `names` are unpacked, in the newest version: for what this machine's release has too old or not at all, and what is
 * not to be installed over its own. Throws `NotHere`.
 */
export function unpackedPackages(names: readonly string[]): string {
  const place = join(folder, 'packages')
  const config = aptConfig()
  for (const name of names) {
    const archives = join(place, 'archives', name)
    if (existsSync(archives)) continue
    mkdirSync(archives, { recursive: true })
    try {
      apt(config, ['download', name], archives)
      const [archive] = readdirSync(archives)
      execFileSync('dpkg', ['-x', archive!, place], { cwd: archives })
    } catch (cause) {
      rmSync(archives, { recursive: true })
      throw new NotHere(`Debian's package ${name} cannot be downloaded`, { cause })
    }
  }
  return place
}

function versionsOf(name: string, config: string): string[] {
  const shown = apt(config, ['showsrc', name], folder, 'apt-cache')
  const versions = new Set([...shown.matchAll(/^Version: (\S+)$/gm)].map(([, version]) => version!))
  if (versions.size === 0) throw new NotHere(`there is no source package ${name}`)
  return [...versions].toSorted((a, b) => (isNewer(a, b) ? -1 : 1))
}

function isNewer(one: string, other: string): boolean {
  try {
    execFileSync('dpkg', ['--compare-versions', one, 'gt', other])
    return true
  } catch {
    return false
  }
}

/** Lists of sources, from the mirror that this machine uses. */
function aptConfig(): string {
  const file = join(folder, 'apt.conf')
  if (existsSync(file)) return file
  for (const sub of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, sub), { recursive: true })
  const targets = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']
  const mirror = execFileSync('apt-get', targets, { encoding: 'utf8' })
    .split('\n')
    .find((uri) => /\/debian\/?$/.test(uri))
  if (!mirror) throw new NotHere('this machine has no mirror of Debian')
  const lines = releases.map((release) => `deb-src ${mirror} ${release} main\n`)
  lines.push(...releases.slice(-2).map((release) => `deb ${mirror} ${release} main\n`))
  writeFileSync(join(folder, 'sources.list'), lines.join(''))
  writeFileSync(
    file,
    `Dir::Etc::sourcelist "${join(folder, 'sources.list')}";
Dir::Etc::sourceparts "-";
Dir::State::lists "${join(folder, 'lists')}";
Dir::Cache "${join(folder, 'cache')}";
APT::Sandbox::User "root";
`,
  )
  apt(file, ['update'], folder)
  return file
}

function apt(config: string, args: readonly string[], cwd: string, program = 'apt-get'): string {
  const env = { ...process.env, APT_CONFIG: config }
  return execFileSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
