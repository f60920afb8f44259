using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Federated.Coordinator.Tests.Support;

/// <summary>An agent without a trainer: makes the calls that a test asks for, over a real connection.</summary>
internal sealed class TestSite : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly Metadata _headers;

    public TestSite(Uri coordinator, string name, string? token)
    {
        Name = name;
        _channel = GrpcChannel.ForAddress(coordinator, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, UseProxy = false },
            DisposeHttpClient = true,
        });
        _headers = token is null ? [] : new Metadata { { "authorization", "Bearer " + token } };
        Client = new(_channel);
    }

    public string Name { get; }

    public Federation.FederationClient Client { get; }

    public GrpcChannel Channel => _channel;

    public Metadata Headers => _headers;

    public async Task<JoinReply> JoinAsync(long examples = 100, uint version = ProtocolLimits.Version, params string[] runs) =>
        await Client.JoinAsync(new() { ProtocolVersion = version, TrainingExamples = examples, Runs = { runs } }, _headers);

    /// <summary>Opens the task stream and says ready.</summary>
    public async Task<TaskStream> WorkAsync(params string[] runs)
    {
        AsyncDuplexStreamingCall<AgentEvent, AgentTask> call = Client.Work(_headers);
        await call.RequestStream.WriteAsync(new() { Ready = new() { Runs = { runs } } });
        return new(call);
    }

    /// <summary>Fetches a blob from an offset on.</summary>
    public async Task<byte[]> FetchAsync(byte[] sha256, long offset = 0)
    {
        using var call = Client.Fetch(new() { Sha256 = ByteString.CopyFrom(sha256), Offset = offset }, _headers);
        using MemoryStream all = new();
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
            call.ResponseStream.Current.Data.WriteTo(all);
        return all.ToArray();
    }

    /// <summary>Uploads an update; the answer is the coordinator's, even when it refuses midway.</summary>
    public async Task<UploadReceipt> UploadAsync(UpdateManifest manifest, byte[] update, int chunk = 1000, Metadata? extra = null)
    {
        Metadata headers = [.. _headers, .. extra ?? []];
        using var call = Client.Upload(headers);
        try
        {
            await call.RequestStream.WriteAsync(new() { Manifest = ByteString.CopyFrom(Records.Encode(manifest)) });
            for (int at = 0; at < update.Length; at += chunk)
                await call.RequestStream.WriteAsync(new() { Chunk = ByteString.CopyFrom(update, at, Math.Min(chunk, update.Length - at)) });
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
        {
            // The true status is in the response.
        }

        return await call.ResponseAsync;
    }

    /// <summary>Does a round as an agent would: fetch, make an update, upload it.</summary>
    public async Task<UploadReceipt> TrainAsync(RoundPlan plan)
    {
        byte[] update = Update.Good(await FetchAsync(plan.Global.Sha256), Name, plan.Round);
        return await UploadAsync(Update.Manifest(plan, Name, update), update);
    }

    public void Dispose() => _channel.Dispose();
}

/// <summary>An open task stream.</summary>
internal sealed class TaskStream(AsyncDuplexStreamingCall<AgentEvent, AgentTask> call) : IDisposable
{
    public IClientStreamWriter<AgentEvent> Events => call.RequestStream;

    /// <summary>The next task; fails after half a minute, which no test waits for when it passes.</summary>
    public async Task<AgentTask> NextAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        return await call.ResponseStream.MoveNext(patience.Token)
            ? call.ResponseStream.Current
            : throw new EndOfStreamException("the coordinator ended the task stream");
    }

    /// <summary>The next plan; other tasks before it are passed over.</summary>
    public async Task<RoundPlan> NextPlanAsync()
    {
        while (true)
        {
            AgentTask task = await NextAsync();
            if (task.TaskCase == AgentTask.TaskOneofCase.Train)
                return Records.Decode<RoundPlan>(task.Train.Memory, "plan");
        }
    }

    public void Dispose() => call.Dispose();
}
