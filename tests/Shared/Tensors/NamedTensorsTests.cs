using Federated.Shared.Tensors;

namespace Federated.Shared.Tests.Tensors;

public sealed class NamedTensorsTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Save_ThenFromFile_GivesTheSameContentAndBytes()
    {
        NamedTensors sut = Sample();
        sut.Save(_path);
        byte[] bytes = File.ReadAllBytes(_path);
        NamedTensors back = NamedTensors.FromFile(_path);
        back.Save(_path);

        Assert.True(sut.ContentEquals(back));
        Assert.Equal(bytes, File.ReadAllBytes(_path));
        Assert.False(File.Exists(_path + ".part"));
        using SafetensorsFile file = SafetensorsFile.Open(_path);
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Fact]
    public void Save_AsF16_RoundsAndComesBack()
    {
        NamedTensors sut = Sample();
        sut.Save(_path, DType.F16);
        Assert.Equal((float)(Half)0.1f, NamedTensors.FromFile(_path)["b"][1]);
    }

    [Fact]
    public void FromFile_Integers_AreRefused()
    {
        using (SafetensorsWriter writer = new(File.Create(_path), [TensorInfo.Declare("ids", DType.I64, 1)]))
        {
            writer.WriteTensor("ids", new byte[8]);
            writer.Complete();
        }

        TensorFormatException error = Assert.Throws<TensorFormatException>(() => NamedTensors.FromFile(_path));
        Assert.Equal(TensorFormatReason.BadDType, error.Reason);
        Assert.Contains(_path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_AreInOrderOfAdding_AndContentIsComparedInAnyOrder()
    {
        NamedTensors sut = Sample(), other = new();
        other.Add("a", [2, 1], [1, float.NaN]);
        other.Add("b", [2], [0, 0.1f]);
        Assert.Equal(["b", "a"], sut.Names);
        Assert.True(sut.ContentEquals(other));
        Assert.Equal(4, sut.ElementCount);
        other["b"][0] = -0f;
        Assert.False(sut.ContentEquals(other));
    }

    [Fact]
    public void ContentEquals_OtherShapeOrNames_IsFalse()
    {
        NamedTensors flat = new(), tall = new(), named = new();
        flat.Add("a", [4], new float[4]);
        tall.Add("a", [2, 2], new float[4]);
        named.Add("b", [4], new float[4]);
        Assert.False(flat.ContentEquals(tall));
        Assert.False(flat.ContentEquals(named));
        Assert.False(flat.ContentEquals(new()));
    }

    [Fact]
    public void CloneAndZerosLike_ShareNothing()
    {
        NamedTensors sut = Sample(), clone = sut.Clone(), zeros = sut.ZerosLike();
        sut["b"][1] = 9;
        Assert.Equal(0.1f, clone["b"][1]);
        Assert.Equal([0, 0], zeros["b"]);
        Assert.Equal([2, 1], zeros.Shape("a"));
    }

    [Fact]
    public void Add_WrongShapeOrTakenName_IsRefused()
    {
        NamedTensors sut = Sample();
        Assert.Equal(TensorFormatReason.BadShape, Assert.Throws<TensorFormatException>(() => sut.Add("c", [3], new float[2])).Reason);
        Assert.Equal(TensorFormatReason.BadShape, Assert.Throws<TensorFormatException>(() => sut.Add("c", [-1, -2], new float[2])).Reason);
        Assert.Equal(TensorFormatReason.BadTensorSet, Assert.Throws<TensorFormatException>(() => sut.Add("a", [0], [])).Reason);
    }

    [Fact]
    public void Lookup_UnknownName_ListsTheNearest()
    {
        NamedTensors sut = new();
        foreach (string name in (string[])["layers.0.q_proj", "layers.0.k_proj", "layers.1.q_proj", "norm"])
            sut.Add(name, [1], [1]);

        TensorFormatException error = Assert.Throws<TensorFormatException>(() => sut["layers.0.qproj"]);
        Assert.Equal(TensorFormatReason.BadTensorSet, error.Reason);
        Assert.Contains("Nearest names: 'layers.0.q_proj'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("norm", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void SafetensorsFile_PointerAndSpans_ViewTheSameBytes()
    {
        Sample().Save(_path);
        SafetensorsFile file = SafetensorsFile.Open(_path);
        TensorInfo tensor = file.Info("b");
        Assert.Equal(0.1f, ((float*)file.Pointer(tensor))[1]);
        Assert.Equal(file.Bytes(tensor)[4..].ToArray(), file.Bytes(tensor, 4, 4).ToArray());
        Assert.Throws<ArgumentException>(() => file.Bytes(tensor, 4, 5).Length);
        Assert.Throws<ArgumentException>(() => file.ReadFloats(tensor, 1, new float[2]));
        Assert.Throws<ArgumentException>(() => file.ReadFloats(tensor, new float[1]));
        Assert.Throws<ArgumentException>(() => file.Pointer(tensor with { Offset = 4 }));
        Assert.Throws<ArgumentException>(() => file.Pointer(TensorInfo.Declare("stranger", DType.F32)));
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Pointer(tensor));
    }

    private static NamedTensors Sample()
    {
        NamedTensors sample = new();
        sample.Add("b", [2], [0, 0.1f]);
        sample.Add("a", [2, 1], [1, float.NaN]);
        return sample;
    }
}
