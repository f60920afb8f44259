using System.Buffers.Binary;
using Federated.Shared.Tensors;
using Federated.Tests.Support;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Shared.Tests.Tensors;

/// <summary>What has to hold for any damage to any file: a refusal that says so, or a whole file; never a crash, and never more memory than its length allows.</summary>
public sealed class SafetensorsDamageTests : IDisposable
{
    private static readonly Config Cases = Config.QuickThrowOnFailure.WithMaxTest(300);

    private static readonly Gen<int[]> Places = Gen.Choose(0, int.MaxValue).NonEmptyListOf().Select(places => places.Take(4).ToArray());

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_BitsTurned_IsRefusedOrAWholeFile() => Prop.ForAll(SafetensorsWriterTests.FileGenerator.ToArbitrary(), Places.ToArbitrary(), (tensors, places) =>
    {
        byte[] bytes = SafetensorsWriterTests.Write(tensors);
        foreach (int place in places)
            bytes[place / 8 % bytes.Length] ^= (byte)(1 << (place % 8));
        Opens(bytes);
    }).Check(Cases);

    [Fact]
    public void Open_BitsOfTheHeaderTurned_IsRefusedOrAWholeFile() => Prop.ForAll(SafetensorsWriterTests.FileGenerator.ToArbitrary(), Places.ToArbitrary(), (tensors, places) =>
    {
        byte[] bytes = SafetensorsWriterTests.Write(tensors);
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        foreach (int place in places)
            bytes[place / 8 % header] ^= (byte)(1 << (place % 8));
        Opens(bytes);
    }).Check(Cases);

    [Fact]
    public void Open_BytesOfTheDataChanged_GivesThoseBytes() => Prop.ForAll(SafetensorsWriterTests.FileGenerator.ToArbitrary(), Places.ToArbitrary(), (tensors, places) =>
    {
        byte[] bytes = SafetensorsWriterTests.Write(tensors);
        int header = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        foreach (int place in places.Where(_ => bytes.Length > header))
            bytes[header + (place % (bytes.Length - header))] ^= 0xFF;
        return Opens(bytes, found => found.AddRange(bytes.AsSpan(header)));
    }).Check(Cases);

    [Fact]
    public void Open_CutAnywhere_IsRefused() => Prop.ForAll(SafetensorsWriterTests.FileGenerator.ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (tensors, place) =>
    {
        byte[] bytes = SafetensorsWriterTests.Write(tensors);
        return !Opens(bytes[..(place % bytes.Length)]);
    }).Check(Cases);

    /// <summary>Opens a file and reads every byte of its tensors; false when it is refused as such a file is.</summary>
    private bool Opens(byte[] bytes, Action<List<byte>>? expected = null)
    {
        string path = _folder["x.safetensors"];
        File.WriteAllBytes(path, bytes);
        List<byte> content = new(bytes.Length), wanted = [];
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (8 * bytes.Length) + (1 << 17));
            foreach (TensorInfo tensor in file.Tensors)
                content.AddRange(file.Bytes(tensor));
            Assert.Equal(file.Header.DataLength, content.Count);
            expected?.Invoke(wanted);
            return expected is null || wanted.SequenceEqual(content);
        }
        catch (TensorFormatException)
        {
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (8 * bytes.Length) + (1 << 17));
            return false;
        }
    }
}
