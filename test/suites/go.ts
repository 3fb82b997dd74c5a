import { why, type Suite } from './suite.ts'

/** In Go's way before modules, which is Debian's: packages have their place in GOPATH, and so have those that they need. */
const goSuite = (path: string, packages: string, skip = '') => ({
  needs: {
    '/usr/share/gocode/src/github.com/stretchr/testify': 'golang-github-stretchr-testify-dev',
  },
  packages: [
    'golang-1.26-go',
    'golang-1.26-src',
    'golang-github-jackc-pgpassfile-dev',
    'golang-github-jackc-pgservicefile-dev',
    'golang-github-jackc-puddle-v2-dev',
    'golang-golang-x-sync-dev',
    'golang-golang-x-text-dev',
  ],
  build: `mkdir -p ../go/src/$(dirname ${path}) && cp -rT . ../go/src/${path}
    for d in $PACKAGES/usr/share/gocode/src/* /usr/share/gocode/src/*; do cp -rsn "$d" ../go/src/; done`,
  run: `export GO111MODULE=off GOPATH="$(cd ../go && pwd)" GOTOOLCHAIN=local PATH="$PACKAGES/usr/lib/go-1.26/bin:$PATH"; cd ../go/src/${path} && for p in ${packages}; do
      (cd $p && go test -v -timeout 30m ${skip} . 2>&1 | sed "s|^\\( *--- [A-Z]*: \\)|\\1$p/|"); done`,
  outcome: /^ *--- (?<outcome>PASS|FAIL|SKIP): (?<name>.*) \(/,
})

/** Without a test that sends 100,000 statements one after the other, each of which waits until it is on record. */
const pgx = goSuite(
  'github.com/jackc/pgx/v5',
  '. pgconn pgtype pgproto3 pgxpool stdlib tracelog',
  '-skip TestListenNotifyWhileBusyIsSafe',
)
const sqlx = goSuite('github.com/jmoiron/sqlx', '. reflectx types')
const address =
  'host=$PGHOST port=$PGPORT user=$PGUSER password=$PGPASSWORD dbname=suite sslmode=disable'

export const inGo: Readonly<Record<string, Suite>> = {
  pgx: {
    source: 'golang-github-jackc-pgx-v5',
    ...pgx,
    run: `psql -q -f testsetup/postgresql_setup.sql >/dev/null; export PGX_TEST_DATABASE="${address}" PGX_TEST_TCP_CONN_STRING="${address}"
        ${pgx.run}`,
    databases: ['suite', 'postgres'],
    settings: ['wal_level=logical'],
    different: {
      TestConnectInvalidUser: why.who,
      TestConnectProtocolVersion32: 'the gateway speaks 3.2, whatever the server speaks',
      TestConnSimpleProtocolRefusesNonStandardConformingStrings: why.strings,
      TestConnSimpleProtocolRefusesNonUTF8ClientEncoding: why.encoding,
    },
  },
  'lib-pq': {
    source: 'golang-github-lib-pq',
    ...goSuite('github.com/lib/pq', '.'),
    databases: ['suite', 'postgres'],
    different: { TestErrorDuringStartup: why.who },
  },
  sqlx: {
    source: 'golang-github-jmoiron-sqlx',
    ...sqlx,
    packages: [...sqlx.packages, 'golang-github-lib-pq-dev'],
    // Without the drivers of other databases.
    build: `sed -i '/go-sql-driver\\/mysql"$/d; /mattn\\/go-sqlite3"$/d' *_test.go; ${sqlx.build}`,
    run: `export SQLX_MYSQL_DSN=skip SQLX_SQLITE_DSN=skip SQLX_POSTGRES_DSN="${address}"
        ${sqlx.run}`,
    databases: ['suite'],
    different: {},
  },
}
