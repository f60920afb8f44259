using Federated.Client.Models;
using Federated.Client.Tokenizers;

namespace Federated.Client.Generation;

/// <summary>The tokens that end a text of a model, wherever its folder says so.</summary>
public static class EndTokens
{
    private const string GenerationConfig = "generation_config.json", Key = "eos_token_id";

    /// <summary>Those of <c>config.json</c>, of <c>generation_config.json</c> (where chat models name the end of a turn too) and of the tokenizer.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <exception cref="CheckpointException"><c>generation_config.json</c> is there and unusable.</exception>
    public static IReadOnlyList<int> Of(string folder, PretrainedModel model, ITokenizer tokenizer)
    {
        List<int> tokens = [.. model.TextConfig.EosTokenIds];
        if (CheckpointFolder.Find(folder, GenerationConfig) is { } path)
        {
            ConfigReader reader = ConfigReader.Open(path);
            tokens.AddRange(reader.WholeNumbers(Key, 0, model.TextConfig.VocabularySize - 1));
            reader.ThrowIfRejected();
        }

        if (tokenizer.Special.Eos is { } end)
            tokens.Add(end);
        return [.. tokens.Distinct()];
    }
}
