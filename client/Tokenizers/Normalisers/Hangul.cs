namespace Federated.Client.Tokenizers.Normalisers;

/// <summary>Hangul syllables compose by arithmetic. Source: The Unicode Standard, section 3.12.</summary>
internal static class Hangul
{
    private const int SyllableBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TrailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TrailCount = 28;

    /// <summary>Vowels and trailing consonants, which may combine with what stands before them.</summary>
    public static bool IsTrailing(int code) => code is (>= VowelBase and < VowelBase + VowelCount) or (> TrailBase and < TrailBase + TrailCount);

    /// <summary>Whether this is a syllable, which decomposes.</summary>
    public static bool IsSyllable(int code) => (uint)(code - SyllableBase) < LeadCount * VowelCount * TrailCount;

    /// <summary>Splits a syllable into lead, vowel and trailing consonant (0 if it has none).</summary>
    public static bool TryDecompose(int code, out int lead, out int vowel, out int trail)
    {
        int index = code - SyllableBase;
        (lead, vowel, trail) = (0, 0, 0);
        if (!IsSyllable(code))
            return false;

        lead = LeadBase + (index / (VowelCount * TrailCount));
        vowel = VowelBase + (index % (VowelCount * TrailCount) / TrailCount);
        trail = index % TrailCount == 0 ? 0 : TrailBase + (index % TrailCount);
        return true;
    }

    /// <summary>Lead and vowel, or a syllable without trailing consonant and one, to a syllable; null for anything else.</summary>
    public static int? Compose(int first, int second)
    {
        (int lead, int vowel) = (first - LeadBase, second - VowelBase);
        if ((uint)lead < LeadCount && (uint)vowel < VowelCount)
            return SyllableBase + (((lead * VowelCount) + vowel) * TrailCount);

        (int syllable, int trail) = (first - SyllableBase, second - TrailBase);
        return IsSyllable(first) && syllable % TrailCount == 0 && trail is > 0 and < TrailCount ? first + trail : null;
    }
}
