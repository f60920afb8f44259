using System.Globalization;

namespace Federated.Client.Commands;

/// <summary>Collects what is wrong with a command's options, so that all of it is told at once.</summary>
internal sealed class OptionFaults
{
    private readonly List<string> _found = [];

    /// <summary>Everything that is wrong; empty when the command can start.</summary>
    public IReadOnlyList<string> Found => _found;

    /// <summary>A fault unless <paramref name="value"/> fits.</summary>
    public void Demand(bool fits, string option, object? value, string wanted)
    {
        if (!fits)
            _found.Add(string.Create(CultureInfo.InvariantCulture, $"{option} is '{value}'; {wanted} was expected."));
    }

    /// <summary>A fault unless the folder is there.</summary>
    public void Folder(string option, string path) => Demand(Directory.Exists(path), option, path, "an existing folder");

    /// <summary>A fault unless there is a file, or a folder of images.</summary>
    public void Data(string option, string path) => Demand(File.Exists(path) || Directory.Exists(path), option, path, "an existing .jsonl, .csv or .txt file, or images");

    /// <summary>A fault unless there are two class names or more, all different.</summary>
    public void Labels(string[] labels) => Demand(
        labels.Length >= 2 && !labels.Contains("") && labels.Distinct(StringComparer.Ordinal).Count() == labels.Length,
        "--labels", string.Join(',', labels), "a list of two or more different names, such as ham,spam,");
}
