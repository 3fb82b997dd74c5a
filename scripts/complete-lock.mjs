// Run after every `npm install`. Some registry mirrors serve only the platforms that they are used from; npm then
// leaves the other platforms' optional binaries out of the lock file, and `npm ci` refuses a lock file without them.
// This adds an entry for each, from what the parent package declares, so that one lock file serves every platform.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = [
  'arm64',
  'x64',
  'arm',
  'ia32',
  'ppc64',
  'riscv64',
  's390x',
  'loong64',
  'mips64el',
  'wasm32',
]

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`]) continue
    const words = name.split(/[-/]/)
    const os = words.find((word) => systems.includes(word))
    const cpu = processors.find((word) =>
      words.some((part) => part === word || (word === 'arm' && part === 'arm')),
    )
    // A package that is for no platform in particular is installed wherever it exists: it cannot be declared unseen.
    if (!os && !cpu) continue
    lock.packages[`node_modules/${name}`] = {
      version: version.replace(/^[\^~]/, ''),
      cpu: [cpu ?? 'wasm32'],
      ...(parent.dev && { dev: true }),
      optional: true,
      ...(os && { os: [os] }),
    }
  }
}

const [root, ...rest] = Object.entries(lock.packages)
lock.packages = Object.fromEntries([root, ...rest.toSorted(([a], [b]) => a.localeCompare(b, 'en'))])
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
