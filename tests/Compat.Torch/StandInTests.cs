using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>What the official package does not have: the door to libtorch's operators, memory handed over, the mark of a stand-in.</summary>
public class StandInTests
{
    [Fact]
    public void Call_ArgumentOfTheWrongKind_Throws()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = ones(2);

        Assert.Throws<ExternalException>(() => NativeOps.Call("aten::relu", 3.5));
        Assert.Throws<ExternalException>(() => NativeOps.Call("aten::relu", tensor, tensor));
        Assert.Contains(
            "argument 'dim' has no default", Assert.Throws<ExternalException>(() => NativeOps.Call("aten::unsqueeze", tensor)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Operator_UnknownName_SaysWhichLibtorchLacksIt()
    {
        ExternalException exception = Assert.Throws<ExternalException>(() => NativeOps.Call("federated::nothing.such"));

        Assert.Contains($"this libtorch ({NativeOps.LibtorchVersion}) has no operator federated::nothing.such", exception.Message, StringComparison.Ordinal);
        Assert.False(NativeOps.Has("federated::nothing.such"));
        Assert.True(NativeOps.Has("aten::add.Tensor"));
    }

    [Fact]
    public void Call_DisposedGenerator_ThrowsManaged()
    {
        Generator generator = new(1);
        generator.Dispose();

        Assert.Throws<ExternalException>(() => generator.manual_seed(3));
        Assert.Throws<ExternalException>(() => randn(3, generator: generator));
    }

    // The official package reads a tensor that is not there.
    [Fact]
    public void IndexPut_AccumulatingAtANumber_IsRefused()
    {
        using Tensor tensor = zeros(2, 3), one = ones(1);

        Assert.Throws<ArgumentException>(() => tensor.index_put_(one, [TensorIndex.Tensor(zeros(1, dtype: int64)), 0], accumulate: true));
    }

    [Fact]
    public void Load_HostileHeaders_AreRefused()
    {
        byte[] manyElements = [6, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F], manyDimensions = [6, 0xFF, 0xFF, 0x7F], noType = [99, 1, 1];
        Assert.ThrowsAny<SystemException>(() => TensorExtensionMethods.Load(new BinaryReader(new MemoryStream(manyElements))));
        Assert.Throws<InvalidDataException>(() => TensorExtensionMethods.Load(new BinaryReader(new MemoryStream(manyDimensions))));
        Assert.Throws<InvalidDataException>(() => TensorExtensionMethods.Load(new BinaryReader(new MemoryStream(noType))));
    }

    [Fact]
    public unsafe void FromMemory_MappedFile_IsReadInPlaceAndReleasedOnce()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, MemoryMarshal.AsBytes<float>([1, 2, 3, 4, 5, 6]).ToArray());
            using var map = System.IO.MemoryMappedFiles.MemoryMappedFile.CreateFromFile(file, FileMode.Open);
            using var accessor = map.CreateViewAccessor();
            byte* data = null;
            accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref data);
            int released = 0;
            using (Tensor tensor = NativeOps.FromMemory(data, [2, 3], float32, () =>
            {
                accessor.SafeMemoryMappedViewHandle.ReleasePointer();
                released++;
            }))
            using (Tensor row = tensor[1])
            {
                accessor.Write(4, 20f);
                Assert.Equal(27, tensor.sum().item<float>() - 12);
                Assert.Equal(15, row.sum().item<float>());
                Assert.Equal(0, released);
            }

            Assert.Equal(1, released);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Assembly_Metadata_SaysItIsAStandIn()
    {
        AssemblyMetadataAttribute[] metadata = [.. typeof(torch).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()];

        Assert.Contains(metadata, m => m is { Key: "StandIn", Value: "true" });
        Assert.Contains(metadata, m => m is { Key: "StandInFor", Value: "TorchSharp 0.107.0" });
    }

    [Fact]
    public void Operators_EveryOneTheStandInNames_ExistsInThisLibtorch()
    {
        FieldInfo[] fields = typeof(Aten).GetFields(BindingFlags.Static | BindingFlags.NonPublic);

        string[] missing = [.. fields.Select(f => f.GetValue(null)!.ToString()!).Where(name => !NativeOps.Has(name))];

        Assert.True(fields.Length > 200);
        Assert.Empty(missing);
    }
}
