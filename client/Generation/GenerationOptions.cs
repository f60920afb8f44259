namespace Federated.Client.Generation;

/// <summary>How to choose the next token, and when to stop.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most new tokens, at least 1.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>Divides the logits before sampling; 0 takes the likeliest token each time (greedy), which needs no seed.</summary>
    public double Temperature { get; init; }

    /// <summary>Samples among this many likeliest tokens only (Fan et al. 2018, arXiv:1805.04833); null for no bound.</summary>
    public int? TopK { get; init; }

    /// <summary>Samples among the fewest tokens that together have this probability (Holtzman et al. 2020, arXiv:1904.09751), in (0, 1]; 1 for all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Makes tokens that are there already less likely (Keskar et al. 2019, arXiv:1909.05858): positive logits are divided by it, negative ones multiplied; 1 for none.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Seed of the draws: the same model, prompt, options and seed give the same tokens.</summary>
    public ulong Seed { get; init; }

    /// <summary>Tokens that end the text.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Throws if an option is out of range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Names the option.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxNewTokens, 1);
        Require(Temperature >= 0, Temperature, nameof(Temperature), "0 or more");
        Require(TopK is null or >= 1, TopK, nameof(TopK), "1 or more");
        Require(TopP is > 0 and <= 1, TopP, nameof(TopP), "more than 0 and at most 1");
        Require(RepetitionPenalty > 0, RepetitionPenalty, nameof(RepetitionPenalty), "more than 0");
    }

    private static void Require(bool fits, object? value, string name, string wanted)
    {
        if (!fits || value is double and (double.NaN or double.PositiveInfinity))
            throw new ArgumentOutOfRangeException(name, value, $"{wanted} was expected.");
    }
}

/// <summary>Why a text ended.</summary>
public enum FinishReason
{
    /// <summary>The model wrote one of the tokens that end a text.</summary>
    EndOfText,

    /// <summary>Whoever took the tokens wanted no more, as at a stop text.</summary>
    Stopped,

    /// <summary>It has as many new tokens as were asked for.</summary>
    MaxTokens,

    /// <summary>The model's context is full.</summary>
    ContextFull,
}
