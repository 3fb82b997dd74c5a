<?php
// A session with PHP's PDO and its pgsql functions, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line of JSON for each thing that it saw.
//
//   php pdo_session.php everything | denied | held

$pdo = new PDO('pgsql:');

function see(...$what): void
{
    echo json_encode($what), "\n";
}

function fails(callable $work): void
{
    try {
        $work();
    } catch (PDOException $error) {
        see($error->errorInfo);
        return;
    }
    throw new Exception('it did not fail');
}

$sessions = [
    'everything' => function () use ($pdo) {
        $rows = fn($sql) => $pdo->query($sql)->fetchAll(PDO::FETCH_ASSOC);
        see($rows('SELECT * FROM customers WHERE id < 4 ORDER BY id'));
        foreach ([false, true] as $emulate) {
            $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, $emulate);
            $byId = $pdo->prepare('SELECT name, id FROM customers WHERE id = :id');
            foreach ([7, 8] as $id) {
                $byId->execute(['id' => $id]);
                see($byId->fetch(PDO::FETCH_NUM), $byId->getColumnMeta(0));
            }
        }
        $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, false);
        $pdo->beginTransaction();
        $insert = $pdo->prepare('INSERT INTO customers VALUES (?, ?, ?) RETURNING id');
        $insert->execute([940, "it's", null]);
        see($insert->fetchColumn(), $pdo->inTransaction());
        $pdo->exec('SAVEPOINT s');
        fails(fn() => $insert->execute([940, 'again', null]));
        $pdo->exec('ROLLBACK TO s');
        $large = $pdo->pgsqlLOBCreate();
        $stream = $pdo->pgsqlLOBOpen($large, 'w');
        fwrite($stream, str_repeat('large', 10000));
        fclose($stream);
        see(strlen(stream_get_contents($pdo->pgsqlLOBOpen($large))));
        $pdo->exec('CREATE TEMPORARY TABLE copied (id int, word text)');
        see($pdo->pgsqlCopyFromArray('copied', ["1\tone", "2\t\\N"]), $pdo->pgsqlCopyToArray('copied'));
        $pdo->exec('DECLARE c CURSOR FOR SELECT id FROM customers ORDER BY id');
        see($rows('FETCH 3 FROM c'), $rows('FETCH 2 FROM c'));
        $pdo->rollBack();
        fails(fn() => $pdo->query('SELECT 1/0'));
        fails(fn() => $pdo->query('SELECT nothing FROM customers'));
        $pdo->exec('LISTEN news');
        $pdo->exec("NOTIFY news, 'extra'");
        see($pdo->pgsqlGetNotify(PDO::FETCH_ASSOC, 1000)['payload'] ?? null);

        $db = pg_connect('');
        see(pg_fetch_all(pg_query_params($db, 'SELECT $1::int + 1 AS n, $2 AS t', [1, 'two'])));
        see(pg_meta_data($db, 'customers'), pg_field_type(pg_query($db, 'SELECT 1.5'), 0));
        pg_send_query($db, 'SELECT 1 AS a; SELECT 2 AS b');
        while ($result = pg_get_result($db)) {
            see(pg_fetch_all($result));
        }
        pg_send_query($db, 'SELECT pg_sleep(60)');
        see(pg_cancel_query($db), pg_fetch_all(pg_query($db, "SELECT shout('hey')")), pg_last_notice($db));
        see(pg_copy_to($db, 'customers', '|')[0], pg_transaction_status($db));
    },
    'denied' => function () use ($pdo) {
        fails(fn() => $pdo->query('SELECT * FROM vault'));
        see($pdo->query('SELECT 1')->fetchAll());
    },
    'held' => function () use ($pdo) {
        $remove = $pdo->prepare('DELETE FROM customers WHERE id = ?');
        $remove->execute([50]);
        see($remove->rowCount());
    },
];
$sessions[$argv[1]]();
