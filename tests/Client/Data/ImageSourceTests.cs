using System.IO.Compression;
using System.Text.Json;
using Federated.Client.Data;
using Federated.Client.Data.Images;
using SkiaSharp;

namespace Federated.Client.Tests.Data;

/// <summary>Folders and files of images: what they give, and what is refused of hostile ones.</summary>
public sealed class ImageSourceTests : IDisposable
{
    private static readonly byte[] Picture = TestImages.Encode([.. Enumerable.Range(0, 40 * 30).Select(i => (byte)(i * 7))], 40);
    private static readonly byte[] Photograph = TestImages.Encode([.. Enumerable.Range(0, 40 * 30).Select(i => (byte)(i / 40))], 40, SKEncodedImageFormat.Jpeg);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_FolderByClass_GivesLabelsFoldersAndImagesInOrder()
    {
        Put("dog/b.jpg", Photograph);
        Put("cat/ward-2/x/a.PNG", Picture);
        Put("cat/a.jpeg", Photograph);
        Put(".hidden/a.txt", [1]);
        Put("cat/.DS_Store", [1]);
        ImageSource images = ImageSource.Open(_folder.Path);
        Assert.True(ImageSource.Holds(_folder.Path));
        Assert.Equal(
            [("cat", null, "a.jpeg"), ("cat", "ward-2/x", "a.PNG"), ("dog", null, "b.jpg")],
            Enumerable.Range(0, images.Count).Select(images.Record).Select(record => (
                record.Fields["label"].Content, record.Fields.TryGetValue("folder", out DataValue folder) ? folder.Content : null, Path.GetFileName(record.File))));
        Assert.Equal((40, 30, 3), (images.Load(1, 3).Width, images.Load(1, 3).Height, images.Load(1, 3).Channels));
        Assert.Equal(images.Check(0, "", 0), images.Check(2, "", 0));
        Assert.NotEqual(images.Check(0, "", 0), images.Check(1, "", 0));
        Assert.NotEqual(images.Check(0, "", 0), images.Check(0, "", 1));
    }

    [Fact]
    public void Open_FolderWithMuchWrong_NamesIt()
    {
        Put("cat/a.png", Picture);
        Put("cat/b.gif", Picture);
        Put("cat/empty.png", []);
        Put("readme.txt", [1]);
        Put("cat/\u001b[2J.txt", [1]);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "nothing"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "cat", "link.png"), "/etc/passwd");
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "loop"), _folder.Path);
        string message = Assert.Throws<DataFormatException>(() => ImageSource.Open(_folder.Path)).Message;
        foreach (string problem in (string[])["cat/b.gif: its name is not", "cat/empty.png: empty", "readme.txt: a file beside", "nothing: a class without an image", "cat/link.png: a link", "loop: a link"])
            Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', message);
    }

    [Fact]
    public void Open_FolderOfThousandsOfWrongNames_NamesTheFirst()
    {
        for (int i = 0; i < 3000; i++)
            Directory.CreateDirectory(Path.Combine(_folder.Path, $"class-{i}"));
        string message = Assert.Throws<DataFormatException>(() => ImageSource.Open(_folder.Path)).Message;
        Assert.Equal(21, message.Split(Environment.NewLine).Length);
    }

    [Theory]
    [InlineData("metadata.csv", "file_name,label,ward\nx/a.png,sick,7\nb.jpg,well,8\n")]
    [InlineData("metadata.jsonl", """{"file_name":"x/a.png","label":"sick","ward":"7"}""" + "\n" + """{"file_name":"b.jpg","label":"well","ward":"8"}""")]
    public void Open_Metadata_GivesItsFields(string name, string content)
    {
        Put("x/a.png", Picture);
        Put("b.jpg", Photograph);
        Put("not-listed.txt", [1]);
        _folder.Write(name, content);
        ImageSource images = ImageSource.Open(_folder.Path);
        Assert.Equal([("sick", "7"), ("well", "8")], Enumerable.Range(0, images.Count).Select(images.Record).Select(record => (record.Fields["label"].Content, record.Fields["ward"].Content)));
        Assert.Equal(40, images.Load(1, 1).Width);
    }

    [Theory]
    [InlineData("../a.png", "no path within the folder")]
    [InlineData("/etc/a.png", "no path within the folder")]
    [InlineData("x//a.png", "no path within the folder")]
    [InlineData("link/a.png", "leads through a link")]
    [InlineData("x/a.txt", "does not name a PNG or JPEG")]
    [InlineData("x/none.png", "x/none.png: no such file")]
    public void Open_MetadataThatLeadsElsewhere_IsRefused(string file, string problem)
    {
        Put("x/a.png", Picture);
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "link"), "x");
        _folder.Write("metadata.jsonl", JsonSerializer.Serialize(new { file_name = file, label = "a" }));
        Assert.Contains(problem, Assert.Throws<DataFormatException>(() => ImageSource.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60000, 60000, "60000 x 60000 pixels")]
    [InlineData(70000, 1, "70000 x 1 pixels")]
    public void Check_Bomb_IsRefusedBeforeItsPixelsAreMadeRoomFor(int width, int height, string problem)
    {
        byte[] bomb = [.. Picture];
        BitConverter.GetBytes(width).Reverse().ToArray().CopyTo(bomb, 16);
        BitConverter.GetBytes(height).Reverse().ToArray().CopyTo(bomb, 20);
        Crc(bomb.AsSpan(12, 17)).CopyTo(bomb, 29);
        Put("a/bomb.png", bomb);
        ImageSource images = ImageSource.Open(_folder.Path);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(problem, Assert.Throws<DataFormatException>(() => images.Check(0, "", 0)).Message, StringComparison.Ordinal);
        Assert.Contains(problem, Assert.Throws<DataFormatException>(() => images.Load(0, 3)).Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void Load_CutShort_IsRefused()
    {
        foreach (byte[] file in (byte[][])[Picture, Photograph])
        {
            Put("a/cut.png", file[..(file.Length / 2)]);
            Assert.Contains("a/cut.png", Assert.Throws<DataFormatException>(() => ImageSource.Open(_folder.Path).Load(0, 3)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Check_GifByThatName_IsRefused()
    {
        Put("a/a.png", "GIF89a0000000000000000"u8.ToArray());
        Assert.Contains("neither PNG nor JPEG", Assert.Throws<DataFormatException>(() => ImageSource.Open(_folder.Path).Check(0, "", 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_DamagedAnywhere_IsAnImageOrADataError()
    {
        Random random = new(5);
        int refused = 0;
        foreach (byte[] file in (byte[][])[Picture, Photograph])
        {
            for (int i = 0; i < 300; i++)
            {
                byte[] damaged = [.. file];
                for (int k = 0; k <= i % 4; k++)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                try
                {
                    PixelImage image = ImageDecoder.Decode(damaged, "a.png", 3);
                    Assert.Equal(image.Width * image.Height * 3, image.Pixels.Length);
                }
                catch (DataFormatException)
                {
                    refused++;
                }
            }
        }

        Assert.InRange(refused, 50, 550);
    }

    [Fact]
    public void Open_Idx_GivesImagesAndLabels_CompressedOrNot()
    {
        byte[] pixels = [.. Enumerable.Range(0, 3 * 4 * 5).Select(i => (byte)i)];
        byte[] images = TestImages.Idx(pixels, 3, 4, 5), labels = TestImages.Idx([7, 0, 9], 3);
        Put("train-images-idx3-ubyte", images);
        Put("train-labels-idx1-ubyte", labels);
        Put("packed/images.idx.gz", Gzip(images));
        Put("packed/labels.idx.gz", Gzip(labels));
        foreach (string path in (string[])["train-images-idx3-ubyte", "packed/images.idx.gz"])
        {
            Assert.True(ImageSource.Holds(Path.Combine(_folder.Path, path)));
            ImageSource source = ImageSource.Open(Path.Combine(_folder.Path, path));
            Assert.Equal(["7", "0", "9"], Enumerable.Range(0, source.Count).Select(i => source.Record(i).Scalar("label")));
            Assert.Equal(pixels.AsSpan(20, 20), source.Load(1, 1).Pixels);
            Assert.Equal((5, 4), (source.Load(1, 3).Width, source.Load(1, 3).Height));
            Assert.Equal((byte[])[20, 20, 20, 21], source.Load(1, 3).Pixels[..4].ToArray());
            Assert.EndsWith("(image 2)", source.Record(1).File, StringComparison.Ordinal);
        }
    }

    public static TheoryData<byte[], byte[], string> WrongIdx => new()
    {
        { [0, 0, 13, 3, .. new byte[16]], [], "no IDX file of unsigned bytes in 3 dimensions" },
        { TestImages.Idx([], 0, 4, 5), [], "its dimension 1 is 0" },
        { TestImages.Idx([], 1 << 30, 1 << 30, 1 << 30), [], "split it" },
        { TestImages.Idx(new byte[59], 3, 4, 5), [], "has 59 bytes behind its header" },
        { Gzip(TestImages.Idx(new byte[59], 3, 4, 5)), [], "has 59 bytes behind its header" },
        { Gzip(TestImages.Idx(new byte[61], 3, 4, 5)), [], "has more than 60 bytes behind its header" },
        { Gzip(TestImages.Idx(new byte[60], 1 << 11, 1 << 10, 1 << 10)), [], "unpack it" },
        { Gzip(TestImages.Idx(new byte[600], 10, 6, 10))[..^12], [], "damaged or cut short" },
        { TestImages.Idx(new byte[60], 3, 4, 5), TestImages.Idx([1, 2], 2), "2 labels for 3 images" },
        { TestImages.Idx(new byte[60], 3, 4, 5), TestImages.Idx([1, 2, 3], 3)[..6], "ends within its header" },
        { TestImages.Idx(new byte[60], 3, 4, 5), [], "its labels are missing" },
        { TestImages.Idx([], 1, 1 << 14, 1 << 14), [], "16384 x 16384 pixels" },
    };

    [Theory]
    [MemberData(nameof(WrongIdx))]
    public void Open_WrongIdx_IsRefused(byte[] images, byte[] labels, string problem)
    {
        // A file of the right length costs no room on the disk: its end is a hole.
        Put("images.idx", images);
        if (problem.Contains("pixels", StringComparison.Ordinal))
        {
            using FileStream file = File.OpenWrite(Path.Combine(_folder.Path, "images.idx"));
            file.SetLength(16 + (1L << 28));
        }

        if (labels.Length > 0)
            Put("labels.idx", labels);
        Assert.Contains(problem, Assert.Throws<DataFormatException>(() => ImageSource.Open(Path.Combine(_folder.Path, "images.idx"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_IdxWithoutImagesInItsName_SaysWhy()
    {
        Put("digits.idx", TestImages.Idx(new byte[60], 3, 4, 5));
        Assert.Contains("where its labels are", Assert.Throws<DataFormatException>(() => ImageSource.Open(Path.Combine(_folder.Path, "digits.idx"))).Message, StringComparison.Ordinal);
        Assert.False(ImageSource.Holds(_folder.Write("text.txt", "words")));
        Assert.False(ImageSource.Holds(Path.Combine(_folder.Path, "none")));
    }

    private static byte[] Gzip(byte[] content)
    {
        using MemoryStream target = new();
        using (GZipStream gzip = new(target, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(content);
        return target.ToArray();
    }

    // CRC-32 of a PNG chunk, bit by bit (PNG specification, annex D).
    private static byte[] Crc(ReadOnlySpan<byte> chunk)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in chunk)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
        }

        return [.. BitConverter.GetBytes(~crc).Reverse()];
    }

    private void Put(string name, byte[] content)
    {
        string path = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }
}
