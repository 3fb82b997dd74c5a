import { why, type Suite } from './suite.ts'

const python = '/usr/bin/python3'
const packages = '/usr/lib/python3/dist-packages'
const pytest = { [`${packages}/pytest`]: 'python3-pytest' }
const development = {
  '/usr/include/python3.11/Python.h': 'python3-dev',
  '/usr/include/postgresql/libpq-fe.h': 'libpq-dev',
}
const pytestOutcome = /^(?<name>\S*test\/?\S+::.+?) (?<outcome>PASSED|FAILED|SKIPPED|XFAIL|ERROR)/
const unittestOutcome = /^(?<name>test\S* \(\S*\)).*? ?\.\.\. (?<outcome>ok|FAIL|ERROR|skipped)/
/** What a test says of itself comes in a line of its own, before how it came out. */
const joined = String.raw`| sed -zE 's/(test\S* \(\S*\))\n([^\n]* \.\.\. )/\1 \2/g'`

/** SQLAlchemy's tests of its dialect, and those that every dialect has to pass, with one of the drivers. Of six times 1,228 tests of ranges, those of one type. */
const sqlalchemy = (driver: string, module: string, more: readonly string[] = []): Suite => ({
  source: 'sqlalchemy',
  needs: {
    ...pytest,
    [`${packages}/${module}`]: `python3-${module}`,
    [`${packages}/greenlet`]: 'python3-greenlet',
  },
  packages: ['python3-typing-extensions', ...more],
  build: 'true',
  run: `psql -qc 'CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2'
    export PYTHONPATH="$PACKAGES/${packages}:$PWD/lib"; timeout 1800 ${python} -m pytest -p no:cacheprovider -p no:logging -p no:xdist -p no:asyncio -v --tb=no -c setup.cfg \\
      --dburi "postgresql+${driver}://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/suite" test/dialect/postgresql test/dialect/test_suite.py \\
      test/engine/test_transaction.py test/engine/test_execute.py test/engine/test_reflection.py test/sql/test_query.py test/sql/test_insert_exec.py \\
      -k 'not RangeRoundTripTest or Int4Range'`,
  outcome: pytestOutcome,
  databases: ['suite', 'postgres'],
  settings: ['max_prepared_transactions=20'],
  different: {
    test_multiple_host_real_connect:
      'it puts hosts and ports where there are letters, and so into a token',
    'test_backslash_escapes_detection[False-True]': why.strings,
    test_client_encoding: why.encoding,
  },
})

/** Django's tests that are about the database. */
const django = (path: string, more: readonly string[] = []): Suite => ({
  source: 'python-django',
  needs: {
    [`${packages}/psycopg2`]: 'python3-psycopg2',
    [`${packages}/asgiref`]: 'python3-asgiref',
    [`${packages}/sqlparse`]: 'python3-sqlparse',
  },
  // A psycopg 3 is taken first, where there is one.
  packages: more,
  build: `mkdir -p without/psycopg && echo 'raise ImportError' >without/psycopg/__init__.py
      cat >tests/suite_settings.py <<'EOF'
from test_sqlite import *
postgres = {"ENGINE": "django.db.backends.postgresql"}
DATABASES = {"default": {**postgres, "NAME": "suite"}, "other": {**postgres, "NAME": "other"}}
EOF`,
  run: `cd tests && PYTHONPATH="${path}" timeout 3000 ${python} runtests.py --settings suite_settings --noinput --parallel 1 -v 2 \\
      backends postgres_tests transactions transaction_hooks introspection inspectdb schema migrations queries select_for_update indexes constraints bulk_create 2>&1 ${joined}`,
  outcome: unittestOutcome,
  databases: ['suite', 'postgres', 'other', 'test_suite', 'test_other'],
  different: { test_unaccent_with_conforming_strings_off: why.strings },
})

export const inPython: Readonly<Record<string, Suite>> = {
  psycopg2: {
    source: 'psycopg2',
    needs: development,
    build: `${python} setup.py build`,
    run: `PSYCOPG2_TESTDB=suite PSYCOPG2_TESTDB_USER=postgres PYTHONPATH=$(ls -d build/lib.*) timeout 1800 ${python} -c '
import tests, unittest
unittest.main(module=tests, defaultTest="test_suite", argv=["tests", "-v"])' 2>&1 ${joined}`,
    outcome: unittestOutcome,
    databases: ['suite', 'postgres'],
    settings: ['max_prepared_transactions=20'],
    different: {
      test_flush_on_write: why.sizes,
      test_copy_from_insane_size: why.sizes,
      test_scs: why.strings,
      test_encoding_name: why.encoding,
      test_copy_bytes: why.encoding,
      test_copy_text: why.encoding,
      test_copy_expert_textiobase: why.encoding,
      test_notifies_received_on_set_client_encoding: why.encoding,
      test_bytes: why.encoding,
      test_unicode: why.encoding,
      test_koi8: why.encoding,
      test_latin1: why.encoding,
    },
  },
  asyncpg: {
    source: 'asyncpg',
    needs: { ...pytest, ...development },
    build: `${python} setup.py build_ext --inplace`,
    run: `for f in tests/test_*.py; do timeout 300 ${python} -m pytest -v -o addopts= -p no:cacheprovider $f; done`,
    outcome: /^(?<name>tests\/\S+) (?<outcome>PASSED|FAILED|SKIPPED|ERROR)/,
    databases: ['suite', 'postgres', 'asyncpg_intro_test'],
    different: { test_executemany_server_failure_during_writes: why.ahead },
  },
  pg8000: {
    source: 'pg8000',
    needs: { ...pytest, [`${packages}/dateutil`]: 'python3-dateutil' },
    packages: ['python3-scramp', 'python3-asn1crypto'],
    build: 'mkdir -p src/pg8000.egg-info && cp PKG-INFO src/pg8000.egg-info/',
    run: `psql -qc 'CREATE EXTENSION IF NOT EXISTS hstore'; PYTHONPATH="$PACKAGES/${packages}:$PWD/src" timeout 900 ${python} -m pytest -p no:cacheprovider -v --tb=no --ignore test/test_readme.py test`,
    outcome: pytestOutcome,
    databases: ['suite', 'postgres', 'pg8000_scram_sha_256'],
    settings: ['max_prepared_transactions=20'],
    different: {
      test_broken_pipe_read: 'another session ends its connection: directly, it fails',
    },
  },
  pygresql: {
    source: 'pygresql',
    needs: development,
    build: `${python} setup.py build`,
    run: `cp -r tests build/lib.*/ && cd build/lib.* && timeout 900 ${python} -m unittest discover -v 2>&1 ${joined}`,
    outcome: unittestOutcome,
    databases: ['suite', 'postgres'],
    different: {},
  },
  peewee: {
    source: 'peewee',
    needs: { [`${packages}/psycopg2`]: 'python3-psycopg2' },
    build: 'true',
    run: `psql -qc 'CREATE DATABASE peewee_test'; PEEWEE_TEST_BACKEND=postgres USER=postgres timeout 900 ${python} runtests.py -v 2 2>&1 ${joined}`,
    outcome: unittestOutcome,
    databases: ['suite', 'postgres', 'peewee_test'],
    different: {},
  },
  'sqlalchemy-psycopg2': sqlalchemy('psycopg2', 'psycopg2'),
  'sqlalchemy-psycopg': sqlalchemy('psycopg', 'psycopg', ['python3-psycopg']),
  'sqlalchemy-asyncpg': sqlalchemy('asyncpg', 'asyncpg'),
  'django-psycopg2': django('../without:..'),
  'django-psycopg': django(`$PACKAGES${packages}:..`, [
    'python3-psycopg',
    'python3-typing-extensions',
  ]),
  pyodbc: {
    source: 'pyodbc',
    needs: {
      ...pytest,
      '/usr/include/sql.h': 'unixodbc-dev',
      '/usr/share/doc/odbc-postgresql': 'odbc-postgresql',
    },
    build: `${python} setup.py build`,
    run: `export PYODBC_POSTGRESQL="Driver={PostgreSQL Unicode};Server=$PGHOST;Port=$PGPORT;Database=suite;UID=$PGUSER;PWD=$PGPASSWORD"
      PYTHONPATH=$(ls -d build/lib.*) timeout 600 ${python} -m pytest -p no:cacheprovider -v --tb=no tests/postgresql_test.py`,
    outcome: pytestOutcome,
    databases: ['suite', 'postgres'],
    different: {},
  },
}
