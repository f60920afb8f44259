namespace Federated.Shared.Randomness;

/// <summary>What the elements of a stream are. The number is part of the generator's counter, so kinds never share bits.</summary>
public enum StreamKind : uint
{
    /// <summary>+1 or -1, one bit an element.</summary>
    Rademacher = 0,

    /// <summary>Standard normal by table, 16 bits an element.</summary>
    Gaussian = 1,

    /// <summary>Uniform in [0, 1), 24 bits an element.</summary>
    Uniform = 2,
}
