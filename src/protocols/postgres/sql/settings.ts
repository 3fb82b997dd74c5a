/**
 * What a session may set without a decision: how values are printed, how long things may take, how
 * plans are made. Anything else counts as a change of what text means or of who acts, including
 * unknown settings and those with a dot, which row-level policies read (`app.tenant`).
 *
 * | left out on purpose | because |
 * |---|---|
 * | `standard_conforming_strings` but `on`, `backslash_quote` | where a string ends |
 * | `client_encoding` but `UTF8` | which characters the bytes are |
 * | `search_path`, `default_tablespace`, `temp_tablespaces`, `default_table_access_method` | what a name means |
 * | `role`, `session_authorization`, `row_security` | who acts, and on which rows |
 * | `check_function_bodies`, `session_replication_role`, `session_preload_libraries`, `local_preload_libraries`, `dynamic_library_path` | which code runs |
 * | `allow_system_table_mods`, `transform_null_equals`, `array_nulls`, `xmlbinary`, `xmloption`, `quote_all_identifiers` | what a statement does |
 * | `synchronous_commit`, `fsync`, `zero_damaged_pages`, `ignore_checksum_failure` | whether what was written stays |
 * | `log_*`, `track_*`, `pgaudit.*` | what is recorded |
 *
 * `transaction_read_only` and its default are in the list, because the gateway judges every
 * statement itself and does not rely on them.
 */
const harmless = new Set([
  'application_name',
  'bytea_output',
  'client_min_messages',
  'commit_delay',
  'constraint_exclusion',
  'cpu_index_tuple_cost',
  'cpu_operator_cost',
  'cpu_tuple_cost',
  'cursor_tuple_fraction',
  'datestyle',
  'deadlock_timeout',
  'default_statistics_target',
  'default_transaction_deferrable',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'effective_cache_size',
  'effective_io_concurrency',
  'extra_float_digits',
  'from_collapse_limit',
  'geqo',
  'hash_mem_multiplier',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'intervalstyle',
  'jit',
  'join_collapse_limit',
  'lc_messages',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'lock_timeout',
  'logical_decoding_work_mem',
  'maintenance_work_mem',
  'max_parallel_workers_per_gather',
  'plan_cache_mode',
  'random_page_cost',
  'seq_page_cost',
  'statement_timeout',
  'synchronize_seqscans',
  'tcp_keepalives_count',
  'tcp_keepalives_idle',
  'tcp_keepalives_interval',
  'tcp_user_timeout',
  'temp_buffers',
  'timezone',
  'transaction_deferrable',
  'transaction_isolation',
  'transaction_read_only',
  'transaction_timeout',
  'work_mem',
])

/** Settings that are harmless with these values, which the gateway's sessions have anyway. */
const pinned: Readonly<Record<string, RegExp>> = {
  client_encoding: /^(utf-?8|unicode)$/i,
  escape_string_warning: /./,
  row_security: /^(off|false|0)$/i, // Rows that a policy hides are an error then, and not left out.
  standard_conforming_strings: /^(on|true|1)$/i,
}

/** `name`: in lower case, as in `pg_settings`. `values`: `null` for the default. */
export function isHarmlessSetting(name: string, values: readonly string[] | null): boolean {
  if (harmless.has(name) || /^enable_[a-z_]+$/.test(name)) return true
  const [value] = values ?? []
  return values?.length === 1 && value !== undefined && pinned[name]?.test(value) === true
}
