namespace Federated.Client.Tokenizers.Bpe;

/// <summary>What <see cref="BpeTrainer"/> is to make.</summary>
public sealed record BpeTrainerOptions
{
    /// <summary>Tokens wanted in all: special tokens, the 256 bytes and one for each merge.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Special tokens; they get the first ids in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = [];

    /// <summary>Which of the special tokens take which role.</summary>
    public SpecialTokens Roles { get; init; } = Tokenizers.SpecialTokens.None;

    /// <summary>A pair is merged only if it occurs at least so often; 1 or more.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>How texts are cut into words, which no token crosses; its last stage maps bytes. GPT-2's way by default.</summary>
    public IReadOnlyList<IPreTokeniser> PreTokenisers { get; init; } = [new PreTokenisers.ByteLevelPreTokeniser()];
}

/// <summary>How far training is.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">Texts read, or tokens made so far.</param>
/// <param name="Total">Tokens wanted; 0 while texts are read, whose number is not known beforehand.</param>
public readonly record struct BpeTrainingProgress(BpeTrainingStage Stage, int Done, int Total);

/// <summary>Stages of <see cref="BpeTrainer"/>.</summary>
public enum BpeTrainingStage
{
    /// <summary>Texts are read and their words counted.</summary>
    CountingWords,

    /// <summary>Merges are learned.</summary>
    Merging,
}
