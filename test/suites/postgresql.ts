import { why, type Suite } from './suite.ts'

const pgxs = '/usr/lib/postgresql/15/lib/pgxs/src/test'
const bin = '/usr/lib/postgresql/15/bin'
const address = '--host=$PGHOST --port=$PGPORT --user=postgres'

const needs = {
  [`${pgxs}/regress/pg_regress`]: 'postgresql-15',
  '/usr/include/postgresql/15/server/postgres.h': 'postgresql-server-dev-15',
}

/** Those of contrib whose tests need nothing but a server: no file of its machine, no start with a library, no replication. */
const contrib = `bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance fuzzystrmatch hstore intarray
  isn lo ltree pageinspect pg_buffercache pg_freespacemap pg_trgm pg_visibility pgcrypto pgrowlocks pgstattuple postgres_fdw seg tablefunc tcn
  tsm_system_rows tsm_system_time unaccent uuid-ossp xml2`

/** What PostgreSQL tests itself with, where that can be done with a server that runs already. */
export const postgresql: Readonly<Record<string, Suite>> = {
  regress: {
    source: 'postgresql-15',
    needs,
    build: `cd src/test/regress && gcc -O1 -fPIC -shared -I/usr/include/postgresql/15/server -o regress.so regress.c
      mkdir -p results && chmod a+rwX . results`,
    // What counts is what psql printed, and not whether it is what the suite expects of a server without locales.
    run: `cd src/test/regress && rm -f results/*.out && PGUSER= PGDATABASE= timeout 3600 ${pgxs}/regress/pg_regress \\
        --use-existing --dlpath="$PWD" --bindir=${bin} --max-connections=4 --schedule=parallel_schedule ${address} --dbname=suite >&2
      for f in results/*.out; do echo "file $f: $(cksum <$f)"; done`,
    outcome: /^file results\/(?<name>\S+): (?<outcome>.*)$/,
    databases: ['suite', 'postgres'],
    settings: ['max_prepared_transactions=20'],
    different: {
      'strings.out': why.strings,
      'plpgsql.out': why.strings,
      'temp.out': 'the question about the session makes its temporary schema',
    },
  },
  isolation: {
    source: 'postgresql-15',
    needs,
    build: 'true',
    run: `cd src/test/isolation && PGUSER= PGDATABASE= timeout 1800 ${pgxs}/isolation/pg_isolation_regress --use-existing --inputdir=. \\
        --outputdir=output_iso --bindir=${bin} --schedule=isolation_schedule ${address} --dbname=suite`,
    outcome: /^(?:test)? +(?<name>\S+) +\.\.\. (?<outcome>ok|FAILED)/,
    databases: ['suite', 'postgres'],
    settings: ['max_prepared_transactions=20'],
    different: {},
  },
  // Its traces have every message that libpq sent and got. How many there are of one depends on how fast it is.
  libpq_pipeline: {
    source: 'postgresql-15',
    needs: { ...needs, '/usr/include/postgresql/libpq-fe.h': 'libpq-dev' },
    build: `cd src/test/modules/libpq_pipeline && gcc -O1 -I/usr/include/postgresql/15/server -I/usr/include/postgresql -I/usr/include/postgresql/internal \\
        -o libpq_pipeline libpq_pipeline.c -lpq -L/usr/lib/postgresql/15/lib -lpgcommon -lpgport`,
    run: `cd src/test/modules/libpq_pipeline && for t in $(./libpq_pipeline tests); do
        timeout 300 ./libpq_pipeline -r 700 -t trace $t "dbname=suite" >/dev/null 2>&1; code=$?
        [ $t = uniqviol ] && : >trace; echo "$t: $code $(cksum <trace)"; done`,
    outcome: /^(?<name>\w+): (?<outcome>.*)$/,
    databases: ['suite'],
    different: {},
  },
  contrib: {
    source: 'postgresql-15',
    needs,
    build: 'true',
    run: `for c in plpgsql ${contrib}; do
        if [ $c = plpgsql ]; then cd src/pl/plpgsql/src; else cd contrib/$c; fi
        tests=$(sed -e ':a;/\\\\$/N;s/\\\\\\n//;ta' Makefile | sed -n 's/^REGRESS = //p' | head -1)
        psql -qc 'DROP DATABASE IF EXISTS contrib WITH (FORCE)' -c 'CREATE DATABASE contrib TEMPLATE template0'
        PGUSER= PGDATABASE= timeout 600 ${pgxs}/regress/pg_regress --use-existing --inputdir=. --outputdir=output --bindir=${bin} ${address} --dbname=contrib $tests >&2
        for f in output/results/*.out; do echo "file $c/\${f##*/}: $(cksum <$f)"; done; cd - >/dev/null; done`,
    outcome: /^file (?<name>\S+): (?<outcome>.*)$/,
    databases: ['suite', 'contrib', 'postgres'],
    different: {},
  },
  // C programs with SQL in them. What they print on their own is compared; what ecpg logs has ports and addresses in it.
  ecpg: {
    source: 'postgresql-15',
    needs: { ecpg: 'libecpg-dev' },
    build: `cd src/interfaces/ecpg/test && for f in $(sed -n 's/^test: //p' ecpg_schedule) sql/twophase; do
        case $f in
          *informix/rnull) o='-C INFORMIX -r no_indicator' ;; *informix/*) o='-C INFORMIX' ;; *oracle/*) o='-C ORACLE' ;;
          */array_of_struct | */pointer_to_struct) o=-c ;; */autoprep) o='-r prepare' ;; preproc/strings) o=-i ;;
          sql/define) o='-DCMDLINESYM=123' ;; sql/oldexec) o='-r questionmarks' ;; *) o= ;;
        esac
        cd \${f%/*}; p=\${f#*/}
        ecpg --regression -I../../include -I. $o -o $p.c $([ $p = define ] && echo define_prelim.pgc) $p.pgc &&
          gcc -w -O1 -I../../include -I../../../libpq -I/usr/include/postgresql -I. -o $p $p.c -lecpg -lecpg_compat -lpgtypes -lpq -lpthread || exit 1; cd ..; done`,
    run: `for d in 1 2; do psql -qc "CREATE DATABASE ecpg\${d}_regression TEMPLATE template0" -c "CREATE ROLE regress_ecpg_user$d LOGIN SUPERUSER"; done
      unset PGDATABASE; cd src/interfaces/ecpg/test && for f in $(sed -n 's/^test: //p' ecpg_schedule) sql/twophase; do
        (cd \${f%/*} && timeout 120 ./\${f#*/} 2>log >out; echo "$f: $? $(cksum <out) $(grep -c . log)"); done`,
    outcome: /^(?<name>\S+): (?<outcome>.*)$/,
    databases: ['suite', 'postgres', 'ecpg1_regression', 'ecpg2_regression'],
    settings: ['max_prepared_transactions=20'],
    different: {},
  },
}
