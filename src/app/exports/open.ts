import type { Config } from '../../config/schema.ts'
import { exportText, type ExportText } from '../../audit/export/format.ts'
import type { Store } from '../../store/db.ts'
import { exportAside } from './export-aside.ts'

/** Events that cost this thread less than starting another one does. */
const few = 20_000

/**
 * In a thread of its own, with a PostgreSQL, unless it is little. The embedded store has one
 * session, so there it is done here, between other things.
 */
export function openExports(config: Pick<Config, 'store'>, store: Store): ExportText {
  return (part, format, options) =>
    config.store && part.end - part.first > few
      ? exportAside(config.store.url, part, format, options)
      : exportText(store, part, format, options)
}
