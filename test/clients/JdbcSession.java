import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A session with pgjdbc, on the database of PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD. Prints a line for each thing that it saw.
 *
 * <p>java -cp postgresql.jar JdbcSession.java everything | denied | held
 */
public class JdbcSession {
  interface Work {
    void run() throws Exception;
  }

  public static void main(String[] args) throws Exception {
    for (String mode : args[0].equals("everything") ? new String[] {"extended", "simple", "preferQuery"} : new String[] {"extended"}) {
      try (Connection connection = connect(mode)) {
        switch (args[0]) {
          case "everything" -> everything(connection, mode);
          case "denied" -> denied(connection);
          default -> held(connection);
        }
      }
    }
  }

  static Connection connect(String mode) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    properties.setProperty("preferQueryMode", mode.equals("preferQuery") ? "extendedForPrepared" : mode);
    properties.setProperty("sslmode", "disable");
    String url = String.format("jdbc:postgresql://%s:%s/%s", System.getenv("PGHOST"), System.getenv("PGPORT"), System.getenv("PGDATABASE"));
    return DriverManager.getConnection(url, properties);
  }

  static void see(Object what) {
    System.out.println(what);
  }

  static void fails(Work work) throws Exception {
    try {
      work.run();
    } catch (SQLException error) {
      PSQLException inner = error instanceof PSQLException psql ? psql : (PSQLException) error.getCause();
      ServerErrorMessage said = inner.getServerErrorMessage();
      see(said.getSQLState() + " " + said.getSeverity() + " " + said.getMessage() + " " + said.getDetail());
      return;
    }
    throw new IllegalStateException("it did not fail");
  }

  static List<String> rows(ResultSet results) throws SQLException {
    List<String> rows = new ArrayList<>();
    int columns = results.getMetaData().getColumnCount();
    while (results.next()) {
      StringBuilder row = new StringBuilder();
      for (int i = 1; i <= columns; i++) row.append(results.getString(i)).append('|');
      rows.add(row.toString());
    }
    return rows;
  }

  static void everything(Connection connection, String mode) throws Exception {
    see("mode " + mode);
    try (Statement statement = connection.createStatement()) {
      see(rows(statement.executeQuery("SELECT id, name FROM customers WHERE id < 4 ORDER BY id")));
      see(statement.execute("SELECT 1; SELECT 2") + " " + statement.getMoreResults());
      see(rows(statement.executeQuery("SELECT shout('hey')")));
      for (SQLWarning w = statement.getWarnings(); w != null; w = w.getNextWarning()) see(w.getMessage());
    }
    // Prepared at the server from the fifth time on, with results in binary then.
    try (PreparedStatement byId = connection.prepareStatement("SELECT id, name, now() > ? FROM customers WHERE id = ?")) {
      for (int id = 1; id < 9; id++) {
        byId.setTimestamp(1, new java.sql.Timestamp(0));
        byId.setInt(2, id);
        see(rows(byId.executeQuery()));
      }
    }
    see(rows(connection.getMetaData().getColumns(null, "public", "customers", "%")).size());
    see(rows(connection.getMetaData().getPrimaryKeys(null, "public", "customers")));

    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
    try (PreparedStatement insert = connection.prepareStatement("INSERT INTO customers VALUES (?, ?, ?)")) {
      for (int id = 950; id < 990; id++) {
        insert.setInt(1, id);
        insert.setString(2, "batch");
        insert.setString(3, null);
        insert.addBatch();
      }
      see(insert.executeBatch().length);
      var savepoint = connection.setSavepoint();
      insert.setInt(1, 950);
      insert.addBatch();
      insert.setInt(1, 999);
      insert.addBatch();
      fails(insert::executeBatch);
      connection.rollback(savepoint);
    }
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(7);
      see(rows(statement.executeQuery("SELECT name FROM customers ORDER BY id")));
      fails(() -> statement.executeQuery("SELECT 1/0"));
      fails(() -> statement.executeQuery("SELECT 1"));
    }
    connection.rollback();
    connection.setAutoCommit(true);

    try (Statement statement = connection.createStatement()) {
      statement.execute("CREATE TEMPORARY TABLE copied (id int, word text)");
      // COPY is no matter of the extended protocol: pgjdbc always sends it as a simple query.
      var copy = connection.unwrap(PGConnection.class).getCopyAPI();
      StringBuilder lines = new StringBuilder();
      for (int i = 0; i < 5000; i++) lines.append(i).append("\tword ").append(i).append('\n');
      see(copy.copyIn("COPY copied FROM STDIN", new StringReader(lines.toString())));
      StringWriter out = new StringWriter();
      see(copy.copyOut("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT", out) + " " + out.toString().equals(lines.toString()));
      fails(() -> copy.copyIn("COPY copied FROM STDIN", new StringReader("one\tword\n")));

      statement.setQueryTimeout(1);
      fails(() -> statement.executeQuery("SELECT pg_sleep(60)"));
      statement.setQueryTimeout(0);
      statement.execute("LISTEN news");
      statement.execute("NOTIFY news, 'extra'");
      for (var note : connection.unwrap(PGConnection.class).getNotifications(1000)) see(note.getName() + " " + note.getParameter());
    }
  }

  static void denied(Connection connection) throws Exception {
    try (PreparedStatement read = connection.prepareStatement("SELECT * FROM vault WHERE secret = ?")) {
      read.setString(1, "x");
      fails(read::executeQuery);
    }
    try (PreparedStatement insert = connection.prepareStatement("INSERT INTO vault VALUES (?)")) {
      insert.setString(1, "a");
      insert.addBatch();
      insert.setString(1, "b");
      insert.addBatch();
      fails(insert::executeBatch);
    }
    try (Statement statement = connection.createStatement()) {
      see(rows(statement.executeQuery("SELECT 1")));
    }
  }

  static void held(Connection connection) throws Exception {
    try (PreparedStatement delete = connection.prepareStatement("DELETE FROM customers WHERE id = ?")) {
      delete.setInt(1, 50);
      see(delete.executeUpdate());
    }
  }
}
