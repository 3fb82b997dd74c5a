/** A suite that others have written for their driver, and how it is built and run on this machine. */
export interface Suite {
  /** Debian's source package. */
  readonly source: string
  /** Programs and files that it needs, and the Debian packages that have them. */
  readonly needs: Readonly<Record<string, string>>
  /** Shell, in the folder of the source: run once. */
  readonly build: string
  /** Shell, in the folder of the source, with libpq's variables. Prints what `outcome` finds. */
  readonly run: string
  /** Of each test: its name, and how it came out. */
  readonly outcome: RegExp
  /** The first is there, and empty. The others it makes, or finds in every server. */
  readonly databases: readonly string[]
  readonly settings?: readonly string[]
  /** Tests that come out differently on purpose (docs/postgres.md, "What is different from a direct connection"), and why. */
  readonly different: Readonly<Record<string, string>>
}

const python = '/usr/bin/python3'
const pytest = { '/usr/lib/python3/dist-packages/pytest': 'python3-pytest' }
const pythonDev = {
  '/usr/include/python3.11/Python.h': 'python3-dev',
  '/usr/include/postgresql/libpq-fe.h': 'libpq-dev',
}

const who = 'who acts is who the token says, whatever the user name is'
const encoding = 'client_encoding is UTF8'
const strings = 'standard_conforming_strings is on'
const sizes = 'a message has 16 MiB at most'
const slow = 'thousands of statements in seconds: each waits until it is on record'

/** In Go's way before modules, which is Debian's: packages have their place in GOPATH, and so have those that they need. */
const inGo = (path: string, packages: string) => ({
  build: `mkdir -p ../go/src/$(dirname ${path}) && cp -rT . ../go/src/${path}
    for d in /usr/share/gocode/src/*; do [ ! -e "$d" ] || cp -rsn "$d" ../go/src/; done`,
  run: `export GO111MODULE=off GOPATH="$(cd ../go && pwd)"; cd ../go/src/${path} && for p in ${packages}; do
      (cd $p && go test -v -timeout 30m . 2>&1 | sed "s|^\\( *--- [A-Z]*: \\)|\\1$p/|"); done`,
  outcome: /^ *--- (?<outcome>PASS|FAIL|SKIP): (?<name>.*) \(/,
})

export const suites: Readonly<Record<string, Suite>> = {
  regress: {
    source: 'postgresql-15',
    needs: {
      '/usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress': 'postgresql-15',
      '/usr/include/postgresql/15/server/postgres.h': 'postgresql-server-dev-15',
    },
    build: `cd src/test/regress && gcc -O1 -fPIC -shared -I/usr/include/postgresql/15/server -o regress.so regress.c
      mkdir -p results && chmod a+rwX . results`,
    // What counts is what psql printed, and not whether it is what the suite expects of a server without locales.
    run: `cd src/test/regress && rm -f results/*.out && PGUSER= PGDATABASE= timeout 3600 /usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress \
        --use-existing --dlpath="$PWD" --bindir=/usr/lib/postgresql/15/bin --max-connections=4 --schedule=parallel_schedule \
        --host=$PGHOST --port=$PGPORT --user=postgres --dbname=suite >&2
      for f in results/*.out; do echo "file $f: $(cksum <$f)"; done`,
    outcome: /^file results\/(?<name>\S+): (?<outcome>.*)$/,
    databases: ['suite', 'postgres'],
    settings: ['max_prepared_transactions=20'],
    different: {
      'strings.out': strings,
      'plpgsql.out': strings,
      'temp.out': 'the question about the session makes its temporary schema',
    },
  },
  'node-postgres': {
    source: 'node-postgres',
    needs: { npm: 'npm' },
    build: `npm init -y >/dev/null 2>&1 || true
      npm install --no-save --ignore-scripts --no-audit --no-fund --workspaces=false async@2.6.4 bluebird@3.7.2 co@4.6.0 expect.js@0.3.1 \\
        lodash mocha@10 pg-copy-streams@0.3.0 pg-protocol@1.10.3 pg-types@2.2.0 pgpass@1.0.5
      for p in pg pg-pool pg-cursor pg-connection-string; do ln -sfn "$PWD/packages/$p" node_modules/$p; done`,
    run: `cd packages/pg && node script/create-test-tables.js
      for f in $(find test/integration -name '*-tests.js' | sort); do
        TEST_TIMEOUT=30000 timeout 90 node $f >/dev/null 2>&1; echo "test $f: $?"; done
      for p in pg-cursor pg-pool; do (cd ../$p && npx mocha --timeout 30000 -R tap --exit); done`,
    outcome: /^(?:(?<outcome>ok|not ok) \d+ |test )(?<name>.*?)(?:: (?<code>\d+))?$/,
    databases: ['suite', 'postgres'],
    different: {
      'test/integration/client/error-handling-tests.js': who,
      'test/integration/gh-issues/1105-tests.js': slow,
    },
  },
  psycopg2: {
    source: 'psycopg2',
    needs: pythonDev,
    build: `${python} setup.py build`,
    run: `PSYCOPG2_TESTDB=suite PSYCOPG2_TESTDB_USER=postgres PYTHONPATH=$(ls -d build/lib.*) timeout 1800 ${python} -c '
import tests, unittest
unittest.main(module=tests, defaultTest="test_suite", argv=["tests", "-v"])' 2>&1`,
    outcome: /^(?<name>test\S* \(\S*\)).* \.\.\. (?<outcome>ok|FAIL|ERROR|skipped)/,
    databases: ['suite', 'postgres'],
    settings: ['max_prepared_transactions=20'],
    different: {
      test_flush_on_write: sizes,
      test_encoding_name: encoding,
      test_copy_bytes: encoding,
      test_copy_text: encoding,
      test_copy_expert_textiobase: encoding,
      test_notifies_received_on_set_client_encoding: encoding,
      test_bytes: encoding,
      test_unicode: encoding,
      test_koi8: encoding,
      test_latin1: encoding,
    },
  },
  asyncpg: {
    source: 'asyncpg',
    needs: { ...pytest, ...pythonDev },
    build: `${python} setup.py build_ext --inplace`,
    run: `for f in tests/test_*.py; do timeout 300 ${python} -m pytest -v -o addopts= -p no:cacheprovider $f; done`,
    outcome: /^(?<name>tests\/\S+) (?<outcome>PASSED|FAILED|SKIPPED|ERROR)/,
    databases: ['suite', 'postgres', 'asyncpg_intro_test'],
    different: {
      test_introspection_on_large_db: slow,
    },
  },
  pgx: {
    source: 'golang-github-jackc-pgx-v5',
    needs: {
      go: 'golang-go, 1.25 or later',
      '/usr/share/gocode/src/github.com/jackc/puddle/v2': 'golang-github-jackc-puddle-v2-dev',
      '/usr/share/gocode/src/github.com/stretchr/testify': 'golang-github-stretchr-testify-dev',
    },
    ...inGo('github.com/jackc/pgx/v5', '. pgconn pgtype pgproto3 pgxpool stdlib tracelog'),
    get run() {
      const dsn =
        'host=$PGHOST port=$PGPORT user=$PGUSER password=$PGPASSWORD dbname=suite sslmode=disable'
      return `psql -q -f testsetup/postgresql_setup.sql >/dev/null; export PGX_TEST_DATABASE="${dsn}" PGX_TEST_TCP_CONN_STRING="${dsn}"
        ${inGo('github.com/jackc/pgx/v5', '. pgconn pgtype pgproto3 pgxpool stdlib tracelog').run}`
    },
    databases: ['suite', 'postgres'],
    settings: ['wal_level=logical'],
    different: {
      TestConnectInvalidUser: who,
      TestConnectProtocolVersion32: 'the gateway speaks 3.2, whatever the server speaks',
      TestConnSimpleProtocolRefusesNonStandardConformingStrings: strings,
      TestConnSimpleProtocolRefusesNonUTF8ClientEncoding: encoding,
      TestListenNotifyWhileBusyIsSafe: slow,
    },
  },
  'lib-pq': {
    source: 'golang-github-lib-pq',
    needs: { go: 'golang-go' },
    ...inGo('github.com/lib/pq', '.'),
    databases: ['suite', 'postgres'],
    different: { TestErrorDuringStartup: who },
  },
  'DBD-Pg': {
    source: 'libdbd-pg-perl',
    needs: {
      '/usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm': 'libdbi-perl',
      '/usr/include/postgresql/libpq-fe.h': 'libpq-dev',
    },
    build: `POSTGRES_INCLUDE=/usr/include/postgresql POSTGRES_LIB=/usr/lib/x86_64-linux-gnu perl Makefile.PL && make`,
    run: `DBI_DSN="dbi:Pg:dbname=suite;host=$PGHOST;port=$PGPORT" DBI_USER=$PGUSER DBI_PASS=$PGPASSWORD DBDPG_TEST_ALWAYS_ENV=1 DBDPG_TEST_NOHELPFILE=1 \\
      timeout 900 prove -b -v t/0[1-9]*.t t/[1-3][0-9]*.t`,
    outcome: /^(?<outcome>ok|not ok) \d+ - (?<name>.*)$/,
    databases: ['suite', 'postgres'],
    different: {},
  },
}
