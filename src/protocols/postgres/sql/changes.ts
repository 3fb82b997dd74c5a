import type { SessionChange } from './statement.ts'

/** Settings that decide what a name means, and whether it may be used. */
const ofNames = new Set(['search_path', 'role', 'session_authorization'])
/** Settings that decide what the characters of a text mean. */
const ofText = new Set(['client_encoding', 'standard_conforming_strings', 'backslash_quote'])

/**
 * Whether the change affects how the next text is read. A name of `null` stands for all settings,
 * or for one that is computed.
 */
export function changesReading(change: SessionChange): boolean {
  if (change.kind !== 'set') return false
  const { name, harmless } = change
  return name === null || ofNames.has(name) || (ofText.has(name) && !harmless)
}

/**
 * Whether existing names may mean something else after the change. `unsettled`: the transaction has
 * changed them before, and its end may undo that.
 */
export function changesNames(change: SessionChange, unsettled: boolean): boolean {
  switch (change.kind) {
    case 'set':
      return changesReading(change)
    case 'opaque':
    case 'discard':
      return true
    case 'ddl':
      return change.moves
    case 'commit':
    case 'rollback':
    case 'rollback-to':
      return unsettled
    default:
      return false
  }
}
