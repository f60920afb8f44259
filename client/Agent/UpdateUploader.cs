using System.Buffers;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Client.Agent;

/// <summary>Sends one update: the manifest, then its bytes in chunks.</summary>
public static class UpdateUploader
{
    /// <summary>Slowest line the deadline allows for: 64 KiB/s, and a minute for the coordinator's disk.</summary>
    private const double SlowestBytesPerSecond = 64 * 1024;

    /// <summary>Sends <paramref name="update"/> and waits until the coordinator has made it durable.</summary>
    /// <returns>False when the coordinator already had exactly this update.</returns>
    /// <exception cref="RpcException">The refusal, with the true status even when the upload was cut midway.</exception>
    public static async Task<bool> SendAsync(
        Federation.FederationClient coordinator, UpdateManifest manifest, string update, TimeProvider clock, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(clock);
        DateTime deadline = clock.GetUtcNow().UtcDateTime.AddSeconds(60 + (manifest.Content.Length / SlowestBytesPerSecond));
        using var call = coordinator.Upload(deadline: deadline, cancellationToken: cancellation);
        try
        {
            await call.RequestStream.WriteAsync(new() { Manifest = UnsafeByteOperations.UnsafeWrap(Records.Encode(manifest)) }, cancellation);
            await SendChunksAsync(call.RequestStream, update, cancellation);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException && !cancellation.IsCancellationRequested)
        {
            // A refusal midway breaks the write first; the true status is always in the response.
        }

        UploadReceipt receipt = await call.ResponseAsync;
        return !receipt.Duplicate;
    }

    private static async Task SendChunksAsync(IClientStreamWriter<UploadPart> stream, string update, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.ChunkBytes);
        try
        {
            await using FileStream file = File.OpenRead(update);
            Memory<byte> chunk = buffer.AsMemory(0, ProtocolLimits.ChunkBytes);
            for (int read; (read = await file.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellation)) > 0;)
            {
                // The message is serialised before WriteAsync returns, so the buffer may be filled again afterwards.
                await stream.WriteAsync(new() { Chunk = UnsafeByteOperations.UnsafeWrap(chunk[..read]) }, cancellation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
