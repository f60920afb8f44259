using Federated.Tests.Support;

namespace Federated.Compat.MessagePack.Tests;

/// <summary>Both directions against python3-msgpack, byte for byte. The text form of <c>interop.py</c> says what a value is.</summary>
public sealed class PythonInteropTests
{
    private const string Script = "tests/Compat.MessagePack/interop.py";
    private const int Seed = 20250801;

    [Fact]
    public async Task Write_RandomValues_ArePythonsBytesAndReadTheSameThere()
    {
        Random random = new(Seed);
        string[] values = [.. Enumerable.Range(0, 400).Select(_ => ValueText.Draw(random)), .. Boundaries()];
        string[] written = [.. values.Select(v => Convert.ToHexStringLower(ValueText.Write(v)))];

        string[] answers = Lines(await SystemPython.RunAsync(Script, string.Join('\n', written), "read"));

        Assert.Equal(values.Select((value, i) => $"{value} {written[i]}"), answers);
    }

    [Fact]
    public async Task Read_ValuesThatPythonDrewAndWrote_GivesTheSameValuesAndBytes()
    {
        string[] answers = Lines(await SystemPython.RunAsync(Script, "", "write", "7", "400"));

        Assert.Equal(400, answers.Length);
        Assert.All(answers, line =>
        {
            string[] parts = line.Split(' ');
            byte[] bytes = Convert.FromHexString(parts[0]);
            Assert.Equal(parts[1], ValueText.Read(bytes));
            Assert.Equal(bytes, ValueText.Write(parts[1]));
        });
    }

    /// <summary>Integers on both sides of every width, and lengths on both sides of every header.</summary>
    private static IEnumerable<string> Boundaries()
    {
        for (int bits = 0; bits < 64; bits++)
        {
            foreach (long offset in (long[])[-1, 0, 1])
            {
                yield return $"i{(1UL << bits) + (ulong)offset}";
                if (bits < 63)
                    yield return $"i{-(1L << bits) + offset}";
            }
        }

        yield return $"i{ulong.MaxValue}";
        yield return $"i{long.MinValue}";
        foreach (int length in (int[])[15, 16, 31, 32, 255, 256, 65535, 65536])
        {
            yield return "s" + new string('6', 2 * length);
            yield return "b" + new string('0', 2 * length);
            yield return $"[{string.Join(',', Enumerable.Repeat("n", length))}]";
            yield return $"{{{string.Join(',', Enumerable.Range(0, length).Select(i => $"i{i}:t"))}}}";
        }
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
