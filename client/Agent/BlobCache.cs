using System.Security.Cryptography;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>Blobs on the agent's disk, each under its SHA-256; what is half downloaded waits as <c>.part</c>.</summary>
/// <remarks>
/// A blob becomes visible under its name only after its bytes gave its hash, so what is there is whole. A cut
/// download goes on where it stopped. One process owns the folder.
/// </remarks>
public sealed class BlobCache
{
    private readonly string _folder;

    /// <summary>Opens or makes the folder.</summary>
    public BlobCache(string folder)
    {
        _folder = folder;
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
    public async Task<string> GetAsync(BlobReference blob, Federation.FederationClient coordinator, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(coordinator);
        if (Find(blob) is { } present)
            return present;

        ContentHash hash = new(blob.Sha256);
        string part = PathOf(hash) + ".part";
        using (IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            long length = await DownloadAsync(blob, hash, part, digest, coordinator, cancellation);
            ContentHash arrived = ContentHash.Finish(digest);
            if (length != blob.Length || arrived != hash)
            {
                File.Delete(part);
                throw new InvalidDataException(
                    $"Blob {hash}: {length} bytes with SHA-256 {arrived} arrived, {blob.Length} bytes were announced. The download starts afresh.");
            }
        }

        File.Move(part, PathOf(hash), overwrite: true);
        return PathOf(hash);
    }

    /// <summary>Deletes a blob that is not needed again.</summary>
    public void Forget(BlobReference blob)
    {
        ArgumentNullException.ThrowIfNull(blob);
        File.Delete(PathOf(new ContentHash(blob.Sha256)));
    }

    private static async Task<long> DownloadAsync(
        BlobReference blob, ContentHash hash, string part, IncrementalHash digest, Federation.FederationClient coordinator, CancellationToken cancellation)
    {
        await using FileStream file = new(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        if (file.Length > blob.Length)
            file.SetLength(0);
        await HashExistingAsync(file, digest, cancellation);

        FetchRequest request = new() { Sha256 = Google.Protobuf.ByteString.CopyFrom(blob.Sha256), Offset = file.Length };
        using var call = coordinator.Fetch(request, cancellationToken: cancellation);
        while (file.Position < blob.Length && await call.ResponseStream.MoveNext(cancellation))
        {
            ReadOnlyMemory<byte> data = call.ResponseStream.Current.Data.Memory;
            if (file.Position + data.Length > blob.Length)
                throw new InvalidDataException($"Blob {hash}: the coordinator sends more than the {blob.Length} bytes it announced.");

            digest.AppendData(data.Span);
            await file.WriteAsync(data, cancellation);
        }

        return file.Position;
    }

    private static async Task HashExistingAsync(FileStream file, IncrementalHash digest, CancellationToken cancellation)
    {
        byte[] buffer = new byte[ProtocolLimits.ChunkBytes];
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0;)
            digest.AppendData(buffer, 0, read);
    }

    private string PathOf(ContentHash hash) => Path.Combine(_folder, hash.ToString());
}
