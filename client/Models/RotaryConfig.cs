using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>Rotary positions as <c>config.json</c> describes them.</summary>
public sealed record RotaryConfig
{
    private static readonly string[] Types = ["default", "linear", "dynamic", "llama3", "yarn"];

    /// <summary>Base of the frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>Share of each head that is rotated, from its start.</summary>
    public double Share { get; init; } = 1;

    /// <summary>How the frequencies are stretched.</summary>
    public RotaryScaling Scaling { get; init; } = new UnscaledRotary();

    /// <summary>How many numbers of a head of <paramref name="headSize"/> are rotated.</summary>
    public int Width(int headSize) => (int)(headSize * Share);

    /// <summary>Reads the keys of any version of transformers; problems are left in <paramref name="reader"/>.</summary>
    /// <remarks>
    /// <c>rope_parameters</c> (version 5) or <c>rope_scaling</c>, with <c>rope_type</c> or <c>type</c>, may hold theta and share too, and then go before
    /// the same at the top.
    /// </remarks>
    /// <param name="reader">Reads <c>config.json</c>.</param>
    /// <param name="headSize">Width of a head.</param>
    /// <param name="maxPositions">Longest sequence the model was made for.</param>
    /// <param name="thetaKey">The architecture's key for the base.</param>
    /// <param name="shareKey">The architecture's key for the rotated share.</param>
    /// <param name="defaultShare">The rotated share where the file does not say.</param>
    internal static RotaryConfig Read(
        ConfigReader reader, int headSize, int maxPositions, string thetaKey = "rope_theta", string shareKey = "partial_rotary_factor", double defaultShare = 1)
    {
        if (reader.Has("rope_scaling") && reader.Has("rope_parameters"))
            reader.Reject("rope_scaling", "rope_parameters says the same in a newer form; keep one of the two");
        ConfigReader? section = reader.Section("rope_parameters") ?? reader.Section("rope_scaling");
        double theta = reader.Number(thetaKey, 1, 1e12, 10000);
        double share = reader.Number(shareKey, 0, 1, defaultShare);
        RotaryConfig config = new()
        {
            Theta = section?.Number("rope_theta", 1, 1e12, theta) ?? theta,
            Share = section?.Number("partial_rotary_factor", 0, 1, share) ?? share,
            Scaling = section is null ? new UnscaledRotary() : ReadScaling(section, maxPositions),
        };
        if (config.Width(headSize) is var width && (width < 2 || width % 2 != 0))
            reader.Reject(shareKey, FormattableString.Invariant($"rotary embedding turns pairs: {config.Share} of a head of {headSize} is {width}, which is no even number from 2 up"));
        else if (width == 2 && config.Scaling is DynamicRotary)
            reader.Reject("rope_scaling", "dynamic scaling has no formula for heads of which only one pair is rotated");
        if (config is { Scaling: YarnRotary, Theta: 1 })
            reader.Reject(thetaKey, "yarn scaling has no formula for a base of 1");
        return config;
    }

    /// <summary>Writes the keys as versions of transformers from 4.40 on read them.</summary>
    internal void Write(Utf8JsonWriter writer, string thetaKey = "rope_theta", string shareKey = "partial_rotary_factor", double defaultShare = 1)
    {
        writer.WriteNumber(thetaKey, Theta);
        if (Share != 1 || defaultShare != 1)
            writer.WriteNumber(shareKey, Share);
        if (Scaling is UnscaledRotary)
        {
            writer.WriteNull("rope_scaling");
            return;
        }

        writer.WriteStartObject("rope_scaling");
        // The two oldest kinds are read by every version under their old key and, from version 4.43 on, by either.
        writer.WriteString(Scaling is LinearRotary or DynamicRotary ? "type" : "rope_type", Scaling.Name);
        foreach ((string key, double value) in Numbers(Scaling))
            writer.WriteNumber(key, value);
        if (Scaling is YarnRotary { Truncate: false })
            writer.WriteBoolean("truncate", false);
        writer.WriteEndObject();
    }

    private static (string Key, double Value)[] Numbers(RotaryScaling scaling) => scaling switch
    {
        LinearRotary linear => [("factor", linear.Factor)],
        DynamicRotary dynamic => [("factor", dynamic.Factor)],
        Llama3Rotary llama3 =>
        [
            ("factor", llama3.Factor), ("low_freq_factor", llama3.LowFrequencyFactor), ("high_freq_factor", llama3.HighFrequencyFactor),
            ("original_max_position_embeddings", llama3.Trained),
        ],
        YarnRotary yarn =>
        [
            ("factor", yarn.Factor), ("attention_factor", yarn.AttentionFactor), ("beta_fast", yarn.FastTurns), ("beta_slow", yarn.SlowTurns),
            ("original_max_position_embeddings", yarn.Trained),
        ],
        _ => [],
    };

    private static RotaryScaling ReadScaling(ConfigReader section, int maxPositions)
    {
        foreach (string layers in (string[])["full_attention", "sliding_attention"])
        {
            if (section.Has(layers))
                section.Reject(layers, "rotary positions of their own for some layers are not supported");
        }

        string key = section.Has("rope_type") ? "rope_type" : "type";
        section.Supports(key, Types);
        return section.Text(key) switch
        {
            "linear" => new LinearRotary(Factor(section)),
            "dynamic" => new DynamicRotary(Factor(section), maxPositions),
            "llama3" => ReadLlama3(section),
            "yarn" => ReadYarn(section, maxPositions),
            _ => new UnscaledRotary(),
        };
    }

    private static double Factor(ConfigReader section, double? otherwise = null) => section.Number("factor", 1, 1e6, otherwise);

    private static Llama3Rotary ReadLlama3(ConfigReader section)
    {
        Llama3Rotary scaling = new(
            Factor(section), section.Number("low_freq_factor", 1e-6, 1e6), section.Number("high_freq_factor", 1e-6, 1e6),
            section.WholeNumber("original_max_position_embeddings", 1, ConfigBounds.LongestContext));
        if (scaling.HighFrequencyFactor <= scaling.LowFrequencyFactor)
            section.Reject("high_freq_factor", FormattableString.Invariant($"{scaling.HighFrequencyFactor} is not larger than low_freq_factor ({scaling.LowFrequencyFactor})"));
        return scaling;
    }

    // As transformers 5 reads it; some versions before it took maxPositions / original for a factor that was given, which is the same in sound files.
    private static YarnRotary ReadYarn(ConfigReader section, int maxPositions)
    {
        int trained = section.WholeNumber("original_max_position_embeddings", 1, ConfigBounds.LongestContext, maxPositions);
        double factor = Factor(section, section.IsNull("factor") && maxPositions >= trained ? (double)maxPositions / trained : null);
        double amplitude = section.OptionalNumber("mscale", 0, 1e6) is { } scale and > 0 && section.OptionalNumber("mscale_all_dim", 0, 1e6) is { } all and > 0
            ? YarnRotary.AmplitudeOf(factor, scale) / YarnRotary.AmplitudeOf(factor, all)
            : YarnRotary.AmplitudeOf(factor);
        return new(
            factor, section.Number("attention_factor", 1e-6, 1e6, amplitude), section.Number("beta_fast", 1e-6, 1e6, 32), section.Number("beta_slow", 1e-6, 1e6, 1),
            trained, section.Flag("truncate", true));
    }
}
