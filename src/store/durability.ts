import { MistakesError } from '../core/errors.ts'
import type { Queryable } from './db.ts'

/**
 * Refuses a server that reports a commit before it is durable. That every action was approved and
 * recorded before it ran rests on this.
 */
export async function refuseUnsafeCommits(store: Queryable): Promise<void> {
  const [settings] = await store.query<{ fsync: string; commit: string; standbys: string }>(`
    SELECT current_setting('fsync') AS fsync,
           current_setting('synchronous_commit') AS commit,
           current_setting('synchronous_standby_names') AS standbys`)
  const { fsync, commit, standbys } = settings!
  const mistakes = []
  if (fsync !== 'on') {
    mistakes.push({
      file: 'store.url',
      message: 'this PostgreSQL runs with fsync = off: a crash can lose what it has acknowledged',
      remedy: 'Set fsync = on in postgresql.conf, and reload it.',
    })
  }
  if (commit === 'off' || (commit === 'local' && standbys !== '')) {
    mistakes.push({
      file: 'store.url',
      message: `sessions here have synchronous_commit = ${commit}: ${
        commit === 'off' ? 'a crash' : 'the promotion of a standby'
      } can lose what was acknowledged`,
      remedy: 'Set synchronous_commit = on for this user and database.',
    })
  }
  if (mistakes.length > 0) throw new MistakesError(mistakes)
}
