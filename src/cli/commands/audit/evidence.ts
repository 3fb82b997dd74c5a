import { Command, Option } from 'commander'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { z } from 'zod'
import { logFile, manifestBeside } from '../../../audit/evidence/archive.ts'
import { frameworks, type Framework } from '../../../audit/evidence/controls.ts'
import { evidencePage } from '../../../audit/evidence/page.ts'
import { readEvidence } from '../../../audit/evidence/read.ts'
import { evidenceReport } from '../../../audit/evidence/report.ts'
import { readLines } from '../../../audit/verify/lines.ts'
import { manifestFile } from '../../../audit/verify/signed-log.ts'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { Refusal } from '../../errors.ts'
import type { Terminal } from '../../terminal.ts'
import { addFilters, queryOf, type Filters } from './filters.ts'

interface Options extends Filters {
  readonly framework: Framework
  readonly out: string
}

export function auditEvidence(terminal: Terminal): Command {
  const command = new Command('evidence')
    .description(
      'evidence for an auditor: the log of a span, verified, and what it says to each control',
    )
    .addOption(
      new Option('--framework <framework>')
        .choices(Object.keys(frameworks))
        .makeOptionMandatory(true),
    )
    .requiredOption('--out <folder>', 'a folder that is not there yet')
  addFilters(command, ['from', 'to'])
  return command.action(async ({ framework, from, to, out }: Options) => {
    const plane = await connect(terminal)
    const folder = resolve(terminal.folder, out)
    await complete(out, async () => {
      // What is there already may be somebody's evidence.
      await mkdir(folder, { mode: 0o700 })
      const manifest = await takeOut(plane, { from, to }, folder)
      // From the file, and not from what was sent: the evidence is about what the auditor gets.
      const lines = readLines(createReadStream(join(folder, logFile)))
      const read = await readEvidence(lines, manifestFile.parse(JSON.parse(manifest)))
      const span = { from: from ?? 'the beginning', to: to ?? 'now' }
      const made = new Date().toISOString()
      const report = evidenceReport(framework, { ...read, made, span, file: logFile })
      await put(folder, 'evidence.json', `${JSON.stringify(report, null, 2)}\n`)
      await put(folder, 'evidence.html', evidencePage(report))
      // Closed: the page says so too, and so does the exit code.
      if (!report.verified.ok || !report.verified.signed)
        throw new Refusal(`The log is not what was recorded: see ${join(out, 'evidence.html')}.`)
    })
    terminal.note(`Written to ${out}. Open ${join(out, 'evidence.html')}, and print it from there.`)
  })
}

/** The export of the span, with its manifest, as `audit export` has it. */
async function takeOut(
  plane: ControlPlane,
  span: Pick<Filters, 'from' | 'to'>,
  folder: string,
): Promise<string> {
  const { headers, body } = await plane.open(`/api/audit/export?${queryOf(span)}`)
  const lines = Readable.fromWeb(body as ReadableStream)
  await pipeline(lines, createWriteStream(join(folder, logFile), { flags: 'wx', mode: 0o600 }))
  const query = new URLSearchParams({
    first: headers.get('sallyport-audit-first') ?? '',
    end: headers.get('sallyport-audit-end') ?? '',
  })
  const manifest = await plane.get(`/api/audit/manifest?${query.toString()}`, z.looseObject({}))
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  await put(folder, manifestBeside, text)
  return text
}

function put(folder: string, name: string, content: string): Promise<void> {
  return writeFile(join(folder, name), content, { flag: 'wx', mode: 0o600 })
}

async function complete(out: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw new Refusal(`The evidence in ${out} is not complete: ${code ?? message}.`, {}, { cause })
  }
}
