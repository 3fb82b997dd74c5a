import type { Queryable } from '../store/db.ts'
import { exportNdjson } from './export/ndjson.ts'
import { Chains, type VerifiedChain } from './verify/chains.ts'
import type { Finding } from './verify/finding.ts'
import { readLine } from './verify/line.ts'

export interface VerifyReport {
  /** Nothing was changed, taken out, put in or moved. A time that goes back is worth a look, and does not count. */
  readonly ok: boolean
  readonly lines: number
  /** Events whose personal part was erased. */
  readonly erased: number
  readonly chains: readonly VerifiedChain[]
  /** By line; the first thousand. */
  readonly findings: readonly Finding[]
}

const mostFindings = 1_000

/**
 * Recomputes everything in an export, offline: every commitment, leaf and link, and whether each chain is whole between its first line here and its last. What was cut
 * off before or behind them shows only against a hash that was kept elsewhere.
 */
export async function verifyExport(lines: AsyncIterable<string>): Promise<VerifyReport> {
  const chains = new Chains()
  const findings: Finding[] = []
  let ok = true
  let line = 0
  let erased = 0
  const note = (finding: Finding) => {
    if (finding.kind !== 'time-reversal') ok = false
    if (findings.length < mostFindings) findings.push(finding)
  }
  for await (const text of lines) {
    line++
    const reading = readLine(text)
    if (reading.finding) note({ line, ...reading.finding })
    if (reading.link) chains.follow(reading.link, line).forEach(note)
    else chains.skip()
    if (reading.erased) erased++
  }
  chains.missing().forEach(note)
  findings.sort((a, b) => a.line - b.line)
  return { ok, lines: line, erased, chains: chains.summary(), findings }
}

/** The same for the log in the database. */
export function verifyStore(store: Queryable): Promise<VerifyReport> {
  return verifyExport(exportNdjson(store))
}
