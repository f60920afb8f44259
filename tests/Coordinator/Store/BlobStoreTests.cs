using Federated.Coordinator.Store;
using Federated.Coordinator.Tests.Support;
using Federated.Shared.Protocol;
using Federated.Tests.Support;

namespace Federated.Coordinator.Tests.Store;

public sealed class BlobStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FaultDisk _disk = new();
    private readonly BlobStore _blobs;

    public BlobStoreTests() => _blobs = new(_disk, _folder["blobs"]);

    [Fact]
    public void Commit_Content_StandsUnderItsHash()
    {
        ContentHash hash = Put("hello"u8);
        Assert.Equal("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", hash.ToString());
        Assert.Equal(Path.Combine(_folder["blobs"], "2c", hash.ToString()), _blobs.PathOf(hash));
        Assert.Equal(5, _blobs.Length(hash));
    }

    [Fact]
    public void Commit_Order_IsWriteFlushRenameFlushDirectory()
    {
        _disk.Forget();
        Put("hello"u8);
        Assert.Equal(["create", "write", "flush", "rename", "flush-directory"], _disk.Log);
    }

    [Fact]
    public void Commit_FailedFlush_LeavesNothingUnderTheName()
    {
        _disk.FlushFails = true;
        Assert.Throws<FlushFailedException>(() => Put("hello"u8));
        Assert.Empty(Directory.GetFiles(_folder["blobs"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Append_FullDisk_LeavesNoTemporary()
    {
        _disk.Full = true;
        Assert.True(DiskErrors.IsFull(Assert.Throws<IOException>(() => Put("hello"u8))));
        Assert.Empty(Directory.GetFiles(_folder["blobs"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Begin_BelowTheWatermark_IsRefusedBeforeAFileIsMade()
    {
        _disk.Free = BlobStore.Watermark + 99;
        _disk.Forget();
        Assert.Throws<DiskFullException>(() => _blobs.Begin(100));
        Assert.Empty(_disk.Log);
    }

    [Fact]
    public void Release_HeldTwice_GoesWithTheSecond()
    {
        ContentHash hash = Put("hello"u8);
        Assert.Equal(hash, Put("hello"u8));
        _blobs.Release(hash);
        Assert.Equal(5, _blobs.Length(hash));
        _blobs.Release(hash);
        Assert.Null(_blobs.Length(hash));
    }

    [Fact]
    public void DeleteLeftovers_AfterACrash_KeepsOnlyWhatIsHeld()
    {
        ContentHash kept = Put("kept"u8), unnamed = Put("unnamed"u8);
        using BlobWriter cut = _blobs.Begin(10);
        cut.Append("cut"u8);

        BlobStore again = new(_disk, _folder["blobs"]);
        again.Hold(kept);
        Assert.Equal(2, again.DeleteLeftovers());
        Assert.Equal(4, again.Length(kept));
        Assert.Null(again.Length(unnamed));
    }

    public void Dispose() => _folder.Dispose();

    private ContentHash Put(ReadOnlySpan<byte> content)
    {
        using BlobWriter writer = _blobs.Begin(content.Length);
        writer.Append(content);
        return writer.Commit();
    }
}
