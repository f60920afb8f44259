using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Federated.Tests.Support;
using Microsoft.Data.Sqlite;

namespace Federated.Coordinator.Tests.Store;

public sealed class SqliteJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Append_EveryKindOfRecord_ReadsBackTheSame()
    {
        PolicyRun run = new PolicyRun(Runs.Definition(quorum: 2)).Arrive("s0", "s1", "s2");
        run.Offer("s0");
        run.Offer("s0", content: 77);
        run.Offer("s1");
        run.Offer("s2");
        run.Aggregate(60);
        IJournalRecord[] written =
        [
            .. run.Journal, new RoundAborted { Run = "mail", Round = 2, Attempt = 1, Reason = "test" }, new RunEnded { Run = "mail", Succeeded = false, Detail = "x" },
            new SiteJoined { Site = "s0", TrainingExamples = 5 }, new CleanStop { Version = "1" },
        ];
        Assert.Equal(Enum.GetValues<RecordType>().Length, written.Select(record => record.GetType()).Distinct().Count());

        using (SqliteJournal journal = Open())
        {
            journal.Append([.. written.Take(3)]);
            journal.Append([.. written.Skip(3)]);
        }

        using SqliteJournal again = Open();
        Assert.Equal(written.Select(Bytes), again.ReadAll().Select(Bytes));
    }

    [Fact]
    public void FindUpdate_AcceptedInAnEarlierRound_IsFound()
    {
        using SqliteJournal journal = Open();
        journal.Append(new UpdateAccepted { Manifest = Runs.Manifest("s0", round: 3, attempt: 2, content: 5), Remaining = 1, Norm = 1 });
        Assert.Equal(new ContentHash(Runs.Blob(5).Sha256), journal.FindUpdate("mail", 3, 2, "s0"));
        Assert.Null(journal.FindUpdate("mail", 3, 1, "s0"));
        Assert.Null(journal.FindUpdate("mail", 3, 2, "s1"));
    }

    [Fact]
    public void Append_SecondUpdateUnderOneKey_WritesNothingAtAll()
    {
        using SqliteJournal journal = Open();
        UpdateAccepted update = new() { Manifest = Runs.Manifest("s0"), Remaining = 1, Norm = 1 };
        journal.Append(update);
        Assert.Throws<SqliteException>(() => journal.Append(new CleanStop { Version = "1" }, update));
        Assert.Single(journal.ReadAll());

        journal.Append(new CleanStop { Version = "2" });
        Assert.Equal(2, journal.ReadAll().Count());
    }

    [Theory]
    [InlineData("UPDATE journal SET payload = x'91a139' WHERE lsn = 2")]
    [InlineData("UPDATE journal SET type = 18 WHERE lsn = 2")]
    [InlineData("DELETE FROM journal WHERE lsn = 2")]
    public void Open_RecordChangedBehindItsBack_RefusesAsCorrupt(string edit)
    {
        using (SqliteJournal journal = Open())
            journal.Append([.. Enumerable.Range(0, 3).Select(i => new CleanStop { Version = $"{i}" })]);
        Execute(edit);

        StoreCorruptException error = Assert.Throws<StoreCorruptException>(Open);
        Assert.Contains("Restore", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_NoDatabase_RefusesAsCorruptAndLeavesTheFile()
    {
        byte[] content = [.. Enumerable.Repeat((byte)'x', 8192)];
        File.WriteAllBytes(_folder["journal.db"], content);
        Assert.Throws<StoreCorruptException>(Open);
        Assert.Equal(content, File.ReadAllBytes(_folder["journal.db"]));
    }

    [Fact]
    public void Open_NewerSchema_IsRefused()
    {
        Open().Dispose();
        Execute("PRAGMA user_version = 2");
        Assert.Throws<StoreTooNewException>(Open);
    }

    [Fact]
    public void Open_RecordOfANewerVersion_IsRefused()
    {
        byte[] payload = [0xc0];
        Open().Dispose();
        Execute($"INSERT INTO journal VALUES (1, 99, '', x'{Convert.ToHexString(payload)}', x'{Convert.ToHexString(JournalChain.Next(JournalChain.Start, 1, (RecordType)99, payload))}')");
        Assert.Throws<StoreTooNewException>(Open);
    }

    [Fact]
    public void Open_Settings_AreTheDurableOnes()
    {
        Open().Dispose();
        using SqliteConnection connection = Connect();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode";
        Assert.Equal("wal", command.ExecuteScalar());
    }

    public void Dispose() => _folder.Dispose();

    private SqliteJournal Open() => SqliteJournal.Open(_folder["journal.db"], new TestClock());

    private static string Bytes(IJournalRecord record) => JournalCodec.Encode(record) is var (type, payload) ? $"{type} {Convert.ToHexString(payload)}" : "";

    private void Execute(string sql)
    {
        using SqliteConnection connection = Connect();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "PRAGMA foreign_keys = OFF; " + sql;
        command.ExecuteNonQuery();
    }

    private SqliteConnection Connect()
    {
        SqliteConnection connection = new($"Data Source={_folder["journal.db"]};Pooling=False");
        connection.Open();
        return connection;
    }
}
