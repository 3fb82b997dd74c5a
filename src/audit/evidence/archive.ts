import { once } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'
import { ZipFile } from 'yazl'
import type { Trust } from '../verify/signed-log.ts'
import type { Framework } from './controls.ts'
import { evidencePage } from './page.ts'
import { readEvidence } from './read.ts'
import { evidenceReport, type EvidenceReport } from './report.ts'

export const logFile = 'log.ndjson'
/** The name under which `sallyport audit verify` looks for the manifest. */
export const manifestBeside = `${logFile}.manifest.json`

interface Contents {
  readonly framework: Framework
  readonly span: EvidenceReport['span']
  /** Lines of an export, in canonical JSON. */
  readonly lines: AsyncIterable<string>
  readonly manifest: Trust['manifest']
  /** The manifest's text, exactly as it was made. */
  readonly manifestText: string
}

/**
 * From this many events on, an entry may need 64-bit sizes, which not every program reads
 * (APPNOTE.TXT §4.3.9.2).
 */
const large = 500_000

/**
 * The folder that `sallyport audit evidence` makes, as a ZIP file, streamed in constant memory. It
 * ends with an error if the log could not be read to the end. Such a file has no directory, so no
 * program takes it for a complete one.
 */
export function evidenceArchive({
  framework,
  span,
  lines,
  manifest,
  manifestText,
}: Contents): Readable {
  const zip = new ZipFile()
  const output = zip.outputStream as PassThrough
  const log = new PassThrough()
  const over = new AbortController()
  output.once('close', () => over.abort())
  zip.addReadStream(log, logFile, {
    forceZip64Format: manifest.end - manifest.first > large,
  })
  async function* written(): AsyncGenerator<string> {
    for await (const line of lines) {
      over.signal.throwIfAborted()
      if (!log.write(`${line}\n`)) await once(log, 'drain', { signal: over.signal })
      yield line
    }
    log.end()
  }
  async function write(): Promise<void> {
    const read = await readEvidence(written(), manifest)
    const made = new Date().toISOString()
    const report = evidenceReport(framework, { ...read, made, span, file: logFile })
    add(zip, manifestBeside, manifestText)
    add(zip, 'evidence.json', `${JSON.stringify(report, null, 2)}\n`)
    add(zip, 'evidence.html', evidencePage(report))
    zip.end()
  }
  write().catch((error: unknown) => {
    // Closed: the reader learns that it was cut off.
    output.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  return output
}

function add(zip: ZipFile, name: string, text: string): void {
  zip.addBuffer(Buffer.from(text), name)
}
