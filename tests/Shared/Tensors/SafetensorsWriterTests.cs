using System.Text;
using Federated.Shared.Tensors;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Shared.Tests.Tensors;

public sealed class SafetensorsWriterTests
{
    [Fact]
    public void Header_OfAFewTensors_IsTheOfficialText()
    {
        (SafetensorsHeader header, byte[] bytes) = SafetensorsHeader.Create(
            [TensorInfo.Declare("b", DType.F16, 2, 2), TensorInfo.Declare("a\"\n", DType.F16), TensorInfo.Declare("z", DType.I64, 1), TensorInfo.Declare("f", DType.F32, 0)],
            new Dictionary<string, string> { ["y"] = "é", ["x"] = "1" });

        const string Json = """{"__metadata__":{"x":"1","y":"é"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"f":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},"a\"\n":{"dtype":"F16","shape":[],"data_offsets":[8,10]},"b":{"dtype":"F16","shape":[2,2],"data_offsets":[10,18]}}""";
        string text = Encoding.UTF8.GetString(bytes.AsSpan(8));
        Assert.Equal(Json, text.TrimEnd(' '));
        Assert.Equal(0, bytes.Length % 8);
        Assert.InRange(text.Length - Json.Length, 0, 7);
        Assert.Equal(bytes.Length - 8, (int)BitConverter.ToUInt64(bytes));
        Assert.Equal(18, header.DataLength);
    }

    [Fact]
    public void Header_NamesBeyondTheBasicPlane_AreOrderedByTheirUtf8Bytes()
    {
        // UTF-16 would put the surrogates of U+1F600 before U+FF5E.
        (SafetensorsHeader header, _) = SafetensorsHeader.Create([TensorInfo.Declare("\U0001F600", DType.U8, 1), TensorInfo.Declare("\uFF5E", DType.U8, 1)]);
        Assert.Equal(["\uFF5E", "\U0001F600"], header.Tensors.Select(t => t.Name));
    }

    [Fact]
    public void RoundTrip_AnyTensors_KeepsNamesShapesTypesAndBytes() =>
        Prop.ForAll(FileGenerator.ToArbitrary(), RoundTrips).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void WriteTensor_InChunks_GivesTheSameBytes()
    {
        float[] values = [.. Enumerable.Range(0, 40_000).Select(i => i / 7f)];
        TensorInfo[] tensors = [TensorInfo.Declare("w", DType.BF16, 40_000)];
        using MemoryStream whole = new(), parts = new();
        using (SafetensorsWriter writer = new(whole, tensors, leaveOpen: true))
        {
            writer.WriteTensor("w", values.AsSpan());
            writer.Complete();
        }

        using (SafetensorsWriter writer = new(parts, tensors, leaveOpen: true))
        {
            foreach (float[] chunk in values.Chunk(777))
                writer.WriteTensor("w", chunk.AsSpan());

            writer.Complete();
        }

        Assert.Equal(whole.ToArray(), parts.ToArray());
    }

    [Fact]
    public void WriteTensor_OutOfTurnOrTooLong_IsRefused()
    {
        using SafetensorsWriter sut = new(new MemoryStream(), [TensorInfo.Declare("a", DType.F32, 2), TensorInfo.Declare("b", DType.F32, 1), TensorInfo.Declare("e", DType.F32, 0)]);
        Assert.Contains("turn of 'a'", Assert.Throws<InvalidOperationException>(() => sut.WriteTensor("b", new float[1])).Message, StringComparison.Ordinal);
        Assert.Contains("12 more were given", Assert.Throws<InvalidOperationException>(() => sut.WriteTensor("a", new float[3])).Message, StringComparison.Ordinal);
        sut.WriteTensor("a", new float[2]);
        Assert.Contains("'b' has 0 of its 4 bytes", Assert.Throws<InvalidOperationException>(sut.Complete).Message, StringComparison.Ordinal);
        sut.WriteTensor("b", new float[1]);
        sut.Complete();
        Assert.Contains("all are written", Assert.Throws<InvalidOperationException>(() => sut.WriteTensor("b", new float[1])).Message, StringComparison.Ordinal);
        Assert.Throws<TensorFormatException>(() => sut.WriteTensor("unknown", new float[1]));
    }

    [Fact]
    public void Create_NamesTwiceOrReserved_AreRefused()
    {
        Assert.Throws<TensorFormatException>(() => SafetensorsHeader.Create([TensorInfo.Declare("a", DType.F32), TensorInfo.Declare("a", DType.I64)]));
        Assert.Throws<TensorFormatException>(() => SafetensorsHeader.Create([TensorInfo.Declare("__metadata__", DType.F32)]));
        Assert.Throws<TensorFormatException>(() => TensorInfo.Declare("a", DType.F32, -1));
        Assert.Throws<TensorFormatException>(() => TensorInfo.Declare("a", DType.F64, long.MaxValue));
    }

    internal static Gen<(TensorInfo Info, byte[] Data)[]> FileGenerator
    {
        get
        {
            Gen<(TensorInfo, byte[])> tensor =
                from name in ArbMap.Default.GeneratorFor<NonNull<string>>()
                from dtype in Gen.Elements(Enum.GetValues<DType>())
                from rank in Gen.Choose(0, 4)
                from shape in Gen.ArrayOf(Gen.Choose(0, 4), rank)
                let info = TensorInfo.Declare(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name.Get)), dtype, [.. shape.Select(d => (long)d)])
                from data in Gen.ArrayOf(ArbMap.Default.GeneratorFor<byte>(), (int)info.Length)
                select (info, data);
            return tensor.ArrayOf().Select(all => all.Where(t => t.Item1.Name != "__metadata__").DistinctBy(t => t.Item1.Name).ToArray());
        }
    }

    private static bool RoundTrips((TensorInfo Info, byte[] Data)[] tensors)
    {
        string path = Path.GetTempFileName();
        try
        {
            byte[] first = Write(tensors), second = Write([.. tensors.Reverse()]);
            File.WriteAllBytes(path, first);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            return first.AsSpan().SequenceEqual(second)
                && file.Tensors.Count == tensors.Length
                && tensors.All(t => file.Info(t.Info.Name) is { } read
                    && read with { Offset = 0 } == t.Info
                    && file.Bytes(read).SequenceEqual(t.Data));
        }
        finally
        {
            File.Delete(path);
        }
    }

    internal static byte[] Write((TensorInfo Info, byte[] Data)[] tensors)
    {
        Dictionary<string, byte[]> data = tensors.ToDictionary(t => t.Info.Name, t => t.Data);
        using MemoryStream stream = new();
        using SafetensorsWriter writer = new(stream, tensors.Select(t => t.Info));
        foreach (TensorInfo tensor in writer.Tensors)
            writer.WriteTensor(tensor.Name, data[tensor.Name]);

        writer.Complete();
        return stream.ToArray();
    }
}
