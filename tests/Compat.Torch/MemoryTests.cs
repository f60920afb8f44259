using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>Data in and out: shared, copied, converted.</summary>
public class MemoryTests
{
    [Fact]
    public void FromArray_SharedMemory_SeesWritesBothWays()
    {
        float[,] array = { { 1, 2, 3 }, { 4, 5, 6 } };
        using Tensor shared = from_array(array);

        array[1, 2] = 60;
        shared[0, 0] = tensor(10f);

        Assert.Equal([2, 3], shared.shape);
        Assert.Equal(60, shared[1, 2].item<float>());
        Assert.Equal(10, array[0, 0]);
    }

    [Fact]
    public void Tensor_FromArray_Copies()
    {
        long[] array = [1, 2, 3, 4];
        using Tensor copy = tensor(array, [2, 2]);
        array[0] = 100;

        Assert.Equal([1, 2, 3, 4], copy.data<long>().ToArray());
        Assert.Throws<ArgumentException>(() => tensor(array, [3, 2]));
    }

    [Fact]
    public void Frombuffer_OffsetAndCount_SharesThatPart()
    {
        float[] array = [.. Enumerable.Range(0, 10).Select(i => (float)i)];
        using Tensor part = frombuffer(array, float32, count: 3, offset: 4);
        array[5] = 50;

        Assert.Equal([4, 50, 6], part.data<float>().ToArray());
        Assert.Throws<ArgumentException>(() => frombuffer(array, float32, offset: 10));
        Assert.Throws<IndexOutOfRangeException>(() => frombuffer(array, float32, count: 7, offset: 4));
    }

    [Fact]
    public void FromArray_LastTensorGone_ReleasesTheArray()
    {
        WeakReference array = Share(out Tensor view);
        GC.Collect();
        Assert.True(array.IsAlive);
        view.Dispose();
        GC.Collect();

        Assert.False(array.IsAlive);

        static WeakReference Share(out Tensor view)
        {
            float[] values = new float[1000];
            using Tensor whole = from_array(values);
            view = whole.narrow(0, 10, 5);
            return new WeakReference(values);
        }
    }

    [Fact]
    public void Bytes_ContiguousTensor_IsAViewThatWrites()
    {
        using Tensor tensor = zeros(2, 2);
        MemoryMarshal.Cast<byte, float>(tensor.bytes)[3] = 7;
        Assert.Equal(7, tensor[1, 1].item<float>());

        tensor.bytes = MemoryMarshal.AsBytes<float>([1, 2, 3, 4]).ToArray();
        Assert.Equal([1, 2, 3, 4], tensor.data<float>().ToArray());
        Assert.Throws<ArgumentException>(() => tensor.bytes = new byte[3]);
        Assert.Throws<InvalidOperationException>(() => tensor.t().bytes.Length);
    }

    [Fact]
    public void Data_StridedTensor_IsReadInRowOrder()
    {
        using Tensor strided = arange(6).view(2, 3).t();

        Assert.Equal([0, 3, 1, 4, 2, 5], strided.data<long>().ToArray());
        Assert.Equal([0, 3, 1, 4, 2, 5], strided.data<long>());
        Assert.Equal(4, strided.data<long>()[1, 1]);
        Assert.Equal(new long[,] { { 0, 3 }, { 1, 4 }, { 2, 5 } }, (long[,])strided.data<long>().ToNDArray());
        strided.data<long>().CopyFrom([10, 20]);
        Assert.Equal([10, 20, 1, 4, 2, 5], strided.data<long>().ToArray());
    }

    [Fact]
    public void Data_WrongElementType_Throws()
    {
        using Tensor tensor = zeros(2);

        Assert.Throws<ArgumentException>(() => tensor.data<double>());
        Assert.Throws<ArgumentException>(() => tensor.item<float>());
        Assert.Throws<IndexOutOfRangeException>(() => tensor.data<float>()[2]);
    }

    [Theory]
    [InlineData(ScalarType.Byte, 1)]
    [InlineData(ScalarType.Bool, 1)]
    [InlineData(ScalarType.Float16, 2)]
    [InlineData(ScalarType.BFloat16, 2)]
    [InlineData(ScalarType.Int32, 4)]
    [InlineData(ScalarType.Float32, 4)]
    [InlineData(ScalarType.Int64, 8)]
    [InlineData(ScalarType.Float64, 8)]
    public void Zeros_EveryType_HasThatTypeSizeAndValues(ScalarType type, int size)
    {
        using Tensor tensor = ones([2, 3], dtype: type);

        Assert.Equal(type, tensor.dtype);
        Assert.Equal(size, type.ElementSize());
        Assert.Equal(6 * size, tensor.bytes.Length);
        Assert.Equal(6, tensor.sum().ToInt32());
        Assert.Equal(type, empty_like(tensor).dtype);
        Assert.Equal(type, tensor[0, 1].dtype);
    }

    [Fact]
    public void BFloat16_Bytes_AreTheUpperHalfOfFloat32()
    {
        using Tensor tensor = torch.tensor([1f, -2.5f, 3.0e38f]).bfloat16();
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(tensor.bytes);

        Assert.Equal([0x3F80, 0xC020, 0x7F62], bits.ToArray());
    }

    [Fact]
    public void Scalars_ImplicitConversions_KeepKindAndValue()
    {
        using DisposeScope scope = NewDisposeScope();

        Assert.Equal((ScalarType.Int64, ScalarType.Float32, ScalarType.Bool), (full(2, 3).dtype, full(2, 3.5).dtype, full([2], true, dtype: ScalarType.Bool).dtype));
        Assert.Equal((3L, 3, 3f, 3.0, true), ((long)full(1, 3), (int)full(1, 3), (float)full(1, 3), (double)full(1, 3), (bool)full(1, 3)));
        Assert.Equal(float32, (arange(3) + 0.5).dtype);
        Assert.Equal(int64, (arange(3) + 1).dtype);
        Assert.Equal([ScalarType.Float64, ScalarType.Int32, ScalarType.Byte], [tensor(1.0).dtype, tensor(1).dtype, tensor((byte)1).dtype]);
    }

    [Fact]
    public void Save_ThenLoad_RoundTripsWhatIsContiguous()
    {
        using MemoryStream stream = new();
        using Tensor original = randn(2, 3).to(float16);
        using BinaryWriter writer = new(stream);
        original.Save(writer);
        Assert.Equal([5, 2, 2, 3], stream.ToArray()[..4]);

        using Tensor copy = empty(2, 3, dtype: float16);
        copy.Load(new BinaryReader(new MemoryStream(stream.ToArray())));
        Assert.True(copy.allclose(original));
        Assert.Throws<InvalidOperationException>(() => original.t().Save(writer));
        Assert.Throws<InvalidOperationException>(() => copy.t().Load(new BinaryReader(new MemoryStream([5, 2, 3, 2, .. new byte[12]]))));
    }
}
