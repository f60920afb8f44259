namespace Federated.Shared.Tensors;

/// <summary>Sizes and names of <see cref="DType"/> values.</summary>
public static class DTypes
{
    private static readonly DType[] Defined = Enum.GetValues<DType>();

    /// <summary>Every element type.</summary>
    public static IReadOnlyList<DType> All => Defined;

    /// <summary>Bytes of one element.</summary>
    /// <param name="dtype">A defined value.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined value.</exception>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.Bool or DType.U8 or DType.I8 => 1,
        DType.I16 or DType.F16 or DType.BF16 => 2,
        DType.I32 or DType.F32 => 4,
        DType.I64 or DType.F64 => 8,
        _ => throw Undefined(dtype),
    };

    /// <summary>Whether the elements are floating-point numbers.</summary>
    /// <param name="dtype">Any value.</param>
    public static bool IsFloat(this DType dtype) => dtype is DType.F16 or DType.BF16 or DType.F32 or DType.F64;

    /// <summary>The name that a safetensors header uses, for example <c>BF16</c>.</summary>
    /// <param name="dtype">A defined value.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined value.</exception>
    public static string SafetensorsName(this DType dtype) => dtype switch
    {
        DType.Bool => "BOOL",
        DType.U8 => "U8",
        DType.I8 => "I8",
        DType.I16 => "I16",
        DType.I32 => "I32",
        DType.I64 => "I64",
        DType.F16 => "F16",
        DType.BF16 => "BF16",
        DType.F32 => "F32",
        DType.F64 => "F64",
        _ => throw Undefined(dtype),
    };

    /// <summary>Reads the name that a safetensors header uses; exact case.</summary>
    /// <param name="name">For example <c>F32</c>.</param>
    /// <param name="dtype">The element type, when the name is known.</param>
    /// <returns>Whether the name is one of ours. The format knows more (unsigned integers, 8-bit floats); no model here uses them.</returns>
    public static bool TryParse(string name, out DType dtype)
    {
        foreach (DType candidate in Defined)
        {
            if (candidate.SafetensorsName() == name)
            {
                dtype = candidate;
                return true;
            }
        }

        dtype = default;
        return false;
    }

    /// <summary>
    /// Place in the official library's order of element types: its writer puts higher ranks first, so that wide elements come to
    /// lie on aligned offsets. Within a rank, names are in order of their UTF-8 bytes.
    /// </summary>
    internal static int SerialisationRank(this DType dtype) => dtype switch
    {
        DType.Bool => 0,
        DType.U8 => 1,
        DType.I8 => 2,
        DType.I16 => 3,
        DType.F16 => 4,
        DType.BF16 => 5,
        DType.I32 => 6,
        DType.F32 => 7,
        DType.F64 => 8,
        DType.I64 => 9,
        _ => throw Undefined(dtype),
    };

    private static ArgumentOutOfRangeException Undefined(DType dtype) =>
        new(nameof(dtype), dtype, "Not a defined element type.");
}
