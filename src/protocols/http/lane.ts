import { partyKey, type Subject } from '../../core/subject.ts'

// A verified token is remembered with its subject, so that one agent's requests all have the same
// object.
const lanes = new WeakMap<Subject, string>()

/**
 * Whose connections, and whose room in memory, a subject may use: its own, as the same actors in
 * the same roles. No name has a line break in it.
 */
export function laneOf(subject: Subject): string {
  let lane = lanes.get(subject)
  if (lane === undefined) {
    lane = [subject, ...subject.chain].map(partyKey).join('\n')
    lanes.set(subject, lane)
  }
  return lane
}
