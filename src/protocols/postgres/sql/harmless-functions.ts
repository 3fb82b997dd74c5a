/**
 * Functions of `pg_catalog` up to PostgreSQL 18 that have no effect, whatever their arguments: they
 * write nothing, send nothing, run no text, read no file, and read no table but the system's own.
 * Closed: what a new version of the server brings counts as having an unknown effect until somebody
 * has looked at it. The functions behind operators of `pg_catalog` are as harmless as the operators
 * when called by name.
 *
 * Being declared stable or immutable is not enough: `query_to_xml`, `table_to_xml` and `ts_rewrite`
 * read what a text names, and `pg_input_is_valid` runs the checks of any type.
 */
const names = new Set(
  `
  abbrev abs aclcontains acldefault aclexplode acos acosd acosh age any_value area array_agg
  array_append array_cat array_dims array_fill array_larger array_length array_lower array_ndims
  array_position array_positions array_prepend array_remove array_replace array_reverse
  array_sample array_shuffle array_smaller array_sort array_to_json array_to_string
  array_to_tsvector array_upper arraycontained arraycontains arrayoverlap ascii asin asind asinh
  atan atan2 atan2d atand atanh avg bernoulli bit bit_and bit_count bit_length bit_or bit_send
  bit_xor bitand bitor bitxor bool bool_and bool_or bound_box box box_contain bpchar broadcast
  btrim bytea byteasend cardinality casefold cash_words cbrt ceil ceiling center char char_length
  character_length chr cidr circle circle_contain clock_timestamp col_description concat concat_ws
  convert convert_from convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32
  crc32c cume_dist current_database current_query current_schema current_schemas current_setting
  current_user currval date date_add date_bin date_cmp_timestamp date_cmp_timestamptz date_mi
  date_mi_interval date_mii date_part date_pl_interval date_pli date_send date_subtract date_trunc
  datemultirange daterange decode degrees dense_rank diagonal diameter div elem_contained_by_range
  encode enum_first enum_last enum_range erf erfc every exp extract factorial family first_value
  float4 float4send float8 float8div float8mi float8mul float8pl float8send floor format
  format_type gamma gcd gen_random_uuid generate_series generate_subscripts get_bit get_byte
  get_current_ts_config getdatabaseencoding getpgusername has_any_column_privilege
  has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
  has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege
  has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege
  has_tablespace_privilege has_type_privilege hash_array hash_array_extended hash_numeric
  hash_numeric_extended hash_record hash_record_extended hashbytea hashbyteaextended hashint4
  hashint4extended hashint8 hashint8extended hashtext hashtextextended height host hostmask
  icu_unicode_version inet_client_addr inet_client_port inet_merge inet_same_family inet_send
  inet_server_addr inet_server_port initcap int2 int2send int4 int4and int4div int4eq int4ge
  int4gt int4le int4lt int4mi int4mod int4mul int4multirange int4ne int4or int4pl int4range
  int4send int4xor int8 int8and int8div int8eq int8ge int8gt int8le int8lt int8mi int8mod int8mul
  int8multirange int8ne int8or int8pl int8range int8send int8xor interval interval_div interval_mi
  interval_mul interval_pl is_normalized isclosed isempty isfinite ishorizontal isopen isparallel
  isperp isvertical json json_agg json_agg_strict json_array_element json_array_element_text
  json_array_elements json_array_elements_text json_array_length json_build_array
  json_build_object json_each json_each_text json_extract_path json_extract_path_text json_object
  json_object_agg json_object_agg_strict json_object_agg_unique json_object_agg_unique_strict
  json_object_field json_object_field_text json_object_keys json_populate_record
  json_populate_recordset json_scalar json_serialize json_strip_nulls json_to_record
  json_to_recordset json_to_tsvector json_typeof jsonb_agg jsonb_agg_strict jsonb_array_element
  jsonb_array_element_text jsonb_array_elements jsonb_array_elements_text jsonb_array_length
  jsonb_build_array jsonb_build_object jsonb_cmp jsonb_concat jsonb_contained jsonb_contains
  jsonb_delete jsonb_delete_path jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all
  jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_hash jsonb_hash_extended
  jsonb_insert jsonb_object jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique
  jsonb_object_agg_unique_strict jsonb_object_field jsonb_object_field_text jsonb_object_keys
  jsonb_path_exists jsonb_path_exists_opr jsonb_path_exists_tz jsonb_path_match
  jsonb_path_match_opr jsonb_path_match_tz jsonb_path_query jsonb_path_query_array
  jsonb_path_query_array_tz jsonb_path_query_first jsonb_path_query_first_tz jsonb_path_query_tz
  jsonb_populate_record jsonb_populate_record_valid jsonb_populate_recordset jsonb_pretty
  jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_to_tsvector
  jsonb_typeof justify_days justify_hours justify_interval lag last_value lastval lcm lead left
  length lgamma like like_escape line ln log log10 lower lower_inc lower_inf lpad lseg ltrim
  macaddr macaddr8 macaddr8_set7bit make_date make_interval make_time make_timestamp
  make_timestamptz makeaclitem masklen max md5 merge_action min min_scale mod mode money
  multirange mxid_age name nameconcatoid netmask network network_overlap network_sub network_subeq
  network_sup network_supeq normalize notlike now npoints nth_value ntile num_nonnulls num_nulls
  numeric numeric_add numeric_div numeric_div_trunc numeric_exp numeric_ln numeric_log numeric_mod
  numeric_mul numeric_power numeric_send numeric_sqrt numeric_sub nummultirange numnode numrange
  obj_description octet_length oid oidvectortypes overlaps overlay parse_ident path percent_rank
  percentile_cont percentile_disc pg_available_extension_versions pg_available_extensions
  pg_backend_pid pg_basetype pg_blocking_pids pg_char_to_encoding pg_client_encoding
  pg_collation_actual_version pg_collation_for pg_collation_is_visible pg_column_compression
  pg_column_is_updatable pg_column_size pg_column_toast_chunk_id pg_conf_load_time pg_config
  pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system
  pg_conversion_is_visible pg_current_snapshot pg_current_wal_flush_lsn pg_current_wal_insert_lsn
  pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned pg_cursor
  pg_database_collation_actual_version pg_database_size pg_describe_object pg_encoding_max_length
  pg_encoding_to_char pg_extension_update_paths pg_filenode_relation pg_function_is_visible
  pg_get_acl pg_get_backend_memory_contexts pg_get_catalog_foreign_keys pg_get_constraintdef
  pg_get_expr pg_get_function_arg_default pg_get_function_arguments
  pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody
  pg_get_functiondef pg_get_indexdef pg_get_keywords pg_get_object_address
  pg_get_partition_constraintdef pg_get_partkeydef pg_get_publication_tables
  pg_get_replica_identity_index pg_get_ruledef pg_get_sequence_data pg_get_serial_sequence
  pg_get_shmem_allocations pg_get_statisticsobjdef pg_get_statisticsobjdef_columns
  pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_viewdef
  pg_get_wait_events pg_get_wal_replay_pause_state pg_has_role pg_identify_object
  pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
  pg_indexam_has_property pg_indexam_progress_phasename pg_indexes_size pg_is_in_recovery
  pg_is_other_temp_schema pg_is_wal_replay_paused pg_isolation_test_session_is_blocked
  pg_jit_available pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
  pg_last_xact_replay_timestamp pg_listening_channels pg_lock_status pg_lsn pg_mcv_list_items
  pg_my_temp_schema pg_notification_queue_usage pg_numa_available pg_opclass_is_visible
  pg_operator_is_visible pg_opfamily_is_visible pg_options_to_table pg_partition_ancestors
  pg_partition_root pg_partition_tree pg_postmaster_start_time pg_prepared_statement
  pg_prepared_xact pg_relation_filenode pg_relation_filepath pg_relation_is_publishable
  pg_relation_is_updatable pg_relation_size pg_replication_origin_oid
  pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_sequence_parameters
  pg_settings_get_flags pg_show_all_settings pg_size_bytes pg_size_pretty pg_snapshot_xip
  pg_snapshot_xmax pg_snapshot_xmin pg_split_walfile_name pg_stat_have_stats
  pg_statistics_obj_is_visible pg_table_is_visible pg_table_size pg_tablespace_databases
  pg_tablespace_location pg_tablespace_size pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone
  pg_timezone_names pg_total_relation_size pg_trigger_depth pg_ts_config_is_visible
  pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible
  pg_typeof pg_visible_in_snapshot pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset
  pg_xact_commit_timestamp pg_xact_status phraseto_tsquery pi plainto_tsquery point point_distance
  polygon position pow power querytree quote_ident quote_literal quote_nullable radians radius
  random random_normal range_adjacent range_after range_agg range_before range_contained_by
  range_contains range_contains_elem range_intersect range_intersect_agg range_merge range_minus
  range_overlaps range_overleft range_overright range_union rank regclass regexp_count
  regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
  regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count regr_intercept regr_r2
  regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right round row_number
  row_security_active row_to_json rpad rtrim scale session_user set_bit set_byte set_masklen
  setseed setweight sha224 sha256 sha384 sha512 shobj_description sign similar_escape
  similar_to_escape sin sind sinh slope split_part sqrt starts_with statement_timestamp stddev
  stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr substring
  sum system system_user tan tand tanh text text_larger text_smaller textcat texteq texticlike
  texticnlike texticregexeq texticregexne textlen textlike textne textnlike textregexeq
  textregexne textsend time timeofday timestamp timestamp_cmp_date timestamp_cmp_timestamptz
  timestamp_mi timestamp_mi_interval timestamp_pl_interval timestamp_send timestamptz
  timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_mi timestamptz_mi_interval
  timestamptz_pl_interval timestamptz_send timetz timezone to_ascii to_bin to_char to_date to_hex
  to_json to_jsonb to_number to_oct to_regclass to_regcollation to_regnamespace to_regoper
  to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod to_timestamp
  to_tsquery to_tsvector transaction_timestamp translate trim_array trim_scale trunc ts_debug
  ts_delete ts_filter ts_headline ts_lexize ts_match_qv ts_match_tq ts_match_tt ts_match_vq
  ts_parse ts_rank ts_rank_cd ts_token_type tsmultirange tsquery_and tsquery_not tsquery_or
  tsquery_phrase tsrange tstzmultirange tstzrange tsvector_concat tsvector_to_array txid_current
  txid_current_if_assigned txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax
  txid_snapshot_xmin txid_status txid_visible_in_snapshot unicode_assigned unicode_version unistr
  unnest upper upper_inc upper_inf uuid_extract_timestamp uuid_extract_version uuid_hash
  uuid_hash_extended uuid_send uuidv4 uuidv7 var_pop var_samp varbit varbit_send varchar variance
  version websearch_to_tsquery width width_bucket xid xml xml_is_well_formed
  xml_is_well_formed_content xml_is_well_formed_document xmlagg xmlcomment xmlconcat2 xmlexists
  xmlforest xmlpi xmlroot xmltext xmlvalidate xpath xpath_exists
`
    .trim()
    .split(/\s+/),
)

/** `name`: a function of `pg_catalog`, which may be an aggregate or a sampling method. */
export function isHarmless(name: string): boolean {
  // All functions that return the server's own statistics:
  // https://www.postgresql.org/docs/18/monitoring-stats.html
  return names.has(name) || name.startsWith('pg_stat_get_')
}
