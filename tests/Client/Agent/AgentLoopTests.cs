using Federated.Client.Agent;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Client.Tests.Agent;

public sealed class AgentLoopTests
{
    [Fact]
    public async Task Run_OnePlan_FetchesTrainsUploadsAndReportsProgress()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        RoundPlan plan = agent.Plan();
        stream.Send(plan);
        (RoundKey key, string site, Action<LocalProgress> progress) = await agent.Round.Started.Reader.NextAsync();
        Assert.Equal((new RoundKey("mail", 1, 1), "ward-7"), (key, site));

        progress(new(1, 3, 0.7, 900));
        TrainingProgress told = (await agent.EventAsync(AgentEvent.EventOneofCase.Progress)).Progress;
        Assert.Equal(("mail", 1u, 1u, 3u, 0.7, 900.0), (told.Run, told.Round, told.Step, told.Steps, told.Loss, told.TokensPerSecond));

        agent.Round.Release();
        (UpdateManifest manifest, byte[] bytes, _) = await agent.Coordinator.Uploads.Reader.NextAsync();
        Assert.Equal(BitConverter.GetBytes(plan.Seed), bytes);
        Assert.Equal(ContentHash.Of(bytes).ToArray(), manifest.Content.Sha256);
        Assert.Equal(("mail", 1, 1, "ward-7", 40L, 8L), (manifest.Run, manifest.Round, manifest.Attempt, manifest.Site, manifest.Examples, manifest.Content.Length));
        JoinRequest join = agent.Coordinator.Received.OfType<JoinRequest>().Single();
        Assert.Equal((ProtocolLimits.Version, 40L), (join.ProtocolVersion, join.TrainingExamples));
        Assert.Equal(["Bearer token-1"], agent.Coordinator.Tokens);
        await agent.StopAsync();
    }

    [Fact]
    public async Task Run_SecondRound_FetchesOnlyTheNewGlobalAdapter()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        await DoRoundAsync(agent, stream, agent.Plan(round: 1));
        Assert.Equal(3, agent.Coordinator.Fetches.Count);
        RoundPlan second = agent.Plan(round: 2);
        await DoRoundAsync(agent, stream, second);
        Assert.Equal(4, agent.Coordinator.Fetches.Count);
        Assert.Equal(second.Global.Sha256, agent.Coordinator.Fetches.Last().Sha256.ToByteArray());
    }

    [Fact]
    public async Task Run_PlanPushedAgainInWorkAndAfterwards_IsTrainedOnceAndSentAsTheSameBytes()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(fake => fake.Joining = _ => FakeCoordinator.Welcome("ward-7", "mail", "notes"));
        FakeStream stream = await agent.StreamAsync();
        RoundPlan plan = agent.Plan();
        stream.Send(plan);
        await agent.Round.Started.Reader.NextAsync();
        stream.Send(plan);
        stream.Send(agent.Plan(run: "notes"));
        agent.Round.Release();
        (UpdateManifest first, _, _) = await agent.Coordinator.Uploads.Reader.NextAsync();

        // When the other run is in work, this one no longer is.
        Assert.Equal("notes", (await agent.Round.Started.Reader.NextAsync()).Key.Run);
        stream.Send(plan);
        agent.Round.Release();
        await agent.Coordinator.Uploads.Reader.NextAsync();
        (UpdateManifest again, _, _) = await agent.Coordinator.Uploads.Reader.NextAsync();
        Assert.Equal(Records.Encode(first), Records.Encode(again));
        Assert.False(agent.Round.Started.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Run_OtherPlanUnderTheSameKey_IsTrainedAnew()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        await DoRoundAsync(agent, stream, agent.Plan(seed: 7));
        Assert.Equal(BitConverter.GetBytes(8ul), await DoRoundAsync(agent, stream, agent.Plan(seed: 8)));
    }

    [Fact]
    public async Task Run_RoundClosed_StopsTrainingAndTakesTheNextPlan()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        stream.Send(agent.Plan(round: 1));
        await agent.Round.Started.Reader.NextAsync();
        stream.Send(new AgentTask { Closed = new() { Run = "mail", Round = 1, Attempt = 1 } });
        Assert.Equal(new("mail", 1, 1), await agent.Round.Cancelled.Reader.NextAsync());
        await DoRoundAsync(agent, stream, agent.Plan(round: 2));
        Assert.DoesNotContain(agent.Coordinator.Received.OfType<AgentEvent>(), e => e.Failed is not null);
    }

    [Fact]
    public async Task Run_NewerAttempt_SupersedesTheOneInWork()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        stream.Send(agent.Plan(attempt: 1));
        await agent.Round.Started.Reader.NextAsync();
        stream.Send(agent.Plan(attempt: 2));
        Assert.Equal(1, (await agent.Round.Cancelled.Reader.NextAsync()).Attempt);
        Assert.Equal(2, (await agent.Round.Started.Reader.NextAsync()).Key.Attempt);
        agent.Round.Release();
        Assert.Equal(2, (await agent.Coordinator.Uploads.Reader.NextAsync()).Manifest.Attempt);
    }

    [Fact]
    public async Task Run_ClosedWhileWaitingBehindAnotherRun_IsNeverTrained()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(fake => fake.Joining = _ => FakeCoordinator.Welcome("ward-7", "mail", "notes"));
        FakeStream stream = await agent.StreamAsync();
        stream.Send(agent.Plan(run: "mail"));
        await agent.Round.Started.Reader.NextAsync();
        stream.Send(agent.Plan(run: "notes"));
        stream.Send(new AgentTask { Closed = new() { Run = "notes", Round = 1, Attempt = 1 } });
        stream.Send(agent.Plan(run: "notes", round: 2));
        agent.Round.Release(2);
        Assert.Equal(new("notes", 2, 1), (await agent.Round.Started.Reader.NextAsync()).Key);
    }

    [Fact]
    public async Task Run_StreamBreaksWhileTraining_TrainingGoesOnAndTheUpdateArrivesAfterwards()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(fake =>
            fake.Joining = number => number is > 1 and < 6 ? throw FakeCoordinator.Refusal(RejectReason.Recovering) : FakeCoordinator.Welcome("ward-7", "mail"));
        FakeStream stream = await agent.StreamAsync();
        RoundPlan plan = agent.Plan();
        stream.Send(plan);
        Action<LocalProgress> progress = (await agent.Round.Started.Reader.NextAsync()).Progress;
        stream.Break(StatusCode.Unavailable);
        progress(new(1, 3, 0.7, 900));

        stream = await agent.StreamAsync();
        stream.Send(plan);
        progress(new(2, 3, 0.6, 900));
        Assert.Equal(2u, (await agent.EventAsync(AgentEvent.EventOneofCase.Progress)).Progress.Step);
        agent.Round.Release();
        await agent.Coordinator.Uploads.Reader.NextAsync();
        Assert.Equal(6, agent.Coordinator.Joins);
        Assert.False(agent.Round.Started.Reader.TryRead(out _));
        Assert.False(agent.Round.Cancelled.Reader.TryRead(out _));
        // Full jitter below 1, 2, 4, ... seconds; one below a millisecond is none, which shifts the others.
        Assert.All(agent.Clock.Delays.Index(), delay => Assert.True(delay.Item <= TimeSpan.FromSeconds(Math.Pow(2, delay.Index + 1)), $"{delay}"));
    }

    [Fact]
    public async Task Run_LongConnectionBreaks_TheNextDelayIsAFirstOneAgain()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        for (int i = 0; i < 8; i++)
        {
            FakeStream stream = await agent.StreamAsync();
            agent.Clock.Advance(TimeSpan.FromSeconds(31));
            stream.Break(StatusCode.Unavailable);
        }

        await agent.StreamAsync();
        Assert.All(agent.Clock.Delays, delay => Assert.True(delay <= TimeSpan.FromSeconds(1), $"{delay}"));
    }

    [Fact]
    public async Task Run_TokenReplacedOnDisk_IsUsedAtTheNextConnection()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        await File.WriteAllTextAsync(agent.TokenFile, "token-2");
        stream.Break(StatusCode.Unavailable);
        await agent.StreamAsync();
        Assert.Equal(["Bearer token-1", "Bearer token-2"], agent.Coordinator.Tokens);
    }

    [Theory]
    [InlineData(RejectReason.NoIdentity)]
    [InlineData(RejectReason.NoSuchRun)]
    [InlineData(RejectReason.ProtocolVersion)]
    public async Task Run_JoinRefused_StopsAtOnce(RejectReason reason)
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(fake => fake.Joining = _ => throw FakeCoordinator.Refusal(reason));
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => agent.Running.WaitAsync(Patience.Limit));
        Assert.Equal(reason, RetryPolicy.ReasonOf(e));
        Assert.Equal(1, agent.Coordinator.Joins);
    }

    [Fact]
    public async Task Run_StreamTakenOverByAnotherAgent_Stops()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        (await agent.StreamAsync()).Break(RejectReason.Replaced);
        await Assert.ThrowsAsync<RpcException>(() => agent.Running.WaitAsync(Patience.Limit));
        Assert.Equal(1, agent.Coordinator.Joins);
    }

    [Fact]
    public async Task Run_CoordinatorOfAnotherVersion_Stops()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(fake => fake.Joining = _ => new() { ProtocolVersion = 99, Site = "ward-7" });
        RpcException e = await Assert.ThrowsAsync<RpcException>(() => agent.Running.WaitAsync(Patience.Limit));
        Assert.Contains("version 99", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AllRunsFinished_EndsWhenToldSo()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(
            fake => fake.Joining = _ => FakeCoordinator.Welcome("ward-7", "mail", "notes"), exitWhenFinished: true);
        FakeStream stream = await agent.StreamAsync();
        await DoRoundAsync(agent, stream, agent.Plan());
        stream.Send(new AgentTask { Finished = new() { Run = "mail", Succeeded = true, Detail = "bell \u0007 rings" } });
        stream.Send(new AgentTask { Finished = new() { Run = "mail", Succeeded = true } });
        stream.Send(new AgentTask { Finished = new() { Run = "../../etc", Succeeded = true } });
        await DoRoundAsync(agent, stream, agent.Plan(run: "notes"));
        Assert.False(agent.Running.IsCompleted);
        stream.Send(new AgentTask { Finished = new() { Run = "notes", Succeeded = false } });
        await agent.Running.WaitAsync(Patience.Limit);
        Assert.DoesNotContain('\u0007', agent.Log.Text);
    }

    [Fact]
    public async Task Run_UnusablePlans_AreRefusedAndTheAgentLivesOn()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        stream.Send(new AgentTask { Train = ByteString.CopyFrom(0xC1, 0xFF) });
        stream.Send(new AgentTask { Train = ByteString.CopyFrom(0xC0) });
        stream.Send(new AgentTask());
        stream.Send(agent.Plan() with { Run = null! });
        stream.Send(agent.Plan() with { Run = "../../etc" });
        stream.Send(agent.Plan(run: "others"));
        stream.Send(agent.Plan(round: 3, attempt: 2) with { Model = null!, Adapter = null!, Training = null!, Global = null! });
        TaskFailed failed = (await agent.EventAsync(AgentEvent.EventOneofCase.Failed)).Failed;
        Assert.Equal(("mail", 3u, 2u), (failed.Run, failed.Round, failed.Attempt));
        Assert.Contains("training is missing", failed.Reason, StringComparison.Ordinal);

        await DoRoundAsync(agent, stream, agent.Plan());
        Assert.Single(agent.Coordinator.Received.OfType<AgentEvent>(), e => e.Failed is not null);
    }

    [Fact]
    public async Task Run_TrainingThrows_TellsTheTypeOnlyAndLivesOn()
    {
        const string Canary = "the patient's secret";
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        agent.Round.Result = _ => throw new ArgumentException(Canary, new InvalidOperationException(Canary));
        stream.Send(agent.Plan(round: 1));
        await agent.Round.Started.Reader.NextAsync();
        agent.Round.Release();
        TaskFailed failed = (await agent.EventAsync(AgentEvent.EventOneofCase.Failed)).Failed;
        Assert.StartsWith("ArgumentException", failed.Reason, StringComparison.Ordinal);

        agent.Round.Result = plan => BitConverter.GetBytes(plan.Seed);
        await DoRoundAsync(agent, stream, agent.Plan(round: 2));
        Assert.DoesNotContain(agent.Coordinator.Received, message => message.ToByteArray().AsSpan().IndexOf("secret"u8) >= 0);
        Assert.DoesNotContain("secret", agent.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_StoppedBeforeTheUpdateIsAccepted_SendsTheSameBytesAfterARestart()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync(fake =>
            fake.Beginning = number => _ = number == 1 ? throw new RpcException(new Status(StatusCode.Unavailable, "down")) : 0);
        RoundPlan plan = agent.Plan();
        (await agent.StreamAsync()).Send(plan);
        await agent.Round.Started.Reader.NextAsync();
        agent.Round.Release();
        await agent.Log.WaitAsync("trying again");
        await agent.RestartAsync();
        (await agent.StreamAsync()).Send(plan);
        (_, byte[] bytes, _) = await agent.Coordinator.Uploads.Reader.NextAsync();
        Assert.Equal(BitConverter.GetBytes(plan.Seed), bytes);
        Assert.False(agent.Round.Started.Reader.TryRead(out _));
    }

    [Fact]
    public async Task Run_StateFolderDamaged_FailsTheRoundAndLivesOn()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        FakeStream stream = await agent.StreamAsync();
        await DoRoundAsync(agent, stream, agent.Plan());
        Directory.Delete(Path.Combine(agent.State, "updates", "mail"), recursive: true);
        await File.WriteAllTextAsync(Path.Combine(agent.State, "updates", "mail"), "a file where a folder should be");
        stream.Send(agent.Plan(round: 2));
        TaskFailed failed = (await agent.EventAsync(AgentEvent.EventOneofCase.Failed)).Failed;
        Assert.StartsWith("IOException", failed.Reason, StringComparison.Ordinal);
        Assert.False(agent.Running.IsCompleted);
    }

    [Fact]
    public async Task Run_TwoAgentsInOneFolder_TheSecondIsRefused()
    {
        await using AgentHarness agent = await AgentHarness.StartAsync();
        await agent.StreamAsync();
        IOException e = Assert.Throws<IOException>(() => new RoundWorkspace(agent.State, 1, TimeProvider.System));
        Assert.Contains("in use by another agent", e.Message, StringComparison.Ordinal);
    }

    private static async Task<byte[]> DoRoundAsync(AgentHarness agent, FakeStream stream, RoundPlan plan)
    {
        stream.Send(plan);
        Assert.Equal(RoundKey.Of(plan), (await agent.Round.Started.Reader.NextAsync()).Key);
        agent.Round.Release();
        (UpdateManifest manifest, byte[] bytes, _) = await agent.Coordinator.Uploads.Reader.NextAsync();
        Assert.Equal((plan.Run, plan.Round), (manifest.Run, manifest.Round));
        return bytes;
    }
}
