import type { Store } from '../store/db.ts'
import { exportNdjson, openExport } from './export/ndjson.ts'
import { openCheckpoint } from './log/checkpoint.ts'
import { Chains, type VerifiedChain } from './verify/chains.ts'
import type { Finding } from './verify/finding.ts'
import { KeptElsewhere } from './verify/kept-elsewhere.ts'
import { readLine } from './verify/line.ts'
import { Order } from './verify/order.ts'
import { SignedLog, type Trust } from './verify/signed-log.ts'

export interface VerifyReport {
  /**
   * Nothing was changed, taken out, put in or moved. A time that goes back is worth a look, and
   * does not count; nor does what a record says is kept elsewhere.
   */
  readonly ok: boolean
  readonly lines: number
  /** Events whose personal part was erased. */
  readonly erased: number
  /** Events that are kept elsewhere: only their hashes are here. */
  readonly retained: number
  readonly chains: readonly VerifiedChain[]
  /**
   * The signed state of the log that the export belongs to; `null` where there was nothing to hold
   * it against, or it does not hold.
   */
  readonly signed: { readonly size: number; readonly time: string | null } | null
  /** By line; the first thousand. */
  readonly findings: readonly Finding[]
}

const mostFindings = 1_000

/**
 * Recomputes everything in an export, offline: every commitment, leaf and link, whether each chain
 * is whole between its first line here and its last, and, with `trust`, whether these are the
 * events of the log that was signed. Without it, what was cut off before or behind the lines does
 * not show.
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  trust: Trust | null = null,
): Promise<VerifyReport> {
  const chains = new Chains()
  const order = new Order(trust?.manifest.first ?? null)
  const log = trust && new SignedLog(trust)
  const findings: Finding[] = []
  let ok = true
  let line = 0
  let erased = 0
  const elsewhere = new KeptElsewhere()
  let retained = 0
  const note = (finding: Finding) => {
    if (finding.kind !== 'time-reversal' && finding.kind !== 'retained') ok = false
    if (findings.length < mostFindings) findings.push(finding)
  }
  for await (const text of lines) {
    line++
    const reading = readLine(text)
    if (reading.finding) note({ line, ...reading.finding })
    if (reading.link) {
      chains.follow(reading.link, line).forEach(note)
      order.follow(reading.link, line).forEach((found) => noteOnce(findings, found, note))
      if (reading.link.leaf !== null) log?.grow(reading.link.leaf)
    } else chains.skip(line)
    if (reading.erased) erased++
    if (reading.gone) {
      retained++
      elsewhere.miss(reading.link!, line).forEach(note)
    }
    if (reading.retention) elsewhere.explain(reading.link!.event, reading.retention)
  }
  if (trust && log) recordsBeside(trust, log, elsewhere, line).forEach(note)
  elsewhere.end().forEach(note)
  const last = order.end(line, trust?.manifest.end ?? null)
  last.forEach((found) => noteOnce(findings, found, note))
  const missing = chains.missing()
  for (const finding of [...missing, ...beyond(missing, order)]) note(finding)
  // What was changed has been named by now. Where nothing was, the whole has to be what was signed.
  if (ok) log?.end(line).forEach(note)
  findings.sort((a, b) => a.line - b.line)
  const signed = ok && trust ? signedState(trust) : null
  return { ok, lines: line, erased, retained, chains: chains.summary(), signed, findings }
}

/**
 * Records that are not in the export itself: they come with it, and with what shows that they are
 * in the log.
 */
function recordsBeside(
  { manifest }: Trust,
  log: SignedLog,
  elsewhere: KeptElsewhere,
  line: number,
): Finding[] {
  const findings: Finding[] = []
  for (const { line: text, proof } of manifest.retained ?? []) {
    const { link, retention } = readLine(text)
    if (link?.leaf && retention && log.has(link.leaf, link.index, proof)) {
      elsewhere.explain(link.event, retention)
    } else {
      // Closed: it explains nothing, and whoever put it there wanted it to.
      const message = 'A record of the manifest is not in the log that was signed.'
      findings.push({ kind: 'not-the-log', line, message })
    }
  }
  return findings
}

/** The same for the log in the database. */
export async function verifyStore(store: Store): Promise<VerifyReport> {
  return verifyExport(exportNdjson(store, await openExport(store)))
}

/** The chain has more to say about a line than its index has. */
function noteOnce(
  findings: readonly Finding[],
  found: Finding,
  note: (finding: Finding) => void,
): void {
  if (!findings.some(({ line }) => line === found.line)) note(found)
}

/** Gaps in the log that are in no chain: there, the chains begin or end. */
function beyond(missing: readonly Finding[], { gaps }: Order): Finding[] {
  const named = new Set(missing.map(({ line }) => line))
  return gaps.flatMap(({ from, to, line }) => {
    if (named.has(line)) return []
    const what = from === to ? `Event ${from}` : `Events ${from} to ${to}`
    return { kind: 'missing' as const, line, message: `${what} of the log are missing.` }
  })
}

function signedState({ manifest, keys }: Trust): VerifyReport['signed'] {
  const checkpoint = openCheckpoint(manifest.checkpoint, keys.length > 0 ? keys : manifest.keys)
  return checkpoint && { size: checkpoint.size, time: checkpoint.time?.toISOString() ?? null }
}
