using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Federated.Client.Tests.Agent;

/// <summary>A coordinator on Kestrel that does what a test tells it, and remembers every message.</summary>
internal sealed class FakeCoordinator : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeCoordinator(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = null!;

    /// <summary>Answers a join; counted from 1.</summary>
    public Func<int, JoinReply> Joining { get; set; } = _ => Welcome("ward-7", "mail");

    /// <summary>What a fetch sends, given the blob's bytes from the offset on; counted from 1.</summary>
    public Func<int, byte[], IEnumerable<byte[]>> Fetching { get; set; } = (_, rest) => rest.Chunk(100);

    /// <summary>Judges a whole upload; counted from 1.</summary>
    public Func<int, bool> Accepting { get; set; } = _ => false;

    /// <summary>Judges an upload after its manifest; counted from 1.</summary>
    public Action<int> Beginning { get; set; } = _ => { };

    public ConcurrentDictionary<string, byte[]> Blobs { get; } = [];

    public ConcurrentQueue<FetchRequest> Fetches { get; } = [];

    public ConcurrentQueue<string?> Tokens { get; } = [];

    /// <summary>Every message that came in, as it was.</summary>
    public ConcurrentQueue<IMessage> Received { get; } = [];

    public int Joins => Received.Count(message => message is JoinRequest);

    public Channel<FakeStream> Streams { get; } = Channel.CreateUnbounded<FakeStream>();

    public Channel<AgentEvent> Events { get; } = Channel.CreateUnbounded<AgentEvent>();

    public Channel<(UpdateManifest Manifest, byte[] Bytes, int[] Chunks)> Uploads { get; } = Channel.CreateUnbounded<(UpdateManifest, byte[], int[])>();

    public static JoinReply Welcome(string site, params string[] runs) =>
        new() { ProtocolVersion = ProtocolLimits.Version, CoordinatorVersion = "test", Site = site, Runs = { runs } };

    public static RpcException Refusal(RejectReason reason) =>
        new(new Status(reason.Status(), $"refused: {reason}"), new Metadata { { ProtocolLimits.ReasonTrailer, reason.Word() } });

    public static async Task<FakeCoordinator> StartAsync(X509Certificate2? certificate = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(options => options.MaxReceiveMessageSize = ProtocolLimits.MessageBytes);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        FakeCoordinator coordinator = null!;
        builder.Services.AddSingleton(_ => new Service(coordinator));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, door =>
        {
            door.Protocols = HttpProtocols.Http2;
            if (certificate is not null)
            {
                // By call-back, since Kestrel itself would not show a certificate that is no server's.
                door.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificate = certificate }) });
            }
        }));
        WebApplication app = builder.Build();
        coordinator = new(app);
        app.MapGrpcService<Service>();
        await app.StartAsync();
        coordinator.Address = new(app.Urls.Single());
        return coordinator;
    }

    /// <summary>Offers bytes for fetching.</summary>
    public BlobReference Offer(byte[] content)
    {
        ContentHash hash = ContentHash.Of(content);
        Blobs[hash.ToString()] = content;
        return new() { Sha256 = hash.ToArray(), Length = content.Length };
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class Service(FakeCoordinator host) : Federation.FederationBase
    {
        private int _fetches;
        private int _uploads;

        public override Task<JoinReply> Join(JoinRequest request, ServerCallContext context)
        {
            host.Tokens.Enqueue(context.RequestHeaders.GetValue("authorization"));
            host.Received.Enqueue(request);
            return Task.FromResult(host.Joining(host.Joins));
        }

        public override async Task Work(IAsyncStreamReader<AgentEvent> requestStream, IServerStreamWriter<AgentTask> responseStream, ServerCallContext context)
        {
            FakeStream stream = new();
            host.Streams.Writer.TryWrite(stream);
            Task reading = ReadAsync(requestStream, context.CancellationToken);
            await foreach (AgentTask task in stream.Tasks.Reader.ReadAllAsync(context.CancellationToken))
                await responseStream.WriteAsync(task);
        }

        public override async Task Fetch(FetchRequest request, IServerStreamWriter<BlobChunk> responseStream, ServerCallContext context)
        {
            host.Received.Enqueue(request);
            host.Fetches.Enqueue(request);
            if (!host.Blobs.TryGetValue(new ContentHash(request.Sha256.Span).ToString(), out byte[]? content))
                throw Refusal(RejectReason.NoSuchBlob);

            foreach (byte[] chunk in host.Fetching(Interlocked.Increment(ref _fetches), content[(int)request.Offset..]))
                await responseStream.WriteAsync(new() { Data = ByteString.CopyFrom(chunk) }, context.CancellationToken);
        }

        public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
        {
            int number = Interlocked.Increment(ref _uploads);
            Assert.True(await requestStream.MoveNext(context.CancellationToken));
            UpdateManifest manifest = Records.Decode<UpdateManifest>(requestStream.Current.Manifest.Memory, "manifest");
            host.Received.Enqueue(requestStream.Current);
            host.Beginning(number);
            List<byte[]> chunks = [];
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                host.Received.Enqueue(requestStream.Current);
                chunks.Add(requestStream.Current.Chunk.ToByteArray());
            }

            host.Uploads.Writer.TryWrite((manifest, [.. chunks.SelectMany(chunk => chunk)], [.. chunks.Select(chunk => chunk.Length)]));
            return new() { Duplicate = host.Accepting(number) };
        }

        private async Task ReadAsync(IAsyncStreamReader<AgentEvent> events, CancellationToken cancellation)
        {
            try
            {
                while (await events.MoveNext(cancellation))
                {
                    host.Received.Enqueue(events.Current);
                    host.Events.Writer.TryWrite(events.Current);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or RpcException or InvalidOperationException)
            {
                host.Events.Writer.TryWrite(new());
            }
        }
    }
}

/// <summary>One task stream, seen from the coordinator.</summary>
internal sealed class FakeStream
{
    public Channel<AgentTask> Tasks { get; } = Channel.CreateUnbounded<AgentTask>();

    public void Send(RoundPlan plan) => Send(new AgentTask { Train = ByteString.CopyFrom(Records.Encode(plan)) });

    public void Send(AgentTask task) => Tasks.Writer.TryWrite(task);

    public void Break(StatusCode status) => Tasks.Writer.TryComplete(new RpcException(new Status(status, "broken by the test")));

    public void Break(RejectReason reason) => Tasks.Writer.TryComplete(FakeCoordinator.Refusal(reason));
}
