using System.Buffers;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Client.Agent;

/// <summary>Sends one update: the manifest, then its bytes in chunks.</summary>
public static class UpdateUploader
{
    /// <summary>Longest pause: a chunk on the slowest line that is worth having, or the coordinator's disk at the end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Sends <paramref name="update"/> and waits until the coordinator has made it durable.</summary>
    /// <returns>False when the coordinator already had exactly this update.</returns>
    /// <exception cref="RpcException">The refusal, with the true status even when the upload was cut midway.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<bool> SendAsync(
        Federation.FederationClient coordinator, UpdateManifest manifest, string update, TimeProvider clock, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(clock);
        UploadReceipt receipt = await CallGuard.RunAsync("Upload", Patience, clock, async guard =>
        {
            await using FileStream file = File.OpenRead(update);
            using var call = coordinator.Upload(cancellationToken: guard.Token);
            UploadPart first = new() { Manifest = UnsafeByteOperations.UnsafeWrap(Records.Encode(manifest)) };
            if (await TrySendAsync(call.RequestStream, first, guard) && await TrySendChunksAsync(call.RequestStream, file, guard))
                await call.RequestStream.CompleteAsync();

            return await call.ResponseAsync;
        }, cancellation);
        return !receipt.Duplicate;
    }

    private static async Task<bool> TrySendChunksAsync(IClientStreamWriter<UploadPart> stream, FileStream file, CallGuard guard)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.ChunkBytes);
        try
        {
            Memory<byte> chunk = buffer.AsMemory(0, ProtocolLimits.ChunkBytes);
            for (int read; (read = await file.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, guard.Token)) > 0;)
            {
                // The message is serialised before WriteAsync returns, so the buffer may be filled again afterwards.
                if (!await TrySendAsync(stream, new() { Chunk = UnsafeByteOperations.UnsafeWrap(chunk[..read]) }, guard))
                    return false;
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>False when the call is over: a refusal midway breaks the write first, and the true status is in the response.</summary>
    private static async Task<bool> TrySendAsync(IClientStreamWriter<UploadPart> stream, UploadPart part, CallGuard guard)
    {
        try
        {
            await stream.WriteAsync(part, guard.Token);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
        {
            return false;
        }

        guard.Moved();
        return true;
    }
}
