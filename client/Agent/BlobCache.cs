using System.Security.Cryptography;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>Blobs on the agent's disk, each under its SHA-256; what is half downloaded waits as <c>.part</c>.</summary>
/// <remarks>
/// A blob becomes visible under its name only after its bytes gave its hash and reached the disk, so what is there is whole. A cut
/// download goes on where it stopped. One process owns the folder.
/// </remarks>
public sealed class BlobCache
{
    private const string PartEnding = ".part";

    /// <summary>Longest pause between two chunks before the download is tried again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly TimeProvider _clock;

    /// <summary>Opens or makes the folder.</summary>
    public BlobCache(string folder, TimeProvider clock)
    {
        (_folder, _clock) = (folder, clock);
        Directory.CreateDirectory(folder);
    }

    /// <summary>Path of a blob that is here and has the right length; null when it must be fetched.</summary>
    public string? Find(BlobReference blob)
    {
        ArgumentNullException.ThrowIfNull(blob);
        FileInfo file = new(PathOf(new ContentHash(blob.Sha256)));
        return file.Exists && file.Length == blob.Length ? file.FullName : null;
    }

    /// <summary>Path of the blob, fetched from the coordinator when it is not here.</summary>
    /// <exception cref="InvalidDataException">What arrived does not have the announced length or hash; the part is deleted.</exception>
    /// <exception cref="Grpc.Core.RpcException">The coordinator's refusal, or the connection broke; the part waits.</exception>
    public async Task<string> GetAsync(BlobReference blob, Federation.FederationClient coordinator, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        if (Find(blob) is { } present)
        {
            // The order of use, which is the order in which Trim keeps.
            File.SetLastWriteTimeUtc(present, _clock.GetUtcNow().UtcDateTime);
            return present;
        }

        ContentHash hash = new(blob.Sha256);
        string part = PathOf(hash) + PartEnding;
        try
        {
            await CallGuard.RunAsync("Fetch", Patience, _clock, guard => DownloadAsync(blob, hash, part, coordinator, guard), cancellation);
        }
        catch (Exception e) when (e is InvalidDataException || (e is Grpc.Core.RpcException refusal && RetryPolicy.ReasonOf(refusal) == RejectReason.LengthMismatch))
        {
            File.Delete(part);
            throw;
        }

        File.Move(part, PathOf(hash), overwrite: true);
        File.SetLastWriteTimeUtc(PathOf(hash), _clock.GetUtcNow().UtcDateTime);
        return PathOf(hash);
    }

    /// <summary>Deletes a blob that is not needed again.</summary>
    public void Forget(BlobReference blob)
    {
        ArgumentNullException.ThrowIfNull(blob);
        File.Delete(PathOf(new ContentHash(blob.Sha256)));
    }

    /// <summary>Deletes what has not been used for longest until the folder, with <paramref name="needed"/> in it, has at most <paramref name="budget"/> bytes.</summary>
    /// <param name="needed">Blobs that stay whatever their size.</param>
    /// <param name="budget">Bytes.</param>
    public void Trim(IReadOnlyCollection<BlobReference> needed, long budget)
    {
        Dictionary<string, long> staying = needed.DistinctBy(blob => new ContentHash(blob.Sha256))
            .ToDictionary(blob => new ContentHash(blob.Sha256).ToString(), blob => blob.Length, StringComparer.Ordinal);
        FileInfo[] others = [.. new DirectoryInfo(_folder).EnumerateFiles().Where(file => !staying.ContainsKey(Path.GetFileNameWithoutExtension(file.Name)))];
        long total = staying.Values.Sum() + others.Sum(file => file.Length);
        foreach (FileInfo file in others.OrderBy(file => file.LastWriteTimeUtc).TakeWhile(_ => total > budget))
        {
            total -= file.Length;
            file.Delete();
        }
    }

    private static async Task<bool> DownloadAsync(
        BlobReference blob, ContentHash hash, string part, Federation.FederationClient coordinator, CallGuard guard)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using FileStream file = new(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        if (file.Length > blob.Length)
            file.SetLength(0);
        await HashExistingAsync(file, digest, guard.Token);
        guard.Moved();

        if (file.Length < blob.Length)
            await AppendAsync(blob, file, digest, coordinator, guard);
        ContentHash arrived = ContentHash.Finish(digest);
        if (file.Length != blob.Length || arrived != hash)
        {
            throw new InvalidDataException(
                $"Blob {hash}: {file.Length} bytes with SHA-256 {arrived} arrived, {blob.Length} bytes were announced. The download starts afresh.");
        }

        file.Flush(flushToDisk: true);
        return true;
    }

    private static async Task AppendAsync(
        BlobReference blob, FileStream file, IncrementalHash digest, Federation.FederationClient coordinator, CallGuard guard)
    {
        FetchRequest request = new() { Sha256 = Google.Protobuf.ByteString.CopyFrom(blob.Sha256), Offset = file.Length };
        using var call = coordinator.Fetch(request, cancellationToken: guard.Token);
        while (await call.ResponseStream.MoveNext(guard.Token))
        {
            ReadOnlyMemory<byte> data = call.ResponseStream.Current.Data.Memory;
            if (data.Length > blob.Length - file.Position)
                throw new InvalidDataException($"Blob {new ContentHash(blob.Sha256)}: the coordinator sends more than the {blob.Length} bytes it announced. The download starts afresh.");

            digest.AppendData(data.Span);
            await file.WriteAsync(data, guard.Token);
            // An empty chunk is no progress: a stream of them must not hold the round for ever.
            if (data.Length > 0)
                guard.Moved();
        }
    }

    private static async Task HashExistingAsync(FileStream file, IncrementalHash digest, CancellationToken cancellation)
    {
        byte[] buffer = new byte[ProtocolLimits.ChunkBytes];
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0;)
            digest.AppendData(buffer, 0, read);
    }

    private string PathOf(ContentHash hash) => Path.Combine(_folder, hash.ToString());
}
