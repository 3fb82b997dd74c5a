import { why, type Suite } from './suite.ts'

/** Types of other crates, as far as those compile with any compiler. */
const crates = 'with-uuid-1,with-chrono-0_4,with-serde_json-1'

export const others: Readonly<Record<string, Suite>> = {
  'node-postgres': {
    source: 'node-postgres',
    needs: { npm: 'npm' },
    // Each of its tests has five seconds, which is not enough to put 5,000 statements on record one after the other.
    // Its own manifest would take pg-protocol for a workspace, which is not compiled, and install what it is developed with.
    build: `rm -rf node_modules && echo '{}' >package.json
      npm install --no-save --ignore-scripts --no-audit --no-fund async@2.6.4 bluebird@3.7.2 co@4.6.0 expect.js@0.3.1 \\
        lodash mocha@10 pg-copy-streams@0.3.0 pg-protocol@1.10.3 pg-types@2.2.0 pgpass@1.0.5
      for p in pg pg-pool pg-cursor pg-connection-string; do ln -sfn "$PWD/packages/$p" node_modules/$p; done
      sed -i 's/this.timeout = 5000/this.timeout = 300000/' packages/pg/test/suite.js`,
    run: `cd packages/pg && node script/create-test-tables.js
      for f in $(find test/integration -name '*-tests.js' | sort); do
        timeout 330 node $f >/dev/null 2>&1; echo "test $f: $?"; done
      for p in pg-cursor pg-pool; do (cd ../$p && npx mocha --timeout 30000 -R tap --exit); done`,
    outcome: /^(?:(?<outcome>ok|not ok) \d+ |test )(?<name>.*?)(?:: (?<code>\d+))?$/,
    databases: ['suite', 'postgres', 'template1'],
    different: {
      'test/integration/client/error-handling-tests.js': why.who,
    },
  },
  'DBD-Pg': {
    source: 'libdbd-pg-perl',
    needs: {
      '/usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm': 'libdbi-perl',
      '/usr/include/postgresql/libpq-fe.h': 'libpq-dev',
    },
    build: `POSTGRES_INCLUDE=/usr/include/postgresql POSTGRES_LIB=/usr/lib/x86_64-linux-gnu perl Makefile.PL && make`,
    run: String.raw`DBI_DSN="dbi:Pg:dbname=suite;host=$PGHOST;port=$PGPORT" DBI_USER=$PGUSER DBI_PASS=$PGPASSWORD DBDPG_TEST_ALWAYS_ENV=1 DBDPG_TEST_NOHELPFILE=1 PERL_HASH_SEED=0 \
      timeout 900 prove -b -v t/0[1-9]*.t t/[1-3][0-9]*.t | awk '/^t\/.*\.t \.+/ { file = $1 } /^(not )?ok [0-9]/ { sub(/ok /, "ok " file " "); print }'`,
    outcome: /^(?<outcome>ok|not ok) (?<name>t\/\S+ \d+.*)$/,
    databases: ['suite', 'postgres'],
    different: { 't/08async.t': why.cancelled },
    ends: { 't/02attribs.t': why.strings, 't/12placeholders.t': why.strings },
  },
  php: {
    source: 'php8.2',
    needs: { '/usr/lib/php/20220829/pdo_pgsql.so': 'php8.2-pgsql', php: 'php8.2-cli' },
    build: 'true',
    run: `export PGSQL_TEST_CONNSTR="host=$PGHOST port=$PGPORT dbname=suite user=$PGUSER password=$PGPASSWORD"
      export PDO_PGSQL_TEST_DSN="pgsql:$PGSQL_TEST_CONNSTR" NO_INTERACTION=1 SKIP_ASAN=1
      timeout 900 php run-tests.php -q --no-color --no-progress -p "$(which php)" ext/pgsql/tests ext/pdo_pgsql/tests`,
    outcome: /^(?<outcome>PASS|FAIL|SKIP) .*?\[(?<name>ext\S+)\]/,
    databases: ['suite', 'postgres'],
    different: {
      'bug62479.phpt': why.who,
      'bug69362.phpt': why.who,
      'bug_36798.phpt': why.encoding,
    },
  },
  libpqxx: {
    source: 'libpqxx',
    needs: { 'g++': 'g++', '/usr/include/postgresql/libpq-fe.h': 'libpq-dev' },
    build: `./configure --disable-documentation --disable-shared CXXFLAGS='-O0 -std=c++20' && make && make -C test runner`,
    run: `cd test && timeout 900 ./runner 2>&1 | awk '/^Running: / { if (t) print r ": " t; t = substr($0, 10); r = "ok" }
      /^FAILED: / { r = "FAILED" } /^Not testing / { r = "skipped" } /^Ran / { print r ": " t }'`,
    outcome: /^(?<outcome>ok|FAILED|skipped): (?<name>.*)$/,
    databases: ['suite'],
    different: {
      test_007: why.encoding,
      test_stream_from_parses_awkward_strings: why.encoding,
      test_stream_parses_awkward_strings: why.encoding,
    },
  },
  activerecord: {
    source: 'rails',
    needs: {
      ruby: 'ruby',
      '/usr/share/doc/ruby-pg': 'ruby-pg',
      '/usr/share/doc/ruby-i18n': 'ruby-i18n',
      '/usr/share/doc/ruby-tzinfo': 'ruby-tzinfo',
      '/usr/share/doc/ruby-concurrent': 'ruby-concurrent',
      '/usr/share/doc/ruby-connection-pool': 'ruby-connection-pool',
      '/usr/share/doc/ruby-zeitwerk': 'ruby-zeitwerk',
      '/usr/share/doc/ruby-minitest': 'ruby-minitest',
      '/usr/share/doc/ruby-bcrypt': 'ruby-bcrypt',
      '/usr/share/doc/ruby-rack': 'ruby-rack',
    },
    build: 'true',
    // Those of its tests that are about PostgreSQL, and what is at the heart of the rest: all of them in one process leave no connection for themselves.
    run: `for d in activerecord_unittest activerecord_unittest2; do psql -qc "CREATE DATABASE $d TEMPLATE template0"; done
      cd activerecord && export ARCONN=postgresql RUBYOPT=-W0 && timeout 3000 ruby -I lib:test:../activesupport/lib:../activemodel/lib -e '
        names = %w[adapter base calculations connection_pool core defaults dirty enum finder fixtures insert_all integration locking migration
          multi_db_migrator persistence prepared_statement_status primary_keys query_cache relations schema_dumper statement_cache
          statement_invalid transactions unsafe_raw_sql view].map { |name| "test/cases/#{name}_test.rb" }
        (names + Dir["test/cases/{migration,adapters/postgresql}/**/*_test.rb"]).select { |f| File.exist?(f) }.sort.each { |f| require File.expand_path(f) }' -- --verbose --seed 1`,
    outcome: /^(?<name>\S+#.+) = [\d.]+ s = (?<outcome>[.FES])$/,
    databases: ['suite', 'postgres', 'activerecord_unittest', 'activerecord_unittest2'],
    different: { test_via_to_sql_with_complicating_connection: why.strings },
  },
  'tokio-postgres': {
    needs: {
      cargo: 'cargo',
      '/usr/share/doc/librust-tokio-postgres-dev': 'librust-tokio-postgres-dev',
    },
    // With the crates that Debian has, and told where the server is: it expects its own at a port of its own.
    build: String.raw`cp -rL /usr/share/cargo/registry/tokio-postgres-*/. . && rm -r benches .cargo-checksum.json && mkdir -p .cargo
      printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "/usr/share/cargo/registry"\n' >.cargo/config.toml
      awk -v RS= -v ORS='\n\n' '!/^\[\[bench|^\[dev-dependencies\.(bit-vec|criterion|env_logger|eui48|geo-types|time)/' Cargo.toml >without && mv without Cargo.toml
      sed -i 's/TcpStream::connect("127.0.0.1:5433")/TcpStream::connect(format!("127.0.0.1:{}", std::env::var("PGPORT").unwrap()))/
        s/let config = s.parse::<Config>().unwrap();/let mut config = s.parse::<Config>().unwrap(); if config.get_password().is_none() { config.password(std::env::var("PGPASSWORD").unwrap()); }/' tests/test/main.rs
      sed -i 's/tokio_postgres::connect(s, NoTls)/tokio_postgres::connect(\&format!("{} password={}", s.replace("5433", \&std::env::var("PGPORT").unwrap()), std::env::var("PGPASSWORD").unwrap()), NoTls)/' tests/test/runtime.rs
      cargo test --offline --features ${crates} --test test --no-run`,
    run: `psql -qd postgres -c 'CREATE EXTENSION hstore'; cargo test --offline --features ${crates} --test test`,
    outcome: /^test (?<name>\S+) \.\.\. (?<outcome>ok|FAILED|ignored)/,
    databases: ['suite', 'postgres'],
    different: { _password_missing: why.who, _password_wrong: why.who },
  },
  // Functions that look at the catalogue, hundreds of which a transaction makes, uses and rolls back.
  pgtap: {
    source: 'pgtap',
    needs: { make: 'make', '/usr/lib/postgresql/15/bin/pg_config': 'postgresql-server-dev-15' },
    build: 'make sql/pgtap.sql PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config',
    run: String.raw`psql -qXf sql/pgtap.sql >/dev/null; for f in test/sql/*.sql; do
        timeout 300 psql -Xf $f 2>/dev/null | sed -nE "s|^((not )?ok) |\1 $(basename $f) |p"; done`,
    outcome: /^(?<outcome>ok|not ok) (?<name>.*)$/,
    databases: ['suite'],
    different: {},
  },
}
