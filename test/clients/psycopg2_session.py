"""A session with psycopg2, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line of JSON for each thing that it saw.

psycopg2_session.py everything | denied | held
"""

import io
import json
import sys
import threading
import time

import psycopg2
import psycopg2.extras


def see(*what):
    print(json.dumps(what, default=str), flush=True)


def fails(work):
    try:
        work()
    except psycopg2.Error as error:
        diag = error.diag
        see(error.pgcode, diag.severity, diag.message_primary, diag.message_detail, diag.message_hint)
    else:
        raise SystemExit("it did not fail")


def everything(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT id, name FROM customers WHERE id < %s ORDER BY id", (4,))
    see(cursor.fetchall(), [column.name for column in cursor.description])
    cursor.execute("SELECT shout(%s), %s::jsonb, %s", ("hey", psycopg2.extras.Json({"a": None}), [1, 2]))
    see(cursor.fetchall(), connection.notices)

    cursor.execute("INSERT INTO customers VALUES (920, 'p', NULL) RETURNING id")
    see(cursor.fetchall(), cursor.statusmessage)
    cursor.execute("SAVEPOINT s")
    fails(lambda: cursor.execute("INSERT INTO customers VALUES (920, 'p', NULL)"))
    cursor.execute("ROLLBACK TO s")
    connection.rollback()
    psycopg2.extras.execute_values(cursor, "INSERT INTO customers VALUES %s", [(921, "a", None), (922, "b", None)])
    see(cursor.rowcount, connection.get_transaction_status())
    connection.rollback()
    fails(lambda: cursor.execute("SELECT 1/0"))
    fails(lambda: cursor.execute("SELECT 1"))
    connection.rollback()

    with connection.cursor("named") as named:
        named.itersize = 7
        named.execute("SELECT name FROM customers ORDER BY id")
        see([name for (name,) in named])
    connection.commit()

    cursor.execute("CREATE TEMPORARY TABLE copied (id int, word text)")
    cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("".join(f"{i}\tword {i}\n" for i in range(5000))))
    out = io.StringIO()
    cursor.copy_expert("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT CSV", out)
    see(len(out.getvalue()), out.getvalue()[-20:])
    fails(lambda: cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("one\tword\n")))
    connection.rollback()

    cursor.execute("LISTEN news; NOTIFY news, 'extra'")
    connection.commit()
    connection.poll()
    see([(note.channel, note.payload) for note in connection.notifies])

    stop = threading.Event()

    def cancel():
        # Until it is heard: what is not running yet cannot be cancelled.
        while not stop.wait(0.2):
            connection.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    fails(lambda: cursor.execute("SELECT pg_sleep(60)"))
    stop.set()
    thread.join()
    time.sleep(0.2)
    connection.rollback()
    cursor.execute("SELECT 1")
    see(cursor.fetchall())


def denied(connection):
    cursor = connection.cursor()
    fails(lambda: cursor.execute("SELECT * FROM vault"))
    connection.rollback()
    cursor.execute("SELECT 1")
    see(cursor.fetchall())


def held(connection):
    cursor = connection.cursor()
    cursor.execute("DELETE FROM customers WHERE id = %s", (50,))
    connection.commit()
    see(cursor.statusmessage)


connection = psycopg2.connect("")
{"everything": everything, "denied": denied, "held": held}[sys.argv[1]](connection)
connection.close()
