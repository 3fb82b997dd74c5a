import type { Approval } from '../approvals/approval.ts'
import type { Standing } from '../approvals/standing.ts'
import { Line } from './line.ts'
import type { Permit } from './permit.ts'

/** The one permit of an approval, or none; and how the approval stands then. */
export interface Claimed {
  readonly permit: Permit | null
  readonly standing: Standing
}

/**
 * What is open for a request now, and whether this attempt asked for it, or another one for both.
 */
export interface Asked {
  readonly standing: Standing
  readonly asked: boolean
}

/**
 * Where attempts on this replica wait for each other. The database would make them wait too, and
 * all of its other users with them.
 */
export class Lines {
  /** By subject: each of its approvals is opened under a lock, since they are counted. */
  readonly opening = new Line<Approval>()
  /** By digest: one asks for all who want the same. */
  readonly asking = new Line<Asked>()
  /** By approval: one uses it, and the others are told. */
  readonly claiming = new Line<Claimed>()
}
