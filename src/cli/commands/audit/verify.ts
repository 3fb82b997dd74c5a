import { Command, Option } from 'commander'
import { relative, resolve } from 'node:path'
import { verifyExport, type VerifyReport } from '../../../audit/verify.ts'
import { Refusal } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'
import { visible } from '../../../core/visible.ts'
import { ExportFiles } from './export-lines.ts'
import { findExports } from './kept-files.ts'
import { readTrust, type TrustOptions } from './read-trust.ts'

interface Options extends TrustOptions {
  readonly json?: boolean
}

export function verifyAudit(terminal: Terminal): Command {
  return new Command('verify')
    .description('check an NDJSON export, offline: nothing changed, removed, added or moved')
    .argument('<files...>', 'compressed or not; several, or a folder of them, are read as one')
    .option('--manifest <file>', 'what came with it; left out, the one beside it')
    .addOption(
      new Option(
        '--key <key>',
        'a verifier key that you kept, or a file of them; may be given again',
      )
        .argParser((key: string, keys: readonly string[]) => [...keys, key])
        .default([], 'those of the manifest'),
    )
    .option('--checkpoint <file>', 'an older checkpoint that you kept: the log has to continue it')
    .option('--json', 'as JSON')
    .action(async (named: readonly string[], options: Options) => {
      const names = (await Promise.all(named.map((name) => exportsIn(terminal, name)))).flat()
      const trust = await readTrust(terminal, names, options)
      const files = new ExportFiles(
        names.map((name) => ({ name, path: resolve(terminal.folder, name) })),
      )
      const report = await verifyExport(files.lines(), trust).catch(
        (cause: NodeJS.ErrnoException) => {
          // Closed: a file that cannot be read to its end may have been cut off.
          throw new Refusal(
            `This export cannot be read (${cause.code ?? cause.name}).`,
            {},
            { cause },
          )
        },
      )
      if (options.json) terminal.print(jsonText(report, 2))
      else print(terminal, files, report)
      // Closed: an empty export proves nothing, unless it was signed as empty.
      if (!report.ok || (report.lines === 0 && !report.signed)) {
        throw new Refusal(`This export is not what was recorded.${hint(report)}`)
      }
      terminal.note(conclusion(report, options))
    })
}

/**
 * The exports that a name stands for; those in a folder get their path relative to the current
 * folder.
 */
async function exportsIn({ folder }: Terminal, name: string): Promise<string[]> {
  const found = await findExports(resolve(folder, name))
  return found.map((path) => (found[0] === resolve(folder, name) ? name : relative(folder, path)))
}

/** A hint for somebody who tries to verify another format. */
function hint({ lines, chains, findings }: VerifyReport): string {
  const none =
    lines > 0 && chains.length === 0 && findings.every(({ kind }) => kind === 'unreadable')
  return none
    ? ' No line of it is one of NDJSON: the other formats are for reading, and do not have what was hashed.'
    : ''
}

function print(terminal: Terminal, files: ExportFiles, report: VerifyReport): void {
  for (const { line, kind, message } of report.findings)
    terminal.print(`${files.place(line)}  ${kind}: ${visible(message)}`)
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
