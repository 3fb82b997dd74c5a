import { verifyExport } from '../verify.ts'
import type { Trust } from '../verify/signed-log.ts'
import { Collector } from './collect.ts'
import type { EvidenceReport } from './report.ts'

/** What the report says about the lines of an export. */
export type Evidence = Pick<EvidenceReport, 'verified' | 'answers' | 'checkpoint' | 'keys'>

/**
 * Verifies an export against the log that its manifest names, and answers every query from the same
 * lines, in one pass and in constant memory.
 */
export async function readEvidence(
  lines: AsyncIterable<string>,
  manifest: Trust['manifest'],
): Promise<Evidence> {
  const collector = new Collector()
  async function* collected(): AsyncGenerator<string> {
    for await (const line of lines) {
      collector.add(line)
      yield line
    }
  }
  const verified = await verifyExport(collected(), { manifest, keys: [], older: null })
  const { checkpoint, keys } = manifest
  return { verified, answers: collector.answers(), checkpoint, keys }
}
