using Federated.Coordinator.Rounds;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>What a site may fetch: the base models and the global adapters of its runs. Never another site's update.</summary>
internal sealed class BlobSource(RunRegistry runs, BlobStore blobs, ModelFolders models)
{
    /// <summary>Opens content for a site.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.NoSuchBlob"/>.</exception>
    public IDiskFile Open(string site, ReadOnlySpan<byte> sha256)
    {
        if (sha256.Length != ContentHash.Size)
            throw new FederatedException(RejectReason.Malformed, $"A hash of {sha256.Length} bytes; a SHA-256 has {ContentHash.Size}.");

        ContentHash hash = new(sha256);
        foreach (RunLoop run in runs.Of(site, []))
        {
            RunState state = run.State;
            if (state.Globals.Exists(global => Is(global, hash)))
                return blobs.Open(hash);
            if (state.Model.FirstOrDefault(file => Is(file.Content, hash)) is not null)
                return models.Open(hash);
        }

        throw new FederatedException(RejectReason.NoSuchBlob, "No base model or global adapter of this site's runs has that hash. Take the hash from the newest plan.");
    }

    private static bool Is(BlobReference blob, ContentHash hash) => blob.Sha256.AsSpan().SequenceEqual(hash.ToArray());
}
