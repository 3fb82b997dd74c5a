"""A session with psycopg 3, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line of JSON for each thing that it saw.

psycopg_session.py everything | denied | held
"""

import json
import sys
import threading

import psycopg


def see(*what):
    print(json.dumps(what, default=str), flush=True)


def fails(work):
    try:
        work()
    except psycopg.Error as error:
        diag = error.diag
        see(diag.sqlstate, diag.severity, diag.message_primary, diag.message_detail, diag.message_hint)
    else:
        raise SystemExit("it did not fail")


def everything(connection):
    run = connection.execute
    see(run("SELECT id, name FROM customers WHERE id < %s ORDER BY id", (4,)).fetchall())
    see(run("SELECT %b::int8, %t::text, %s::int[]", (1, "two", [3, 4])).fetchall())
    see(connection.cursor(binary=True).execute("SELECT 7::int8, 'x'::text, '2020-02-02'::date").fetchall())
    # The sixth time it is prepared.
    for id in range(8):
        see(run("SELECT name FROM customers WHERE id = %s", (id,), prepare=None).fetchall())

    try:
        with connection.transaction():
            run("INSERT INTO customers VALUES (930, 'p', NULL)")
            try:
                with connection.transaction():
                    run("DELETE FROM customers")
                    raise psycopg.Rollback
            except psycopg.Rollback:
                pass
            see(run("SELECT count(*) FROM customers").fetchall())
            raise ZeroDivisionError
    except ZeroDivisionError:
        connection.rollback()
    fails(lambda: run("SELECT 1/0"))
    connection.rollback()

    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO customers VALUES (%s, %s) RETURNING id", [(931, "a"), (932, "b")], returning=True
        )
        see(cursor.fetchall(), cursor.nextset(), cursor.fetchall())
    connection.rollback()

    with connection.cursor("named") as named:
        named.itersize = 7
        see([name for (name,) in named.execute("SELECT name FROM customers ORDER BY id")])
    connection.commit()

    with connection.pipeline() as pipeline:
        cursors = [run("SELECT %s::int", (i,)) for i in range(50)]
        pipeline.sync()
        see([cursor.fetchone() for cursor in cursors])

    def pipelined():
        with connection.pipeline():
            run("INSERT INTO customers VALUES (933, 'p', NULL)")
            run("SELECT 1/0")
            run("INSERT INTO customers VALUES (934, 'p', NULL)")

    connection.rollback()
    fails(pipelined)
    connection.rollback()
    see(run("SELECT count(*) FROM customers").fetchall())

    see(sum(i for (i,) in connection.cursor().stream("SELECT i FROM generate_series(1, 1000) i")))

    run("CREATE TEMPORARY TABLE copied (id int, word text)")
    cursor = connection.cursor()
    with cursor.copy("COPY copied FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "text"])
        for i in range(2000):
            copy.write_row((i, f"word {i}"))
    with cursor.copy("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT") as copy:
        see(sum(1 for _ in copy.rows()))

    def broken():
        with cursor.copy("COPY copied FROM STDIN") as copy:
            copy.write("one\tword\n")

    fails(broken)
    connection.rollback()

    stop = threading.Event()

    def cancel():
        while not stop.wait(0.2):
            connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    fails(lambda: run("SELECT pg_sleep(60)"))
    stop.set()
    thread.join()
    connection.rollback()
    see(run("SELECT 1").fetchall())


def denied(connection):
    fails(lambda: connection.execute("SELECT * FROM vault WHERE secret = %s", ("x",)))
    connection.rollback()

    def pipelined():
        with connection.pipeline():
            connection.execute("INSERT INTO customers VALUES (935, 'p', NULL)")
            connection.execute("SELECT * FROM vault")

    fails(pipelined)
    connection.rollback()
    see(connection.execute("SELECT count(*) FROM customers WHERE id = 935").fetchall())


def held(connection):
    cursor = connection.execute("DELETE FROM customers WHERE id = %s", (50,))
    connection.commit()
    see(cursor.statusmessage)


connection = psycopg.connect("")
{"everything": everything, "denied": denied, "held": held}[sys.argv[1]](connection)
connection.close()
