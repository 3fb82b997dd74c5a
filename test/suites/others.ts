import { why, type Suite } from './suite.ts'

/** In Go's way before modules, which is Debian's: packages have their place in GOPATH, and so have those that they need. */
const inGo = (path: string, packages: string) => ({
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
      (cd $p && go test -v -timeout 30m . 2>&1 | sed "s|^\\( *--- [A-Z]*: \\)|\\1$p/|"); done`,
  outcome: /^ *--- (?<outcome>PASS|FAIL|SKIP): (?<name>.*) \(/,
})

const pgx = inGo('github.com/jackc/pgx/v5', '. pgconn pgtype pgproto3 pgxpool stdlib tracelog')
const pgxAddress =
  'host=$PGHOST port=$PGPORT user=$PGUSER password=$PGPASSWORD dbname=suite sslmode=disable'

export const others: Readonly<Record<string, Suite>> = {
  'node-postgres': {
    source: 'node-postgres',
    needs: { npm: 'npm' },
    // Its own manifest would take pg-protocol for a workspace, which is not compiled, and install what it is developed with.
    build: `rm -rf node_modules && echo '{}' >package.json
      npm install --no-save --ignore-scripts --no-audit --no-fund async@2.6.4 bluebird@3.7.2 co@4.6.0 expect.js@0.3.1 \\
        lodash mocha@10 pg-copy-streams@0.3.0 pg-protocol@1.10.3 pg-types@2.2.0 pgpass@1.0.5
      for p in pg pg-pool pg-cursor pg-connection-string; do ln -sfn "$PWD/packages/$p" node_modules/$p; done`,
    run: `cd packages/pg && node script/create-test-tables.js
      for f in $(find test/integration -name '*-tests.js' | sort); do
        TEST_TIMEOUT=30000 timeout 90 node $f >/dev/null 2>&1; echo "test $f: $?"; done
      for p in pg-cursor pg-pool; do (cd ../$p && npx mocha --timeout 30000 -R tap --exit); done`,
    outcome: /^(?:(?<outcome>ok|not ok) \d+ |test )(?<name>.*?)(?:: (?<code>\d+))?$/,
    databases: ['suite', 'postgres', 'template1'],
    different: {
      'test/integration/client/error-handling-tests.js': why.who,
      'test/integration/gh-issues/1105-tests.js': why.slow,
    },
  },
  pgx: {
    source: 'golang-github-jackc-pgx-v5',
    ...pgx,
    run: `psql -q -f testsetup/postgresql_setup.sql >/dev/null; export PGX_TEST_DATABASE="${pgxAddress}" PGX_TEST_TCP_CONN_STRING="${pgxAddress}"
        ${pgx.run}`,
    databases: ['suite', 'postgres'],
    settings: ['wal_level=logical'],
    different: {
      TestConnectInvalidUser: why.who,
      TestConnectProtocolVersion32: 'the gateway speaks 3.2, whatever the server speaks',
      TestConnSimpleProtocolRefusesNonStandardConformingStrings: why.strings,
      TestConnSimpleProtocolRefusesNonUTF8ClientEncoding: why.encoding,
      TestListenNotifyWhileBusyIsSafe: why.slow,
    },
  },
  'lib-pq': {
    source: 'golang-github-lib-pq',
    ...inGo('github.com/lib/pq', '.'),
    databases: ['suite', 'postgres'],
    different: { TestErrorDuringStartup: why.who },
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
    run: `cd test && timeout 900 ./runner 2>&1; echo "runner: $?"`,
    outcome: /^(?<name>.*?): (?<outcome>.*)$/,
    databases: ['suite'],
    different: {},
  },
}
