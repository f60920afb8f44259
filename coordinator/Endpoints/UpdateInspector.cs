using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Endpoints;

/// <summary>Looks at the content of an update before it may count: header, tensors, digest, finite values, norm; in this order.</summary>
/// <remarks>What is expected follows from the round's starting adapter: an update has its tensors, no more, no less, in float32.</remarks>
internal sealed class UpdateInspector(BlobStore blobs)
{
    private const int BlockBytes = 256 * 1024;

    private readonly ConcurrentDictionary<string, (ContentHash Global, SafetensorsHeader Header)> _headers = new(StringComparer.Ordinal);

    /// <summary>Checks the announced length before a byte is read.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.MessageTooLarge"/>.</exception>
    public static void CheckLength(UpdateManifest manifest, RoundPlan plan)
    {
        // The same tensors in a header of another writer: its text may differ, up to the header limit.
        long largest = plan.Global.Length + SafetensorsLimits.Upload.MaxHeaderBytes;
        if (manifest.Content.Length > largest)
        {
            throw new FederatedException(RejectReason.MessageTooLarge,
                $"The manifest announces {manifest.Content.Length} bytes; the round's adapter has {plan.Global.Length}, at most {largest} are taken. Train the plan's adapter.");
        }
    }

    /// <summary>Checks what was received.</summary>
    /// <param name="received">All the announced bytes.</param>
    /// <param name="manifest">What was announced.</param>
    /// <param name="plan">The open round's plan.</param>
    /// <returns>L2 norm of the difference from the round's starting adapter.</returns>
    /// <exception cref="FederatedException">The content is not what the plan asks for.</exception>
    public double Inspect(BlobWriter received, UpdateManifest manifest, RoundPlan plan)
    {
        ContentHash globalHash = new(plan.Global.Sha256);
        using IDiskFile global = blobs.Open(globalHash);
        SafetensorsHeader expected = Expected(plan.Run, globalHash, global);
        SafetensorsHeader header = ParseUpload(received.File);
        CheckTensors(header, expected);
        if (received.Digest() != new ContentHash(manifest.Content.Sha256))
        {
            throw new FederatedException(RejectReason.DigestMismatch,
                $"The {received.Length} bytes received do not have the announced SHA-256. They were damaged on the way; send the update again.");
        }

        double norm = Math.Sqrt(header.Tensors.Sum(tensor => SquaredDistance(tensor, received.File, header, global, expected)));
        if (plan.NormCap > 0 && !(norm <= plan.NormCap))
        {
            throw new FederatedException(RejectReason.NormCap,
                $"The update differs from the global adapter by a norm of {norm:G4}; the plan's cap is {plan.NormCap:G4}. Lower the learning rate or the number of steps.");
        }

        return norm;
    }

    /// <summary>The header of a run's global adapter; the newest is kept, since a whole cohort is judged by it.</summary>
    private SafetensorsHeader Expected(string run, ContentHash hash, IDiskFile global)
    {
        if (_headers.TryGetValue(run, out (ContentHash Global, SafetensorsHeader Header) known) && known.Global == hash)
            return known.Header;

        SafetensorsHeader header = ReadHeader(global, SafetensorsLimits.Local, "the global adapter");
        _headers[run] = (hash, header);
        return header;
    }

    private static SafetensorsHeader ParseUpload(IDiskFile file)
    {
        try
        {
            return ReadHeader(file, SafetensorsLimits.Upload, "update");
        }
        catch (TensorFormatException e)
        {
            // The parser's text may quote names from the upload; the sender gets the kind of breach only.
            RejectReason reason = e.Reason switch
            {
                TensorFormatReason.BadShape => RejectReason.BadShape,
                TensorFormatReason.BadDType => RejectReason.BadDType,
                TensorFormatReason.BadOffsets => RejectReason.BadOffsets,
                TensorFormatReason.BadTensorSet => RejectReason.BadTensorSet,
                _ => RejectReason.BadHeader,
            };
            throw new FederatedException(reason,
                $"The update ({file.Length} bytes) is no safetensors file that is taken here: {Describe(reason)}. Write it with the agent of this release.", e);
        }
    }

    private static string Describe(RejectReason reason) => reason switch
    {
        RejectReason.BadShape => "a shape is malformed or too large",
        RejectReason.BadDType => "an element type is unknown",
        RejectReason.BadOffsets => "its tensors overlap, leave gaps or do not end with the file",
        RejectReason.BadTensorSet => "a tensor stands there twice, or too many do",
        _ => "its header is malformed or too long",
    };

    private static SafetensorsHeader ReadHeader(IDiskFile file, SafetensorsLimits limits, string source)
    {
        Span<byte> prefix = stackalloc byte[SafetensorsHeader.PrefixLength];
        int got = file.Read(0, prefix);
        byte[] json = new byte[SafetensorsHeader.ReadJsonLength(prefix[..got], file.Length, limits, source)];
        file.Read(SafetensorsHeader.PrefixLength, json);
        return SafetensorsHeader.Parse(json, file.Length, limits, source);
    }

    private static void CheckTensors(SafetensorsHeader header, SafetensorsHeader expected)
    {
        foreach (TensorInfo wanted in expected.Tensors)
        {
            if (!header.TryGetInfo(wanted.Name, out TensorInfo? got))
                throw new FederatedException(RejectReason.BadTensorSet, $"The update lacks tensor '{wanted.Name}'. Train the plan's adapter and send all of it.");
            if (got.DType != wanted.DType)
                throw new FederatedException(RejectReason.BadDType, $"Tensor '{wanted.Name}' has element type {got.DType}, {wanted.DType} is wanted. Convert it before sending.");
            if (!got.Shape.SequenceEqual(wanted.Shape))
            {
                throw new FederatedException(RejectReason.BadShape,
                    $"Tensor '{wanted.Name}' has shape ({string.Join(", ", got.Shape)}), ({string.Join(", ", wanted.Shape)}) is wanted. The agent trains another adapter or another base model.");
            }
        }

        if (header.Tensors.Count != expected.Tensors.Count)
        {
            throw new FederatedException(RejectReason.BadTensorSet,
                $"The update has {header.Tensors.Count} tensors, the plan's adapter {expected.Tensors.Count}. Send the adapter's tensors only.");
        }
    }

    private static double SquaredDistance(TensorInfo tensor, IDiskFile update, SafetensorsHeader header, IDiskFile global, SafetensorsHeader expected)
    {
        byte[] mine = ArrayPool<byte>.Shared.Rent(BlockBytes);
        byte[] theirs = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            long at = header.DataStart + tensor.Offset;
            long reference = expected.DataStart + expected.Info(tensor.Name).Offset;
            double sum = 0;
            for (long done = 0; done < tensor.Length;)
            {
                int count = (int)Math.Min(BlockBytes, tensor.Length - done);
                if (update.Read(at + done, theirs.AsSpan(0, count)) != count || global.Read(reference + done, mine.AsSpan(0, count)) != count)
                    throw new IOException("A blob became shorter while it was read.");

                sum += SquaredDistance(tensor, done, MemoryMarshal.Cast<byte, float>(theirs.AsSpan(0, count)), MemoryMarshal.Cast<byte, float>(mine.AsSpan(0, count)));
                done += count;
            }

            return sum;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(mine);
            ArrayPool<byte>.Shared.Return(theirs);
        }
    }

    private static double SquaredDistance(TensorInfo tensor, long offset, Span<float> update, ReadOnlySpan<float> global)
    {
        int bad = TensorScan.IndexOfNonFinite(update);
        if (bad >= 0)
        {
            throw new FederatedException(RejectReason.NotFinite,
                $"Tensor '{tensor.Name}' holds NaN or infinity at element {(offset / sizeof(float)) + bad}. Training diverged: lower the learning rate, or clip gradients.");
        }

        System.Numerics.Tensors.TensorPrimitives.Subtract(update, global, update);
        return TensorScan.SumOfSquares(update);
    }
}
