using System.IO.Compression;
using Federated.Compat.Grpc.Tests.Probe;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Compression;

namespace Federated.Compat.Grpc.Tests.Calls;

/// <summary>Compressed messages over the wire, whole and hostile.</summary>
public sealed class CompressionTests(ProbeServer plain, GzipServer gzip, GuardedServer guarded)
    : IClassFixture<ProbeServer>, IClassFixture<GzipServer>, IClassFixture<GuardedServer>
{
    private const int Limit = ProbeServer.GuardedLimit;

    private static readonly Metadata GzipRequest = new() { { "grpc-internal-encoding-request", "gzip" } };

    [Fact]
    public async Task Request_Gzip_IsRead()
    {
        foreach (ProbeServer server in new[] { plain, gzip, guarded })
        {
            Answer answer = await server.Client.UnaryAsync(new Ask { Text = "squeezed", Payload = Zeros(1 << 20) }, GzipRequest);
            Assert.Equal(("squeezed", "gzip", 1 << 20), (answer.Text, answer.Encoding, answer.Payload.Length));
        }
    }

    [Fact]
    public async Task Request_GzipStream_IsRead()
    {
        using AsyncClientStreamingCall<Ask, Answer> call = guarded.Client.Upload(GzipRequest);
        await call.RequestStream.WriteAsync(new Ask { Payload = Zeros(1 << 20) });
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.NoCompress);
        await call.RequestStream.WriteAsync(new Ask { Payload = Zeros(1 << 20) });
        await call.RequestStream.CompleteAsync();
        Assert.Equal(2 << 20, (await call).Bytes);
    }

    [Fact]
    public async Task Request_Deflate_IsReadByTheDefaultsAndRefusedByTheGuarded()
    {
        byte[] frame = RawClient.Frame(1, Deflated(new Ask { Text = "zlib" }.ToByteArray()));
        using RawClient open = new(plain.Plain);
        using RawClient narrow = new(guarded.Plain);

        RawReply read = await open.PostAsync("Unary", frame, ("grpc-encoding", "deflate"));
        RawReply refused = await narrow.PostAsync("Unary", frame, ("grpc-encoding", "deflate"), ("grpc-accept-encoding", "gzip"));

        Assert.Equal("zlib", Answer.Parser.ParseFrom(read.Body.AsSpan(5)).Text);
        Assert.Equal("12", refused.Status);
        Assert.Equal("identity,gzip", refused.Headers.GetValues("grpc-accept-encoding").Single());
    }

    [Fact]
    public async Task Reply_ClientTakesGzip_IsCompressed()
    {
        using RawClient raw = new(gzip.Plain);
        RawReply reply = await raw.PostAsync("Unary", RawClient.Frame(0, new Ask { Size = 1 << 20 }), ("grpc-accept-encoding", "identity,gzip"));

        Assert.Equal("0", reply.Status);
        Assert.Equal("gzip", reply.Headers.GetValues("grpc-encoding").Single());
        Assert.Equal(1, reply.Body[0]);
        Assert.InRange(reply.Body.Length, 6, 20_000);
    }

    [Fact]
    public async Task Bomb_OnTheServer_IsResourceExhausted()
    {
        using RawClient raw = new(guarded.Plain);
        RawReply reply = await raw.PostAsync("Unary", RawClient.Frame(1, Bomb.Gzip), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"));

        Assert.Equal("8", reply.Status);
        Assert.Contains($"{Limit} bytes", reply.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bomb_InAnUpload_IsResourceExhausted()
    {
        using RawClient raw = new(guarded.Plain);
        byte[] first = RawClient.Frame(0, new Ask());
        RawReply reply = await raw.PostAsync(
            "Upload", [.. first, .. RawClient.Frame(1, Bomb.Gzip)], ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"));
        Assert.Equal("8", reply.Status);
    }

    [Fact]
    public async Task Bomb_OnTheClient_IsResourceExhausted()
    {
        Transport.TransportClient client = new(gzip.Channel(gzip.Plain, options =>
        {
            options.MaxReceiveMessageSize = Limit;
            options.CompressionProviders = [new BoundedGzipProvider(Limit)];
        }));

        // 64 MiB of zeros are 64 KiB on the wire, far under the receive limit.
        RpcException unary = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(new Ask { Size = 64 << 20 }));
        using AsyncServerStreamingCall<Answer> call = client.Download(new Ask { Size = 64 << 20, Count = 2 });
        RpcException streamed = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());

        Assert.Equal(StatusCode.ResourceExhausted, unary.StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, streamed.StatusCode);
        Assert.Contains($"{Limit} bytes", unary.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gzip_Corrupt_IsInvalidArgument()
    {
        using RawClient raw = new(guarded.Plain);
        RawReply reply = await raw.PostAsync(
            "Unary", RawClient.Frame(1, [1, 2, 3, 4]), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip"));
        Assert.Equal("3", reply.Status);
    }

    [Fact]
    public async Task Flag_WithoutEncoding_IsInternal()
    {
        using RawClient raw = new(guarded.Plain);
        Assert.Equal("13", (await raw.PostAsync("Unary", RawClient.Frame(1, [1, 2, 3, 4]))).Status);
    }

    private static ByteString Zeros(int count) => ByteString.CopyFrom(new byte[count]);


    private static byte[] Deflated(byte[] content)
    {
        using MemoryStream compressed = new();
        using (Stream stream = new DeflateCompressionProvider(CompressionLevel.Fastest).CreateCompressionStream(compressed, null))
            stream.Write(content);
        return compressed.ToArray();
    }
}
