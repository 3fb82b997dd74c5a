#!/usr/bin/env node
// Plain JavaScript on purpose: it is started by whatever Node the machine has, and finds the one that Sallyport needs.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const needed = 24

if (Number(process.versions.node.split('.')[0]) >= needed) {
  const source = new URL('../src/cli/main.ts', import.meta.url)
  const built = new URL('../dist/cli/main.js', import.meta.url)
  // A checkout runs its source, so that a forgotten build is never what runs; the package has only what was built.
  await import((existsSync(source) ? source : built).href)
} else {
  const node = newerNode()
  if (!node) {
    console.error(
      `Sallyport needs Node ${needed} or later, and this is ${process.version}.\n    → Install it from your distribution or nodejs.org, or run \`npm ci\` here, which brings one along.`,
    )
    process.exit(2)
  }
  runWith(node)
}

/** The Node that `npm ci` has installed beside us, or undefined. */
function newerNode() {
  const require = createRequire(import.meta.url)
  const system = process.platform === 'win32' ? 'win' : process.platform
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  try {
    const manifest = require.resolve(`node-${system}-${process.arch}/package.json`)
    const node = join(dirname(manifest), 'bin', file)
    return existsSync(node) ? node : undefined
  } catch {
    return undefined
  }
}

/** Runs this file again with another Node, and hands on signals and the exit code. */
function runWith(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`${node} cannot be started: ${error.message}`)
    process.exit(2)
  })
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
