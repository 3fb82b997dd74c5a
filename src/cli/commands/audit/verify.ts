import { Command } from 'commander'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { verifyExport, type VerifyReport } from '../../../audit/verify.ts'
import { readLines } from '../../../audit/verify/lines.ts'
import { manifestFile, type Trust } from '../../../audit/verify/signed-log.ts'
import { Refusal, UsageError } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'
import { visible } from '../../../core/visible.ts'
import { manifestName } from './manifest-name.ts'

interface Options {
  readonly manifest?: string
  readonly key: readonly string[]
  readonly checkpoint?: string
  readonly json?: boolean
}

export function verifyAudit(terminal: Terminal): Command {
  return new Command('verify')
    .description('check an NDJSON export, offline: nothing changed, removed, added or moved')
    .argument('<file>')
    .option('--manifest <file>', 'what came with it; left out, the one beside it')
    .option(
      '--key <key>',
      'a verifier key that you kept, or a file of them; may be given again',
      (key: string, keys: readonly string[]) => [...keys, key],
      [],
    )
    .option('--checkpoint <file>', 'an older checkpoint that you kept: the log has to continue it')
    .option('--json', 'as JSON')
    .action(async (file: string, options: Options) => {
      const input = createReadStream(resolve(terminal.folder, file))
      await once(input, 'open').catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`${file} cannot be read (${error.code}).`, 'Name an export.')
      })
      const trust = await readTrust(terminal, file, options)
      const report = await verifyExport(readLines(input), trust)
      if (options.json) terminal.print(jsonText(report, 2))
      else print(terminal, file, report)
      // Closed: an export of nothing proves nothing, unless it was signed to have nothing.
      if (!report.ok || (report.lines === 0 && !report.signed)) {
        throw new Refusal('This export is not what was recorded.')
      }
      terminal.note(conclusion(report, options))
    })
}

function print(terminal: Terminal, file: string, report: VerifyReport): void {
  for (const { line, kind, message } of report.findings)
    terminal.print(`${file}:${line}  ${kind}: ${visible(message)}`)
  for (const { replica, epoch, first, last, hash } of report.chains)
    terminal.print(`chain ${replica}, epoch ${epoch}: ${first} to ${last}, ends in ${hash}`)
  const elsewhere = report.retained > 0 ? `, ${report.retained} kept elsewhere` : ''
  terminal.print(
    `${report.lines} events, ${report.erased} with their personal part erased${elsewhere}`,
  )
}

function conclusion({ signed }: VerifyReport, { key, checkpoint }: Options): string {
  if (!signed) {
    return 'Nothing was changed, removed, added or moved between these ends. There is no manifest, so what was cut off beyond them does not show.'
  }
  const state = `the log of ${signed.size} events that was signed${signed.time ? ` at ${signed.time}` : ''}`
  const continued = checkpoint ? ', which continues the checkpoint that you kept' : ''
  const own =
    key.length > 0
      ? ''
      : ' The key is the one that the manifest names: compare it with one that you kept, with --key.'
  return `These are the events of ${state}${continued}.${own}`
}

async function readTrust(
  terminal: Terminal,
  file: string,
  { manifest, key, checkpoint }: Options,
): Promise<Trust | null> {
  const read = (name: string) => readFile(resolve(terminal.folder, name), 'utf8')
  const named = (name: string, what: string) =>
    read(name).catch((cause: NodeJS.ErrnoException) => unreadable(name, what, cause))
  const beside = manifestName(file)
  const text = manifest
    ? await named(manifest, 'a manifest')
    : await read(beside).catch((cause: NodeJS.ErrnoException) =>
        // Closed: one that is there and cannot be read may say that something was cut off.
        cause.code === 'ENOENT' ? null : unreadable(beside, 'a manifest', cause),
      )
  if (text === null) {
    if (key.length === 0 && !checkpoint) return null
    throw new UsageError(
      `${beside} is not there.`,
      'Name the manifest of the export with --manifest.',
    )
  }
  const keys = await Promise.all(
    key.map(async (one) => (one.includes('+') ? [one] : (await named(one, 'a key')).split(/\s+/))),
  )
  return {
    manifest: parseManifest(manifest ?? beside, text),
    keys: keys.flat().filter((one) => one !== ''),
    older: checkpoint ? await named(checkpoint, 'a checkpoint') : null,
  }
}

function unreadable(name: string, what: string, { code }: NodeJS.ErrnoException): never {
  throw new UsageError(`${name} cannot be read (${code}).`, `Name ${what}.`)
}

function parseManifest(name: string, text: string): Trust['manifest'] {
  try {
    return manifestFile.parse(JSON.parse(text))
  } catch {
    // What is wrong with it does not matter: nobody writes one by hand.
    throw new UsageError(`${name} is no manifest of an export.`, 'Export it again.')
  }
}
