# A session with Ruby's pg, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line of JSON for each thing that it saw.
#
#   ruby pg_session.rb everything | denied | held
require 'json'
require 'pg'

DB = PG.connect

def see(*what)
  puts JSON.generate(what)
end

def fails
  yield
rescue PG::Error => e
  fields = [PG::PG_DIAG_SQLSTATE, PG::PG_DIAG_SEVERITY, PG::PG_DIAG_MESSAGE_PRIMARY, PG::PG_DIAG_MESSAGE_DETAIL]
  see(*fields.map { |field| e.result&.error_field(field) })
else
  raise 'it did not fail'
end

def everything
  see(DB.exec('SELECT * FROM customers WHERE id < 4 ORDER BY id').to_a)
  see(DB.exec_params('SELECT $1::int + 1 AS n, $2::text AS t', [1, nil]).to_a)
  in_binary = DB.exec_params('SELECT 258::int4', [], 1)
  see(in_binary.getvalue(0, 0).bytes, in_binary.ftype(0))
  DB.type_map_for_results = PG::BasicTypeMapForResults.new(DB)
  see(DB.exec("SELECT 1::int8, 2.5::float8, '{1,2}'::int[], true, '2020-02-02'::date").values)
  DB.prepare('by-id', 'SELECT name FROM customers WHERE id = $1')
  see(DB.exec_prepared('by-id', [7]).values, DB.describe_prepared('by-id').fields)

  begin
    DB.transaction do |db|
      see(db.exec("INSERT INTO customers VALUES (960, 'r') RETURNING id").values)
      raise 'enough'
    end
  rescue RuntimeError
    see(DB.exec('SELECT count(*) FROM customers').values, DB.transaction_status)
  end
  fails { DB.exec('SELECT 1/0') }
  fails { DB.exec('SELECT nothing FROM customers') }

  DB.exec('CREATE TEMPORARY TABLE copied (id int, word text)')
  DB.copy_data('COPY copied FROM STDIN', PG::TextEncoder::CopyRow.new) do
    3.times { |i| DB.put_copy_data([i.to_s, "word #{i}"]) }
  end
  rows = []
  DB.copy_data('COPY copied TO STDOUT CSV') { rows << DB.get_copy_data while rows.last || rows.empty? }
  see(rows)
  see(DB.exec('SELECT shout($$hey$$)').values)

  DB.send_query('SELECT i FROM generate_series(1, 1000) i')
  DB.set_single_row_mode
  see(DB.get_result.stream_each_row.sum { |(i)| i })
  DB.get_result

  DB.enter_pipeline_mode
  [1, 0, 2].each { |i| DB.send_query_params('SELECT 1/$1::int', [i]) }
  DB.pipeline_sync
  outcomes = []
  until outcomes.last == PG::PGRES_PIPELINE_SYNC
    begin
      result = DB.get_result
      outcomes << result.result_status if result
    rescue PG::Error => e
      outcomes << e.result.result_status
    end
  end
  DB.exit_pipeline_mode
  see(outcomes)

  DB.send_query('SELECT pg_sleep(60)')
  see(DB.cancel)
  begin
    DB.get_last_result
  rescue PG::QueryCanceled => e
    # The gateway adds to it where it has not begun.
    see(e.result.error_field(PG::PG_DIAG_MESSAGE_PRIMARY))
  end
  DB.exec('LISTEN news')
  DB.exec("NOTIFY news, 'extra'")
  DB.wait_for_notify(5) { |channel, _, payload| see(channel, payload) }
end

case ARGV[0]
when 'everything' then everything
when 'denied'
  fails { DB.exec('SELECT * FROM vault') }
  see(DB.exec('SELECT 1').values)
when 'held' then see(DB.exec_params('DELETE FROM customers WHERE id = $1', [50]).cmd_tuples)
end
DB.close
