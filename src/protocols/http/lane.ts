import { partyKey, type Subject } from '../../core/subject.ts'

// Verified tokens are cached with their subjects, so all requests of one agent share an object.
const lanes = new WeakMap<Subject, string>()

/**
 * Identifies whose connections and whose room in memory a subject may use: only its own, with the
 * same actors in the same roles. No name contains a line break.
 */
export function laneOf(subject: Subject): string {
  let lane = lanes.get(subject)
  if (lane === undefined) {
    lane = [subject, ...subject.chain].map(partyKey).join('\n')
    lanes.set(subject, lane)
  }
  return lane
}
