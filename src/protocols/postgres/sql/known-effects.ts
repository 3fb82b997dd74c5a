import type { Effect } from '../../../core/action.ts'

/** The known effect of a function of `pg_catalog` that is not harmless. */
export interface KnownEffect {
  readonly effect: Effect
  /** A verb that the call adds to the statement's own, or `null`. */
  readonly verb: string | null
  /** Whether it runs a text, or touches data that the statement does not name. */
  readonly hides: boolean
}

const families: readonly (readonly [RegExp, KnownEffect])[] = [
  [/^(nextval|setval)$/, { effect: 'write', verb: 'sequence', hides: false }],
  [/^pg_notify$/, { effect: 'write', verb: 'notify', hides: false }],
  [/^pg_(try_)?advisory_/, { effect: 'write', verb: 'lock', hides: false }],
  [/^set_config$/, { effect: 'admin', verb: 'set any', hides: true }],
  [
    /^(lo_(import|export)|pg_(read_|ls_|stat_file))/,
    { effect: 'admin', verb: 'file', hides: true },
  ],
  [/^(lo_|loread$|lowrite$)/, { effect: 'write', verb: 'large object', hides: true }],
  [
    /^pg_(terminate|cancel)_backend$|^pg_(reload_conf|promote|switch_wal|rotate_logfile)$|^pg_backup_|^pg_wal_replay_(pause|resume)$/,
    { effect: 'admin', verb: 'server', hides: false },
  ],
  [
    /^pg_(create|drop|copy)_.*slot$|^pg_logical_|^pg_replication_|^pg_stat_(reset|clear)|^pg_(clear|restore)_.*_stats$/,
    { effect: 'admin', verb: 'server', hides: true },
  ],
]

/** Closed: a function of a user, of an extension or of a newer server may do anything. */
const anything: KnownEffect = { effect: 'unknown', verb: null, hides: true }

/** The effect of a function that is not harmless. */
export function effectOf(schema: string, name: string): KnownEffect {
  if (schema !== 'pg_catalog') return anything
  return families.find(([pattern]) => pattern.test(name))?.[1] ?? anything
}
