import type { Config } from '../../config/schema.ts'
import { exportText, type ExportText } from '../../audit/export/format.ts'
import type { Store } from '../../store/db.ts'
import { exportAside } from './export-aside.ts'

/** Up to so many events, an export costs less than starting a thread. */
const few = 20_000

/**
 * Chooses where exports run: with PostgreSQL in a thread of their own, unless they are small. The
 * embedded store has one session, so there they run in this thread, between other things.
 */
export function openExports(config: Pick<Config, 'store'>, store: Store): ExportText {
  return (part, format, options) =>
    config.store && part.end - part.first > few
      ? exportAside(config.store.url, part, format, options)
      : exportText(store, part, format, options)
}
