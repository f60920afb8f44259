using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>What a tensor of an adapter file is.</summary>
public enum PeftPart
{
    /// <summary>Factor A, shape (r, in), or (r, in, h, w) of a convolution.</summary>
    LoraA,

    /// <summary>Factor B, shape (out, r), or (out, r, 1, 1) of a convolution.</summary>
    LoraB,

    /// <summary>Factor A of an embedding, shape (r, vocabulary).</summary>
    EmbeddingA,

    /// <summary>Factor B of an embedding, shape (dimension, r).</summary>
    EmbeddingB,

    /// <summary>DoRA's magnitudes, shape (out).</summary>
    Magnitude,

    /// <summary>A parameter of the base model that was trained and stored whole.</summary>
    Whole,

    /// <summary>The bias of a module that also has factors, stored whole.</summary>
    BaseBias,

    /// <summary>A second copy of a parameter, which PEFT writes beside <see cref="Whole"/> when all biases train; to be ignored.</summary>
    Copy,
}

/// <summary>The name of a tensor in an adapter file, taken apart.</summary>
/// <param name="Module">Full name of the base model's module, for example <c>model.layers.0.self_attn.q_proj</c>.</param>
/// <param name="Part">What the tensor is.</param>
/// <param name="Parameter">For <see cref="PeftPart.Whole"/> and <see cref="PeftPart.Copy"/> the parameter's own name, for example <c>weight</c>; else empty.</param>
public sealed record PeftTensorName(string Module, PeftPart Part, string Parameter = "");

/// <summary>Names of tensors in PEFT's <c>adapter_model.safetensors</c>: <c>base_model.model.</c>, the module, the part.</summary>
public static class PeftNames
{
    private const string Prefix = "base_model.model.";

    private static readonly (PeftPart Part, string Suffix)[] Suffixes =
    [
        (PeftPart.LoraA, ".lora_A.weight"),
        (PeftPart.LoraB, ".lora_B.weight"),
        (PeftPart.EmbeddingA, ".lora_embedding_A"),
        (PeftPart.EmbeddingB, ".lora_embedding_B"),
        (PeftPart.Magnitude, ".lora_magnitude_vector"),
        (PeftPart.BaseBias, ".base_layer.bias"),
    ];

    /// <summary>Name of factor A.</summary>
    /// <param name="module">Full module name.</param>
    public static string LoraA(string module) => Format(new(module, PeftPart.LoraA));

    /// <summary>Name of factor B.</summary>
    /// <param name="module">Full module name.</param>
    public static string LoraB(string module) => Format(new(module, PeftPart.LoraB));

    /// <summary>Name of DoRA's magnitudes.</summary>
    /// <param name="module">Full module name.</param>
    public static string Magnitude(string module) => Format(new(module, PeftPart.Magnitude));

    /// <summary>Name of a parameter that is stored whole.</summary>
    /// <param name="module">Full module name.</param>
    /// <param name="parameter">The parameter's own name, for example <c>weight</c>.</param>
    public static string Whole(string module, string parameter) => Format(new(module, PeftPart.Whole, parameter));

    /// <summary>Puts a name together; the inverse of <see cref="TryParse"/>.</summary>
    /// <param name="name">The parts.</param>
    public static string Format(PeftTensorName name)
    {
        foreach ((PeftPart part, string suffix) in Suffixes)
        {
            if (part == name.Part)
                return Prefix + name.Module + suffix;
        }

        return $"{Prefix}{name.Module}.{name.Parameter}";
    }

    /// <summary>Takes a name apart.</summary>
    /// <param name="text">Name of a tensor.</param>
    /// <param name="name">Its parts, when it is one of PEFT's LoRA names.</param>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PeftTensorName? name)
    {
        name = null;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;

        string rest = text[Prefix.Length..];
        foreach ((PeftPart part, string suffix) in Suffixes)
        {
            if (rest.EndsWith(suffix, StringComparison.Ordinal) && rest.Length > suffix.Length)
            {
                name = new(rest[..^suffix.Length], part);
                return true;
            }
        }

        int dot = rest.LastIndexOf('.');
        if (dot <= 0 || dot == rest.Length - 1 || rest.Contains(".lora_", StringComparison.Ordinal))
            return false;

        string module = rest[..dot];
        bool isCopy = module.Split('.').Any(c => c is "modules_to_save" or "original_module");
        name = new(module, isCopy ? PeftPart.Copy : PeftPart.Whole, rest[(dot + 1)..]);
        return true;
    }

    /// <summary>Takes a name apart that must be one of PEFT's.</summary>
    /// <param name="text">Name of a tensor.</param>
    /// <exception cref="PeftFormatException">It is not.</exception>
    public static PeftTensorName Parse(string text) =>
        TryParse(text, out PeftTensorName? name)
            ? name
            : throw new PeftFormatException($"{TensorText.Quote(text)} is no tensor name of a LoRA adapter; wanted for example '{LoraA("model.layers.0.self_attn.q_proj")}'.");
}
