import { Command, Option } from 'commander'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { mkdir, readdir, rename, rmdir, writeFile } from 'node:fs/promises'
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
import { Refusal, UsageError } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'
import { addFilters, checkSpan, queryOf, type Filters } from './filters.ts'

interface Options extends Filters {
  readonly framework: Framework
  readonly out: string
  readonly json?: boolean
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
  addFilters(command, ['from', 'to']).option('--json', 'print the report as JSON, too')
  return command.action(async ({ framework, from, to, out, json }: Options) => {
    checkSpan({ from, to })
    const folder = resolve(terminal.folder, out)
    const plane = await connect(terminal)
    const report = await complete(folder, out, async (part) => {
      const manifest = await takeOut(plane, { from, to }, part)
      // Read from the file rather than the response, because the evidence is about what the auditor
      // gets.
      const lines = readLines(createReadStream(join(part, logFile)))
      const read = await readEvidence(lines, manifestFile.parse(JSON.parse(manifest)))
      const span = { from: from ?? 'the beginning', to: to ?? 'now' }
      const made = new Date().toISOString()
      const evidence = evidenceReport(framework, { ...read, made, span, file: logFile })
      await put(part, 'evidence.json', `${JSON.stringify(evidence, null, 2)}\n`)
      await put(part, 'evidence.html', evidencePage(evidence))
      return evidence
    })
    if (json) terminal.print(jsonText(report, 2))
    const page = join(out, 'evidence.html')
    // Closed: the page says that the log does not verify, and the exit code says so too.
    if (!report.verified.ok || !report.verified.signed)
      throw new Refusal(`The log is not what was recorded: see ${page}.`)
    terminal.note(`Written to ${out}. Open ${page}, and print it from there.`)
  })
}

/** Exports the time span with its manifest, as `audit export` does. */
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

/**
 * Writes into a folder beside the final one, which only one run at a time can use, so that nothing
 * incomplete ever has the final name.
 */
async function complete<T>(
  folder: string,
  out: string,
  work: (part: string) => Promise<T>,
): Promise<T> {
  const part = `${folder}.part`
  await mkdir(part, { mode: 0o700 }).catch(({ code }: NodeJS.ErrnoException) => {
    throw code === 'EEXIST'
      ? new UsageError(
          `${out}.part is there already.`,
          'Another run is writing it; or one was interrupted: then remove it.',
        )
      : new UsageError(
          `${out}.part cannot be made (${code}).`,
          'Name a folder in one that is there.',
        )
  })
  // A folder that exists may be somebody's evidence. No other run can create it any more.
  if (existsSync(folder)) {
    await rmdir(part)
    throw new UsageError(`${out} is there already.`, 'Name another folder.')
  }
  try {
    const done = await work(part)
    await rename(part, folder)
    return done
  } catch (cause) {
    // Where the gateway exported nothing there is nothing to keep. Somebody who has to wait for an
    // approval runs the command again.
    if ((await readdir(part)).length === 0) await rmdir(part)
    if (cause instanceof Refusal) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw new Refusal(
      `The evidence is not complete: ${code ?? message}. What there is of it is in ${out}.part.`,
      {},
      { cause },
    )
  }
}
