using System.Diagnostics.CodeAnalysis;
using MessagePack;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>Types marked with [MessagePackObject]: what is written, and how it comes back.</summary>
public sealed class ObjectTests
{
    [Fact]
    public void Serialize_IntegerKeys_WritesAnArrayWithNilInTheGaps()
    {
        byte[] bytes = MessagePackSerializer.Serialize(new Gapped { First = 1, Fourth = "d" });
        Assert.Equal("9401c0c0a164", Hex(bytes));
    }

    [Fact]
    public void Serialize_StringKeys_WritesAMapInDeclarationOrder()
    {
        byte[] bytes = MessagePackSerializer.Serialize(new Named { B = true, A = -1 });
        Assert.Equal("82a3626565c3a161ff", Hex(bytes));
    }

    [Fact]
    public void Deserialize_MembersMissing_KeepTheirInitialValues()
    {
        Gapped value = MessagePackSerializer.Deserialize<Gapped>(Bytes("9105"));
        Assert.Equal((5, "initial"), (value.First, value.Fourth));
    }

    [Fact]
    public void Deserialize_UnknownMembers_AreSkipped()
    {
        Named value = MessagePackSerializer.Deserialize<Named>(Bytes("83a161" + "07" + "a178" + "9281a179c0ca3f800000" + "a3626565" + "c3"));
        Assert.Equal((7, true), (value.A, value.B));
    }

    [Fact]
    public void Deserialize_PositionalRecord_GoesThroughItsConstructor()
    {
        Positional value = new(3, ["x", "y"]) { Later = 2.5 };
        Positional back = MessagePackSerializer.Deserialize<Positional>(MessagePackSerializer.Serialize(value));
        Assert.Equal((3, 2.5), (back.Id, back.Later));
        Assert.Equal(["x", "y"], back.Names);
    }

    [Fact]
    public void Deserialize_InitOnlyAndRequiredMembers_AreSet()
    {
        Strict back = MessagePackSerializer.Deserialize<Strict>(MessagePackSerializer.Serialize(new Strict { Needed = 9, Kind = Kind.Second, Maybe = null }));
        Assert.Equal((9, Kind.Second, (int?)null), (back.Needed, back.Kind, back.Maybe));
    }

    [Fact]
    public void RoundTrip_StructAndNestedObjects_ComeBackEqual()
    {
        Outer value = new() { Point = new Point { X = 1, Y = -2 }, Children = [new Gapped { First = 8 }], Table = new Dictionary<string, long> { ["k"] = long.MinValue } };
        Outer back = MessagePackSerializer.Deserialize<Outer>(MessagePackSerializer.Serialize(value));
        Assert.Equal(value.Point, back.Point);
        Assert.Equal(8, Assert.Single(back.Children).First);
        Assert.Equal(value.Table, back.Table);
        Assert.Null(back.Nothing);
    }

    [Theory]
    [InlineData(typeof(Unkeyed), "needs [Key] or [IgnoreMember]")]
    [InlineData(typeof(Doubled), "used twice")]
    [InlineData(typeof(Mixed), "integer and string keys")]
    [InlineData(typeof(Hidden), "not public")]
    [InlineData(typeof(NoWay), "no public constructor")]
    public void Serialize_TypeThatTheOfficialPackageRefuses_IsRefused(Type type, string reason)
    {
        object value = System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(type);
        MessagePackSerializationException error = Assert.Throws<MessagePackSerializationException>(() => SerializeAs((dynamic)value));
#if OFFICIAL_PACKAGES
        Assert.NotEmpty(reason); // its texts are its own
        Assert.NotNull(error.InnerException);
#else
        Assert.Contains(reason, error.InnerException!.Message, StringComparison.Ordinal);
#endif
    }

    [Fact]
    public void Deserialize_NilForAStruct_IsRefusedAndForAClassIsNull()
    {
        Assert.Null(MessagePackSerializer.Deserialize<Gapped?>(Bytes("c0")));
        Assert.Throws<MessagePackSerializationException>(() => MessagePackSerializer.Deserialize<Point>(Bytes("c0")));
    }

    private static byte[] SerializeAs<T>(T value) => MessagePackSerializer.Serialize(value);

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);

    public enum Kind : byte
    {
        First,
        Second,
    }

    [MessagePackObject]
    public sealed class Gapped
    {
        [Key(0)]
        public int First { get; set; }

        [Key(3)]
        public string? Fourth { get; set; } = "initial";

        [IgnoreMember]
        public int Ignored { get; set; }
    }

    [MessagePackObject]
    public sealed class Named
    {
        [Key("bee")]
        public bool B { get; set; }

        [Key("a")]
        public int A { get; set; }
    }

    [MessagePackObject]
    public sealed record Positional([property: Key(0)] int Id, [property: Key(1)] IReadOnlyList<string> Names)
    {
        [Key(2)]
        public double Later { get; init; }
    }

    [MessagePackObject]
    public sealed class Strict
    {
        [Key(0)]
        public required int Needed { get; init; }

        [Key(1)]
        public required Kind Kind { get; init; }

        [Key(2)]
        public int? Maybe { get; init; } = 4;
    }

    [MessagePackObject]
    public record struct Point
    {
        [Key(1)]
        [SuppressMessage("Design", "CA1051:Do not declare visible instance fields", Justification = "A field is what is tested.")]
        public int Y;

        [Key(0)]
        public int X { get; set; }
    }

    [MessagePackObject(keyAsPropertyName: true)]
    public sealed class Outer
    {
        public Point Point { get; set; }

        public List<Gapped> Children { get; set; } = [];

        public IReadOnlyDictionary<string, long>? Table { get; set; }

        public Outer? Nothing { get; set; }
    }

    [MessagePackObject]
    public sealed class Unkeyed
    {
        public int Value { get; set; }
    }

    [MessagePackObject]
    public sealed class Doubled
    {
        [Key(1)]
        public int Left { get; set; }

        [Key(1)]
        public int Right { get; set; }
    }

    [MessagePackObject]
    public sealed class Mixed
    {
        [Key(1)]
        public int Left { get; set; }

        [Key("r")]
        public int Right { get; set; }
    }

    [MessagePackObject]
    internal sealed class Hidden
    {
        [Key(0)]
        public int Value { get; set; }
    }

    [MessagePackObject]
    public sealed class NoWay(string text)
    {
        [Key(0)]
        public int Length { get; } = text.Length;
    }
}
