using Federated.Shared.Tensors;
using Federated.Tests.Support;

namespace Federated.Shared.Tests.Tensors;

/// <summary>Files that the official library wrote: read, and written again byte for byte.</summary>
public sealed class SafetensorsFixtureTests
{
    public static TheoryData<string> Files { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Fixtures, "*.safetensors", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Repository.Fixtures, path)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Write_OfWhatWasRead_GivesTheOfficialBytes(string file)
    {
        string path = Path.Combine(Repository.Fixtures, file);
        using SafetensorsFile sut = SafetensorsFile.Open(path);
        using MemoryStream written = new();
        using SafetensorsWriter writer = new(written, sut.Tensors.Reverse(), sut.Metadata);
        foreach (TensorInfo tensor in writer.Tensors)
            writer.WriteTensor(tensor.Name, sut.Bytes(tensor));

        writer.Complete();
        Assert.Equal(File.ReadAllBytes(path), written.ToArray());
    }
}
