"""A session with asyncpg, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line of JSON for each thing that it saw.

asyncpg_session.py everything | denied | held
"""

import asyncio
import io
import json
import sys

import asyncpg


def see(*what):
    print(json.dumps(what, default=str), flush=True)


async def fails(work):
    try:
        await work
    except asyncpg.PostgresError as error:
        see(error.sqlstate, error.severity, error.message, error.detail, error.hint)
    else:
        raise SystemExit("it did not fail")


def rows(records):
    return [list(record) for record in records]


async def everything(connection):
    see(rows(await connection.fetch("SELECT id, name FROM customers WHERE id < $1 ORDER BY id", 4)))
    see(await connection.fetchval("SELECT shout($1)", "hey"), connection.get_settings().TimeZone)
    # It asks the catalogue about types that it does not know.
    see(await connection.fetchval("SELECT ARRAY['sad', 'happy']::mood[]"))
    prepared = await connection.prepare("SELECT name FROM customers WHERE id = $1")
    see([await prepared.fetchval(id) for id in range(4)], [str(a.type.name) for a in prepared.get_attributes()])
    see(await connection.execute("SELECT 1; SELECT 2"))

    transaction = connection.transaction(isolation="serializable")
    await transaction.start()
    await connection.executemany("INSERT INTO customers VALUES ($1, $2)", [(940, "a"), (941, "b")])
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM customers")
            raise ZeroDivisionError
    except ZeroDivisionError:
        see(await connection.fetchval("SELECT count(*) FROM customers"))
    await fails(connection.execute("INSERT INTO customers VALUES (940, 'a')"))
    await fails(connection.fetch("SELECT 1"))
    await transaction.rollback()
    see(await connection.fetchval("SELECT count(*) FROM customers"))

    # Many at once, in one implicit transaction, of which one fails.
    await fails(connection.executemany("INSERT INTO customers VALUES ($1, $2)", [(942, "a"), (1, "b")]))
    see(await connection.fetchval("SELECT count(*) FROM customers"))

    async with connection.transaction():
        see([record[0] async for record in connection.cursor("SELECT i FROM generate_series(1, 120) i", prefetch=50)])
        cursor = await connection.cursor("SELECT i FROM generate_series(1, 120) i")
        see(rows(await cursor.fetch(3)), await cursor.forward(10), rows(await cursor.fetch(2)))

    await connection.execute("CREATE TEMPORARY TABLE copied (id int, word text)")
    see(await connection.copy_records_to_table("copied", records=[(i, f"word {i}") for i in range(2000)]))
    out = io.BytesIO()
    see(await connection.copy_from_query("SELECT * FROM copied ORDER BY id", output=out, format="csv"))
    see(len(out.getvalue()))
    await fails(connection.copy_to_table("copied", source=io.BytesIO(b"one\tword\n")))

    heard = asyncio.get_running_loop().create_future()
    await connection.add_listener("news", lambda *args: heard.set_result(args[2:]))
    await connection.execute("NOTIFY news, 'extra'")
    see(await heard)

    try:
        await connection.fetch("SELECT pg_sleep(60)", timeout=0.5)
    except asyncio.TimeoutError:
        see("cancelled", await connection.fetchval("SELECT 1"))
    await connection.reset()
    see(await connection.fetchval("SELECT 1"))


async def denied(connection):
    await fails(connection.fetch("SELECT * FROM vault WHERE secret = $1", "x"))
    await fails(connection.execute("SELECT * FROM vault"))
    see(await connection.fetchval("SELECT 1"))


async def held(connection):
    see(await connection.execute("DELETE FROM customers WHERE id = $1", 50))


async def main():
    connection = await asyncpg.connect()
    await {"everything": everything, "denied": denied, "held": held}[sys.argv[1]](connection)
    await connection.close()


asyncio.run(main())
