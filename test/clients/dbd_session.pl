# A session with Perl's DBD::Pg, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line of JSON for each thing that it saw.
#
#   perl dbd_session.pl everything | denied | held
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:async);
use JSON::PP;

my $db = DBI->connect('dbi:Pg:', '', '', { RaiseError => 1, PrintError => 0, AutoCommit => 1 });
my $json = JSON::PP->new->canonical->allow_nonref;

sub see { print $json->encode([@_]), "\n" }

sub fails {
    my ($work) = @_;
    eval { $work->(); 1 } and die 'it did not fail';
    see($db->state, $db->errstr);
}

sub everything {
    see($db->selectall_arrayref('SELECT * FROM customers WHERE id < 4 ORDER BY id'));
    my $by_id = $db->prepare('SELECT name FROM customers WHERE id = ?');
    see($db->selectrow_arrayref($by_id, {}, $_)) for 1 .. 3;
    see($by_id->{NAME}, $by_id->{TYPE}, $by_id->{pg_type});
    see($db->selectall_arrayref('SELECT ?::int[], ?::bytea', {}, [1, 2], 'b'));

    $db->begin_work;
    my $insert = $db->prepare('INSERT INTO customers VALUES (?, ?) RETURNING id');
    $insert->execute(950, "it's");
    see($insert->fetchrow_arrayref, $insert->rows);
    $db->pg_savepoint('s');
    fails(sub { $insert->execute(950, 'again') });
    $db->pg_rollback_to('s');
    see($db->do('UPDATE customers SET email = NULL WHERE id > 48'), $db->ping);
    $db->do('CREATE TEMPORARY TABLE copied (id int, word text)');
    $db->do('COPY copied FROM STDIN');
    $db->pg_putcopydata("$_\tword $_\n") for 1 .. 3;
    $db->pg_putcopyend;
    $db->do('COPY copied TO STDOUT');
    my ($row, @rows);
    push @rows, $row while $db->pg_getcopydata($row) >= 0;
    see(@rows);
    my $large = $db->pg_lo_creat($db->{pg_INV_WRITE});
    my $open = $db->pg_lo_open($large, $db->{pg_INV_WRITE});
    see($db->pg_lo_write($open, 'large', 5), $db->pg_lo_tell($open), $db->pg_lo_close($open));
    $db->do('DECLARE c CURSOR FOR SELECT id FROM customers ORDER BY id');
    see($db->selectcol_arrayref('FETCH 3 FROM c'));
    $db->rollback;

    fails(sub { $db->do('SELECT 1/0') });
    fails(sub { $db->do('SELECT nothing FROM customers') });
    see($db->tables('', 'public', '%', 'TABLE'));
    see($db->column_info('', 'public', 'customers', '%')->fetchall_arrayref([3, 5, 6, 16]));
    see($db->primary_key('', 'public', 'customers'));
    $db->do('SELECT pg_sleep(60)', { pg_async => PG_ASYNC });
    see($db->pg_cancel);
    $db->do('LISTEN news');
    $db->do("NOTIFY news, 'extra'");
    see($db->pg_notifies->[2]);
}

my %sessions = (
    everything => \&everything,
    denied     => sub {
        fails(sub { $db->do('SELECT * FROM vault') });
        see($db->selectrow_array('SELECT 1'));
    },
    held => sub { see($db->do('DELETE FROM customers WHERE id = ?', {}, 50)) },
);
$sessions{ $ARGV[0] }->();
$db->disconnect;
