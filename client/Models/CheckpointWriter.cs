using System.Numerics.Tensors;
using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Models;

/// <summary>Writes a model as a Hugging Face folder.</summary>
internal static class CheckpointWriter
{
    internal static void Save(PretrainedModel model, string folder, DType dtype)
    {
        Directory.CreateDirectory(folder);
        Replace(Path.Combine(folder, CheckpointFiles.SingleFile), stream =>
        {
            TensorInfo[] declared = [.. model.Parameters.Select(parameter => TensorInfo.Declare(parameter.Name, dtype, parameter.Value.shape))];
            using SafetensorsWriter writer = new(stream, declared, SafetensorsWriter.PyTorchMetadata, leaveOpen: true);
            Dictionary<string, Parameter> parameters = model.Parameters.ToDictionary(StringComparer.Ordinal);
            foreach (TensorInfo tensor in writer.Tensors)
                parameters[tensor.Name].VisitSlices((_, values) => Write(writer, tensor, values));
            writer.Complete();
        });
        Replace(Path.Combine(folder, CheckpointFiles.ConfigFile), stream => model.Config.Write(stream, Name(dtype)));
    }

    private static void Write(SafetensorsWriter writer, TensorInfo tensor, ReadOnlySpan<float> values)
    {
        // From here on a number rounds to infinity, which no model that loads the file could make good.
        const float TooLarge = 65520;
        if (tensor.DType == DType.F16 && TensorPrimitives.MaxMagnitude(values) is var largest && MathF.Abs(largest) >= TooLarge)
            throw new CheckpointException(FormattableString.Invariant($"tensor {TensorText.Quote(tensor.Name)} holds {largest}, beyond what F16 can; write the model as BF16 or F32."));
        writer.WriteTensor(tensor.Name, values);
    }

    /// <summary>Writes a file beside its final name first, so that a crash leaves either the old file or the new one.</summary>
    internal static void Replace(string path, Action<Stream> write)
    {
        string partial = path + ".partial";
        using (FileStream stream = File.Create(partial))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }

        File.Move(partial, path, overwrite: true);
    }

    private static string Name(DType dtype) => dtype switch
    {
        DType.F32 => "float32",
        DType.F16 => "float16",
        DType.BF16 => "bfloat16",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "A model is written as F32, F16 or BF16."),
    };
}
