import type { VerifyReport } from '../verify.ts'
import type { Answers } from './collect.ts'
import { frameworks, type Control, type Framework } from './controls.ts'

/** What an auditor gets, as plain data, which is written as JSON and shown as a page. */
export interface EvidenceReport {
  readonly format: 'sallyport-evidence/1'
  readonly framework: Framework
  readonly title: string
  /** All times here are ISO 8601. */
  readonly made: string
  readonly span: { readonly from: string; readonly to: string }
  readonly file: string
  readonly checkpoint: string
  /** The log's verifier keys, as the manifest names them. */
  readonly keys: readonly string[]
  readonly verified: VerifyReport
  readonly controls: readonly Control[]
  readonly answers: Answers
}

export function evidenceReport(
  framework: Framework,
  parts: Omit<EvidenceReport, 'format' | 'framework' | 'title' | 'controls'>,
): EvidenceReport {
  const { title, controls } = frameworks[framework]
  return { format: 'sallyport-evidence/1', framework, title, ...parts, controls }
}
