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
                parameters[tensor.Name].VisitSlices((_, values) => writer.WriteTensor(tensor.Name, (ReadOnlySpan<float>)values));
            writer.Complete();
        });
        Replace(Path.Combine(folder, CheckpointFiles.ConfigFile), stream => model.Config.Write(stream, Name(dtype)));
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
