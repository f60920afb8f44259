namespace Federated.Client.Models;

/// <summary>Bounds on the sizes in a configuration that no published model comes near; they keep sums and products of sizes far inside 64 bits.</summary>
internal static class ConfigBounds
{
    internal const int WidestLayer = 1 << 20, LargestVocabulary = 1 << 24, MostLayers = 4096, LongestContext = 1 << 27, MostTokenTypes = 1 << 16;
}
