using System.Buffers;
using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>Where the agents' bytes come in: limits, identity, then hand over.</summary>
internal sealed class FederationService(
    CallerGate gate, RunRegistry runs, SiteRegistrations sites, BlobSource blobs, WorkStream work, UploadReceiver uploads, IHostApplicationLifetime lifetime)
    : Federation.FederationBase
{
    /// <inheritdoc/>
    public override Task<JoinReply> Join(JoinRequest request, ServerCallContext context)
    {
        string site = gate.DemandSite(context);
        if (request.ProtocolVersion != ProtocolLimits.Version)
        {
            throw new FederatedException(RejectReason.ProtocolVersion,
                $"The agent speaks version {request.ProtocolVersion} of the protocol, the coordinator version {ProtocolLimits.Version}. Update the older of the two.");
        }

        IReadOnlyList<RunLoop> own = runs.Of(site, request.Runs);
        sites.Register(site, request.TrainingExamples);
        JoinReply reply = new() { ProtocolVersion = ProtocolLimits.Version, CoordinatorVersion = ProductVersion.Text, Site = site };
        reply.Runs.Add(own.Select(run => run.Run));
        return Task.FromResult(reply);
    }

    /// <inheritdoc/>
    public override async Task Work(IAsyncStreamReader<AgentEvent> requestStream, IServerStreamWriter<AgentTask> responseStream, ServerCallContext context)
    {
        string site = gate.DemandSite(context);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await work.ServeAsync(site, requestStream, responseStream, end.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new FederatedException(RejectReason.Stopping, "The coordinator is stopping. Connect again when it is back.", e);
        }
    }

    /// <inheritdoc/>
    public override async Task Fetch(FetchRequest request, IServerStreamWriter<BlobChunk> responseStream, ServerCallContext context)
    {
        string site = gate.DemandSite(context);
        using IDiskFile blob = blobs.Open(site, request.Sha256.Span);
        long length = blob.Length;
        if (request.Offset < 0 || request.Offset > length)
        {
            throw new FederatedException(RejectReason.LengthMismatch,
                $"Offset {request.Offset} is outside the blob of {length} bytes. Delete the partial download and begin again.");
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.ChunkBytes);
        try
        {
            long offset = request.Offset;
            bool first = true;
            do
            {
                int read = blob.Read(offset, buffer.AsSpan(0, (int)Math.Min(ProtocolLimits.ChunkBytes, length - offset)));
                if (read == 0 && offset < length)
                    throw new IOException($"A blob of {length} bytes ends at {offset}.");

                // Serialised before WriteAsync returns: the buffer may be filled again afterwards.
                BlobChunk chunk = new() { Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read)), TotalLength = first ? length : 0 };
                await responseStream.WriteAsync(chunk, context.CancellationToken);
                offset += read;
                first = false;
                if (lifetime.ApplicationStopping.IsCancellationRequested)
                    throw new FederatedException(RejectReason.Stopping, "The coordinator is stopping. Fetch the rest when it is back.");
                if (offset >= length)
                    return;
            }
            while (true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public override async Task<UploadReceipt> Upload(IAsyncStreamReader<UploadPart> requestStream, ServerCallContext context)
    {
        string site = gate.DemandSite(context);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            return await uploads.ReceiveAsync(site, requestStream, context.GetHttpContext(), end.Token);
        }
        catch (OperationCanceledException e) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new FederatedException(RejectReason.Stopping, "The coordinator is stopping. Send the update again when it is back.", e);
        }
    }
}
