namespace Federated.Client.Data;

/// <summary>What a field holds.</summary>
public enum DataKind
{
    /// <summary>A string.</summary>
    Text,

    /// <summary>A number, as it was written.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>An array, as JSON.</summary>
    Sequence,

    /// <summary>An object, as JSON.</summary>
    Mapping,
}

/// <summary>The value of a field.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Content">The string itself; of anything else its JSON.</param>
public readonly record struct DataValue(DataKind Kind, string Content)
{
    /// <summary>Whether it is one value and no array or object.</summary>
    public bool IsScalar => Kind is DataKind.Text or DataKind.Number or DataKind.Boolean;

    /// <summary>The kind in words, for messages.</summary>
    internal string KindText => Kind switch
    {
        DataKind.Text => "a string",
        DataKind.Number => "a number",
        DataKind.Boolean => "true or false",
        DataKind.Sequence => "an array",
        _ => "an object",
    };
}

/// <summary>One private record of a data file. Its <see cref="ToString"/> gives the place only, so that no log or message ever shows the content.</summary>
/// <param name="file">File that it was read from.</param>
/// <param name="line">Line where it starts, from 1.</param>
/// <param name="fields">Its fields by name; those that are null are left out.</param>
public sealed class DataRecord(string file, int line, IReadOnlyDictionary<string, DataValue> fields)
{
    /// <summary>File that it was read from.</summary>
    public string File => file;

    /// <summary>Line where it starts, from 1.</summary>
    public int Line => line;

    /// <summary>Its fields by name; those that are null are left out.</summary>
    public IReadOnlyDictionary<string, DataValue> Fields => fields;

    /// <summary>A field that has to be a string.</summary>
    /// <exception cref="DataFormatException">It is missing, or something else.</exception>
    public string Text(string name) => fields.TryGetValue(name, out DataValue value)
        ? value.Kind == DataKind.Text ? value.Content : throw Wrong($"the field '{name}' is {value.KindText}; wanted a string.")
        : throw Wrong($"the field '{name}' is missing or null; wanted a string.");

    /// <summary>A field that has to be a single value, as text.</summary>
    /// <exception cref="DataFormatException">It is missing, or an array or object.</exception>
    public string Scalar(string name) => fields.TryGetValue(name, out DataValue value)
        ? value.IsScalar ? value.Content : throw Wrong($"the field '{name}' is {value.KindText}; wanted a string, a number, true or false.")
        : throw Wrong($"the field '{name}' is missing or null; wanted a string, a number, true or false.");

    /// <summary>An error about this record.</summary>
    /// <param name="problem">Found, wanted, way out; without a word of the data.</param>
    public DataFormatException Wrong(string problem) => new(file, line, problem);

    /// <summary>The place.</summary>
    public override string ToString() => $"{file}:{line}";
}
