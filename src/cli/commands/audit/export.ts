import { Command, Option } from 'commander'
import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { connect } from '../../control-plane.ts'
import { Refusal } from '../../errors.ts'
import type { Terminal } from '../../terminal.ts'
import { addFilters, queryOf, type Filters } from './filters.ts'

export function exportAudit(terminal: Terminal): Command {
  const command = new Command('export')
    .description('export the audit log; needs the role auditor, and is itself on record')
    .addOption(new Option('--format <format>').choices(['ndjson']).default('ndjson'))
    .option('--out <file>', 'write here, and not to standard output; the file must not exist')
  return addFilters(command, ['from', 'to']).action(
    async ({ format, out, ...filters }: Filters & { format: string; out?: string }) => {
      const plane = await connect(terminal)
      const body = await plane.stream(`/api/audit/export?${queryOf(filters, { format })}`)
      if (!out) {
        for await (const chunk of body) await terminal.write(chunk)
        return
      }
      try {
        // wx: an export that is there already may be somebody's evidence.
        await pipeline(
          Readable.fromWeb(body),
          createWriteStream(resolve(terminal.folder, out), { flags: 'wx', mode: 0o600 }),
        )
      } catch (cause) {
        const { code, message } = cause as NodeJS.ErrnoException
        throw new Refusal(
          `The export to ${out} is not complete: ${code ?? message}.`,
          {},
          { cause },
        )
      }
      terminal.note(`Written to ${out}. Check it with: sallyport audit verify ${out}`)
    },
  )
}
