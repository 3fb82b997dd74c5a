import type { Approval } from '../approvals/approval.ts'
import type { Standing } from '../approvals/standing.ts'
import { Line } from './line.ts'
import type { Permit } from './permit.ts'

/** The permit of an approval, or none, and how the approval stands after the claim. */
export interface Claimed {
  readonly permit: Permit | null
  readonly standing: Standing
}

/**
 * The approval that is open for a request now, and whether this attempt asked for it rather than
 * another one.
 */
export interface Asked {
  readonly standing: Standing
  readonly asked: boolean
}

/**
 * Where attempts on this replica wait for each other. In the database they would wait too, and make
 * its other users wait with them.
 */
export class Lines {
  /** By subject, whose approvals are opened one at a time because they are counted. */
  readonly opening = new Line<Approval>()
  /** By digest: one attempt asks for all that want the same. */
  readonly asking = new Line<Asked>()
  /** By approval: one attempt claims it, and the others are told. */
  readonly claiming = new Line<Claimed>()
}
