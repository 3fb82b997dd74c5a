import { Unknown, type Attribute } from '../../core/action.ts'
import type { Verdict } from '../../core/decision.ts'
import type { Input } from '../input.ts'
import { modeOf } from '../rule.ts'
import type { Condition } from './condition.ts'
import { names } from './names.ts'
import { verbs } from './sql-spelling.ts'

/**
 * `what.sql.verb`: what the statement does: `select`, `insert`, `copy` … One statement can do
 * several things (a WITH that deletes). Some have two words (`alter role`, `set search_path`): a
 * hold or deny rule finds them by the first as well. A deny rule is also set off by code that
 * nobody has read: it may do anything.
 */
export function verb(wanted: readonly string[], then: Verdict): Condition {
  const mode = modeOf(then)
  const exactly = { ...verbs, forms: (name: string) => [name] }
  const spelling = mode === 'everything' ? exactly : verbs
  return names('what.sql.verb', wanted, mode, then === 'deny' ? done : said, spelling)
}

/** `DO`, a program of the server's machine, and what this gateway does not know. */
const unread = new Set(['do', 'copy program', 'other'])

function said(input: Input): Attribute | undefined {
  return input.attribute('sql', 'verb')
}

function done(input: Input): Attribute | undefined {
  const verbs = said(input)
  const isUnread = Array.isArray(verbs) && verbs.some((one) => unread.has(String(one)))
  return isUnread ? new Unknown('It runs code that nobody has read.') : verbs
}
