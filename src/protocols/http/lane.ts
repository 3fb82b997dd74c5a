import { partyKey, type Subject } from '../../core/subject.ts'

/** Whose connections, and whose room in memory, a subject may use: its own, as the same actors in the same roles. No name has a line break in it. */
export function laneOf(subject: Subject): string {
  return [subject, ...subject.chain].map(partyKey).join('\n')
}
