using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Api;

public sealed class MetadataTests
{
    [Fact]
    public void Key_UpperCase_IsLowered() => Assert.Equal("a.b_c-1", new Metadata.Entry("A.b_C-1", "x").Key);

    [Theory]
    [InlineData("a b")]
    [InlineData("schön")]
    [InlineData("a:b")]
    [InlineData(":path")]
    [InlineData("a\n")]
    public void Key_OtherCharacters_Throws(string key)
    {
        Assert.Throws<ArgumentException>(() => new Metadata.Entry(key, "x"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry(key + "-bin", [1]));
    }

    [Theory]
    [InlineData("raw-bin")]
    [InlineData("RAW-BIN")]
    public void Entry_TextForABinaryKey_Throws(string key) => Assert.Throws<ArgumentException>(() => new Metadata.Entry(key, "text"));

    [Fact]
    public void Entry_BytesForATextKey_Throws() => Assert.Throws<ArgumentException>(() => new Metadata.Entry("raw", [1]));

    [Fact]
    public void Entry_Null_Throws()
    {
        Assert.Throws<ArgumentNullException>(() => new Metadata.Entry(null!, "x"));
        Assert.Throws<ArgumentNullException>(() => new Metadata.Entry("key", (string)null!));
        Assert.Throws<ArgumentNullException>(() => new Metadata.Entry("key-bin", (byte[])null!));
        Assert.Throws<ArgumentNullException>(() => new Metadata().Add(null!));
    }

    [Fact]
    public void Entry_Bytes_AreCopiedInAndOut()
    {
        byte[] given = [1, 2];
        Metadata.Entry entry = new("raw-bin", given);
        given[0] = 9;
        entry.ValueBytes[1] = 9;
        Assert.Equal([1, 2], entry.ValueBytes);
        Assert.True(entry.IsBinary);
        Assert.Throws<InvalidOperationException>(() => entry.Value);
    }

    [Fact]
    public void Entry_Text_HasAsciiBytes() => Assert.Equal("abc"u8.ToArray(), new Metadata.Entry("key", "abc").ValueBytes);

    [Fact]
    public void Get_RepeatedKey_LastOneWinsWhateverTheCase()
    {
        Metadata metadata = new() { { "a", "1" }, { "b", "2" }, { "A", "3" } };
        Assert.Equal("3", metadata.GetValue("a"));
        Assert.Equal("3", metadata.Get("A")!.Value);
        Assert.Equal(["1", "3"], metadata.GetAll("a").Select(entry => entry.Value));
        Assert.Null(metadata.Get("c"));
        Assert.Null(metadata.GetValue("c"));
        Assert.Null(metadata.GetValueBytes("c"));
    }

    [Fact]
    public void List_Members_ActOnTheEntries()
    {
        Metadata.Entry a = new("a", "1"), b = new("b", "2"), c = new("c", "3");
        Metadata metadata = [a, c];
        metadata.Insert(1, b);
        Assert.Equal([a, b, c], metadata);
        Assert.Equal((1, true, 3, false), (metadata.IndexOf(b), metadata.Contains(c), metadata.Count, metadata.IsReadOnly));
        metadata.RemoveAt(0);
        Assert.True(metadata.Remove(c));
        metadata[0] = a;
        Metadata.Entry[] copy = new Metadata.Entry[1];
        metadata.CopyTo(copy, 0);
        Assert.Equal([a], copy);
        metadata.Clear();
        Assert.Empty(metadata);
    }

    [Fact]
    public void Empty_AnyChange_Throws()
    {
        Assert.True(Metadata.Empty.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "1"));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Clear());
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Insert(0, new Metadata.Entry("a", "1")));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Remove(new Metadata.Entry("a", "1")));
        Assert.Empty(Metadata.Empty);
    }
}
