import { Command } from 'commander'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { verifyExport } from '../../../audit/verify.ts'
import { readLines } from '../../../audit/verify/lines.ts'
import { Refusal, UsageError } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'
import { visible } from '../../../core/visible.ts'

export function verifyAudit(terminal: Terminal): Command {
  return new Command('verify')
    .description('check an NDJSON export, offline: nothing changed, removed, added or moved')
    .argument('<file>')
    .option('--json', 'as JSON')
    .action(async (file: string, { json }: { json?: boolean }) => {
      const input = createReadStream(resolve(terminal.folder, file))
      await once(input, 'open').catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`${file} cannot be read (${error.code}).`, 'Name an export.')
      })
      const report = await verifyExport(readLines(input))
      const { ok, lines, erased, chains, findings } = report
      if (json) terminal.print(jsonText(report, 2))
      else {
        for (const { line, kind, message } of findings)
          terminal.print(`${file}:${line}  ${kind}: ${visible(message)}`)
        for (const { replica, epoch, first, last, hash } of chains)
          terminal.print(`chain ${replica}, epoch ${epoch}: ${first} to ${last}, ends in ${hash}`)
        terminal.print(`${lines} events, ${erased} with their personal part erased`)
      }
      // Closed: an export of nothing proves nothing.
      if (!ok || lines === 0) throw new Refusal('This export is not what was recorded.')
      terminal.note('Nothing was changed, removed, added or moved between these ends.')
    })
}
