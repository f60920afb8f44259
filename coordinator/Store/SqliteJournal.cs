using System.Globalization;
using Federated.Shared.Protocol;
using Microsoft.Data.Sqlite;

namespace Federated.Coordinator.Store;

/// <summary>The journal in a SQLite database: one table of records with their hash chain, and an index of accepted updates kept in the same transactions.</summary>
/// <remarks>
/// Write-ahead log with <c>synchronous=FULL</c>: with NORMAL a power loss could take back transactions that were acknowledged.
/// One connection writes, under a lock; transactions begin IMMEDIATE.
/// </remarks>
internal sealed class SqliteJournal : IJournal
{
    /// <summary>Version of the tables; a database with a higher one is refused.</summary>
    public const int SchemaVersion = 1;

    private const string Schema = """
        CREATE TABLE journal (
          lsn INTEGER PRIMARY KEY,
          type INTEGER NOT NULL,
          at_utc TEXT NOT NULL,
          payload BLOB NOT NULL,
          chain BLOB NOT NULL CHECK (length(chain) = 32)
        ) STRICT;
        CREATE TABLE updates (
          run TEXT NOT NULL,
          round INTEGER NOT NULL,
          attempt INTEGER NOT NULL,
          site TEXT NOT NULL,
          sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
          lsn INTEGER NOT NULL REFERENCES journal (lsn),
          PRIMARY KEY (run, round, attempt, site)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
        """;

    private readonly SqliteConnection _connection;
    private readonly TimeProvider _clock;
    private readonly string _path;
    private readonly Lock _gate = new();
    private long _lsn;
    private byte[] _chain = JournalChain.Start;

    private SqliteJournal(SqliteConnection connection, TimeProvider clock, string path)
    {
        _connection = connection;
        _clock = clock;
        _path = path;
    }

    /// <summary>Opens the journal, makes it when it is missing, and checks it from the first record to the last.</summary>
    /// <exception cref="StoreTooNewException">It was written by a newer version.</exception>
    /// <exception cref="StoreCorruptException">It is not what was written; nothing was changed.</exception>
    public static SqliteJournal Open(string path, TimeProvider clock)
    {
        SqliteConnection connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            ForeignKeys = true,
        }.ToString());
        SqliteJournal journal = new(connection, clock, path);
        try
        {
            journal.Translate(journal.Prepare);
            return journal;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Append(params IReadOnlyList<IJournalRecord> records)
    {
        if (records.Count == 0)
            return;

        lock (_gate)
            Translate(() => Write(records));
    }

    /// <inheritdoc/>
    public IEnumerable<IJournalRecord> ReadAll()
    {
        List<IJournalRecord> records = [];
        lock (_gate)
            Translate(() => records.AddRange(ReadChecked()));
        return records;
    }

    /// <inheritdoc/>
    public ContentHash? FindUpdate(string run, int round, int attempt, string site)
    {
        ContentHash? found = null;
        lock (_gate)
        {
            Translate(() =>
            {
                using SqliteCommand command = Command(
                    "SELECT sha256 FROM updates WHERE run = $run AND round = $round AND attempt = $attempt AND site = $site",
                    ("$run", run), ("$round", round), ("$attempt", attempt), ("$site", site));
                found = command.ExecuteScalar() is byte[] hash ? new ContentHash(hash) : null;
            });
        }

        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private void Prepare()
    {
        _connection.Open();
        Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 0;");
        long version = (long)Scalar("PRAGMA user_version")!;
        if (version > SchemaVersion)
        {
            throw new StoreTooNewException(
                $"{_path} has schema version {version}, this program knows {SchemaVersion}. Start the version that wrote it, or a newer one.");
        }

        if (version == 0)
        {
            using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
            Execute(Schema, transaction);
            transaction.Commit();
        }

        if (Scalar("PRAGMA quick_check") is not "ok")
            throw Corrupt("SQLite's quick_check found damage");

        foreach (IJournalRecord _ in ReadChecked())
        {
            // Reading checks every link and leaves the number and link of the last record.
        }
    }

    private List<IJournalRecord> ReadChecked()
    {
        List<IJournalRecord> records = [];
        byte[] chain = JournalChain.Start;
        long last = 0;
        using SqliteCommand command = Command("SELECT lsn, type, payload, chain FROM journal ORDER BY lsn");
        using SqliteDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            long lsn = reader.GetInt64(0);
            long type = reader.GetInt64(1);
            byte[] payload = reader.GetFieldValue<byte[]>(2);
            if (lsn != last + 1)
                throw Corrupt($"record {lsn} follows record {last}");

            chain = JournalChain.Next(chain, lsn, (RecordType)type, payload);
            if (!chain.AsSpan().SequenceEqual(reader.GetFieldValue<byte[]>(3)))
                throw Corrupt($"record {lsn} does not fit the hash chain");

            records.Add(JournalCodec.Decode(lsn, type, payload));
            last = lsn;
        }

        _lsn = last;
        _chain = chain;
        return records;
    }

    private void Write(IReadOnlyList<IJournalRecord> records)
    {
        long lsn = _lsn;
        byte[] chain = _chain;
        string now = _clock.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
        using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
        foreach (IJournalRecord record in records)
        {
            (RecordType type, byte[] payload) = JournalCodec.Encode(record);
            lsn++;
            chain = JournalChain.Next(chain, lsn, type, payload);
            Execute("INSERT INTO journal (lsn, type, at_utc, payload, chain) VALUES ($lsn, $type, $at, $payload, $chain)", transaction,
                ("$lsn", lsn), ("$type", (int)type), ("$at", now), ("$payload", payload), ("$chain", chain));
            if (record is UpdateAccepted { Manifest: { } update })
            {
                Execute("INSERT INTO updates (run, round, attempt, site, sha256, lsn) VALUES ($run, $round, $attempt, $site, $sha256, $lsn)", transaction,
                    ("$run", update.Run), ("$round", update.Round), ("$attempt", update.Attempt), ("$site", update.Site),
                    ("$sha256", update.Content.Sha256), ("$lsn", lsn));
            }
        }

        transaction.Commit();
        _lsn = lsn;
        _chain = chain;
    }

    private void Execute(string sql, SqliteTransaction? transaction = null, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using SqliteCommand command = Command(sql, parameters);
        command.Transaction = transaction;
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql)
    {
        using SqliteCommand command = Command(sql);
        return command.ExecuteScalar();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        SqliteCommand command = _connection.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of this file; values travel as parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach ((string name, object value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }

    private void Translate(Action action)
    {
        const int Busy = 5, Locked = 6, InputOutput = 10, Damaged = 11, Full = 13, NotADatabase = 26;
        try
        {
            action();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == Full)
        {
            throw new DiskFullException($"{_path}: no room for the journal. Free space on the coordinator's disk; nothing accepted is lost.", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is Damaged or NotADatabase)
        {
            throw new StoreCorruptException($"{_path} is damaged: {e.Message}. Restore the state folder from a backup; the file was not changed.", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is Busy or Locked)
        {
            throw new StateLockedException($"{_path} is locked by another program. Close it and start again.", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode == InputOutput)
        {
            throw new FlushFailedException($"{_path}: the disk did not confirm a write of the journal ({e.Message}).", e);
        }
    }

    private StoreCorruptException Corrupt(string what) =>
        new($"{_path} is damaged: {what}. Restore the state folder from a backup; the file was not changed.");
}
