using System.Collections.Concurrent;
using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>Takes one update: manifest first, bytes to a temporary blob while they are hashed, content checks, durable, counted, answered.</summary>
internal sealed class UploadReceiver(
    RunRegistry runs, SiteRegistrations sites, BlobStore blobs, IJournal journal, UpdateInspector inspector, TimeProvider clock, FailPoints failPoints)
{
    /// <summary>Until the manifest must be here.</summary>
    private static readonly TimeSpan PatienceForTheManifest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestUpload = TimeSpan.FromHours(2);

    private readonly ConcurrentDictionary<(string Run, string Site), bool> _open = [];

    /// <summary>Receives an update of <paramref name="site"/>.</summary>
    /// <returns>The receipt; what it acknowledges survives a crash.</returns>
    /// <exception cref="FederatedException">The update does not count, and why.</exception>
    public async Task<UploadReceipt> ReceiveAsync(string site, IAsyncStreamReader<UploadPart> parts, HttpContext http, CancellationToken cancellation)
    {
        RefuseCompression(http);
        using CancellationTokenSource slow = new(PatienceForTheManifest, clock);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(slow.Token, cancellation);
        try
        {
            UpdateManifest manifest = await ReadManifestAsync(parts, end.Token);
            slow.CancelAfter(Patience(manifest.Content.Length));
            return await ReceiveAsync(site, manifest, parts, http, end.Token);
        }
        catch (Exception e) when (slow.IsCancellationRequested && !cancellation.IsCancellationRequested && e is OperationCanceledException or RpcException or IOException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, "The upload took too long: 64 KiB a second and a minute are given. Send the same bytes again."));
        }
    }

    /// <summary>A minute, and as long as 64 KiB a second take; two hours at most.</summary>
    private static TimeSpan Patience(long length) =>
        TimeSpan.FromSeconds(Math.Min(LongestUpload.TotalSeconds, 60 + (length / (64.0 * 1024))));

    private async Task<UploadReceipt> ReceiveAsync(
        string site, UpdateManifest manifest, IAsyncStreamReader<UploadPart> parts, HttpContext http, CancellationToken cancellation)
    {
        if (!string.Equals(manifest.Site, site, StringComparison.Ordinal))
            throw new FederatedException(RejectReason.IdentityMismatch, $"The manifest names another site than the token, which is of '{site}'. Send updates of this site only.");

        RunLoop run = runs.Get(manifest.Run);
        if (!_open.TryAdd((run.Run, site), true))
            throw new FederatedException(RejectReason.Busy, $"Another upload of site '{site}' for run '{run.Run}' is under way. Wait for its answer.");

        try
        {
            return await ReceiveAsync(run, manifest, parts, http, cancellation);
        }
        finally
        {
            _open.TryRemove((run.Run, site), out _);
        }
    }

    private async Task<UploadReceipt> ReceiveAsync(
        RunLoop run, UpdateManifest manifest, IAsyncStreamReader<UploadPart> parts, HttpContext http, CancellationToken cancellation)
    {
        RunState state = run.State;
        if (Admission.Check(state, manifest) is { } early)
        {
            // Evidence of a conflict goes to the journal before the sender hears of it; the loop alone writes there.
            return Conclude(run, manifest, early.Reason == RejectReason.ConflictingUpdate ? await run.OfferAsync(manifest, 0) : early);
        }

        OpenRound open = state.Open!;
        try
        {
            UpdateInspector.CheckLength(manifest, open.Plan);
            using BlobWriter blob = blobs.Begin(manifest.Content.Length);
            await ReadBytesAsync(parts, blob, manifest, cancellation);
            double norm = inspector.Inspect(blob, manifest, open.Plan);
            sites.CheckWeight(manifest);
            return await CountAsync(run, manifest, norm, blob, http);
        }
        catch (FederatedException e) when (IsFault(e.Reason))
        {
            run.Post(new UpdateRefused(manifest.Site, manifest.Round, manifest.Attempt, e.Reason));
            throw;
        }
    }

    private async Task<UploadReceipt> CountAsync(RunLoop run, UpdateManifest manifest, double norm, BlobWriter blob, HttpContext http)
    {
        ContentHash hash = blob.Commit();
        failPoints.Reach(FailPoints.BlobFlushed);
        UpdateVerdict verdict;
        try
        {
            verdict = await run.OfferAsync(manifest, norm);
        }
        catch
        {
            blobs.Release(hash);
            throw;
        }

        bool counts = verdict is { Reason: null, Duplicate: false };
        if (!counts)
            blobs.Release(hash);

        http.Response.OnCompleted(() =>
        {
            if (counts)
                failPoints.Reach(FailPoints.OkSent);
            return Task.CompletedTask;
        });
        return Conclude(run, manifest, verdict);
    }

    /// <summary>The receipt for a verdict, or the refusal. An update for a closed round may have been accepted while it was open: then its sender gets its OK after all.</summary>
    private UploadReceipt Conclude(RunLoop run, UpdateManifest manifest, UpdateVerdict verdict)
    {
        if (verdict.Reason is RejectReason.RoundClosed or RejectReason.WrongAttempt
            && journal.FindUpdate(run.Run, manifest.Round, manifest.Attempt, manifest.Site) is { } accepted)
        {
            verdict = accepted == new ContentHash(manifest.Content.Sha256) ? UpdateVerdict.Known : Admission.Conflict(manifest);
        }

        return verdict.Reason is { } reason
            ? throw new FederatedException(reason, verdict.Message)
            : new UploadReceipt { Duplicate = verdict.Duplicate };
    }

    private static async Task<UpdateManifest> ReadManifestAsync(IAsyncStreamReader<UploadPart> parts, CancellationToken cancellation)
    {
        if (!await parts.MoveNext(cancellation) || parts.Current.PartCase != UploadPart.PartOneofCase.Manifest)
            throw new FederatedException(RejectReason.Malformed, "The first part of an upload must be its manifest.");

        UpdateManifest manifest = Records.Decode<UpdateManifest>(parts.Current.Manifest.Memory, "manifest");
        ManifestCheck.Demand(manifest);
        return manifest;
    }

    private static async Task ReadBytesAsync(IAsyncStreamReader<UploadPart> parts, BlobWriter blob, UpdateManifest manifest, CancellationToken cancellation)
    {
        long announced = manifest.Content.Length;
        while (await parts.MoveNext(cancellation))
        {
            UploadPart part = parts.Current;
            if (part.PartCase != UploadPart.PartOneofCase.Chunk || part.Chunk.IsEmpty)
                throw new FederatedException(RejectReason.Malformed, "After the manifest come chunks of at least one byte each, nothing else.");
            if (part.Chunk.Length > announced - blob.Length)
                throw new FederatedException(RejectReason.LengthMismatch, $"More bytes came than the {announced} that the manifest announces. Send the update again.");

            blob.Append(part.Chunk.Span);
        }

        if (blob.Length != announced)
            throw new FederatedException(RejectReason.LengthMismatch, $"The upload ended after {blob.Length} of the {announced} bytes that the manifest announces. Send the update again.");
    }

    private static void RefuseCompression(HttpContext http)
    {
        string? encoding = http.Request.Headers["grpc-encoding"];
        if (encoding is not null && !string.Equals(encoding, "identity", StringComparison.Ordinal))
        {
            http.Response.Headers["grpc-accept-encoding"] = "identity";
            throw new FederatedException(RejectReason.Encoding, "Uploads are not compressed: random-looking floats gain nothing. Send the parts plain.");
        }
    }

    /// <summary>What is wrong with the content itself, so that the site need not be waited for.</summary>
    private static bool IsFault(RejectReason reason) => reason is RejectReason.BadHeader or RejectReason.BadShape or RejectReason.BadDType
        or RejectReason.BadOffsets or RejectReason.BadTensorSet or RejectReason.NotFinite or RejectReason.NormCap or RejectReason.BadWeight;
}
