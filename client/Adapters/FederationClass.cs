namespace Federated.Client.Adapters;

/// <summary>What the weighted mean of a tensor over clients means for the merged weights; aggregation rules choose by it.</summary>
public enum FederationClass
{
    /// <summary>The merged weight is affine in the tensor: the mean of tensors gives the mean of merged weights.</summary>
    Exact,

    /// <summary>A factor of a product of two trained factors: the mean of factors is a biased mean of products.</summary>
    Bilinear,

    /// <summary>Norms, gates or routing: the mean is a heuristic.</summary>
    NonLinear,

    /// <summary>Values on an index set: exact where all clients share the set.</summary>
    Masked,

    /// <summary>Seeds with scalars, replayed: exact and bit-reproducible.</summary>
    Seed,

    /// <summary>Never leaves the client.</summary>
    Local,
}
