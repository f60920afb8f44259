using Federated.Shared.Tensors;

namespace Federated.Client.Data.Images;

/// <summary>PNG and JPEG files in a folder: one folder a class, or listed by a metadata file.</summary>
/// <remarks>
/// The two layouts of Hugging Face's <c>imagefolder</c>. Without a metadata file each folder is a class and its name the label; folders inside it
/// are the field <c>folder</c>. A <c>metadata.csv</c> or <c>metadata.jsonl</c> names a file a line in <c>file_name</c> and may have any
/// fields besides; where it has no label, the first folder of the name is it.
/// </remarks>
internal sealed class ImageFolder : ImageSource
{
    /// <summary>The field with the folders between class and image.</summary>
    public const string FolderField = "folder";

    private const string NameField = "file_name";
    private const long LargestMetadata = 64 << 20;
    private const int MostProblems = 20, DeepestFolder = 16, LongestShown = 500;
    private static readonly string[] MetadataFiles = ["metadata.csv", "metadata.jsonl"];
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg"];

    private readonly string _root;
    private readonly List<string> _names = [];
    private readonly List<DataRecord>? _records;
    private readonly List<string> _problems = [];

    private ImageFolder(string root, string? metadata)
    {
        _root = root;
        if (metadata is not null)
            _records = [.. Listed(metadata)];
        else
            Walk();
        if (_problems.Count > 0)
            throw new DataFormatException(root, 0, $"not a folder of images by class:{Environment.NewLine}  {string.Join(Environment.NewLine + "  ", _problems)}");
        if (_names.Count == 0)
            throw new DataFormatException(root, 0, "no image; wanted a folder for each class with its .png and .jpg files, or a metadata.csv with file_name and label.");
    }

    /// <inheritdoc/>
    public override int Count => _names.Count;

    /// <summary>Reads a folder's names.</summary>
    internal static new ImageFolder Open(string root)
    {
        string[] metadata = [.. MetadataFiles.Select(name => Path.Combine(root, name)).Where(File.Exists)];
        return metadata.Length <= 1
            ? new(root, metadata.FirstOrDefault())
            : throw new DataFormatException(root, 0, $"{string.Join(" and ", MetadataFiles)} are both there; keep the one that is meant.");
    }

    /// <inheritdoc/>
    public override DataRecord Record(int index)
    {
        if (_records is not null)
            return _records[index];
        string[] parts = _names[index].Split(Path.DirectorySeparatorChar);
        Dictionary<string, DataValue> fields = new(StringComparer.Ordinal) { [LabelField] = new(DataKind.Text, parts[0]) };
        if (parts.Length > 2)
            fields[FolderField] = new(DataKind.Text, string.Join('/', parts[1..^1]));
        return new(Shown(PathOf(index)), 0, fields);
    }

    /// <inheritdoc/>
    public override HoldoutKey Check(int index, string label, ulong seed) => Use(PathOf(index), content =>
    {
        ImageDecoder.Measure(content, Shown(PathOf(index)));
        return HoldoutKey.Of(content, label, seed);
    });

    /// <inheritdoc/>
    public override PixelImage Load(int index, int channels) => Use(PathOf(index), content => ImageDecoder.Decode(content, Shown(PathOf(index)), channels));

    private string PathOf(int index) => Path.Combine(_root, _names[index]);

    private void Walk()
    {
        foreach (FileSystemInfo entry in Entries(_root))
        {
            if (entry is not DirectoryInfo)
            {
                Problem($"{entry.Name}: a file beside the class folders; put it into the folder of its class, or take it away");
                continue;
            }

            (int images, int problems) = (_names.Count, _problems.Count);
            if (!IsLink(entry, entry.Name))
                Walk(entry.Name, depth: 1);
            if ((images, problems) == (_names.Count, _problems.Count))
                Problem($"{entry.Name}: a class without an image; put some in, or take it away");
            if (_problems.Count == MostProblems)
                return;
        }
    }

    private void Walk(string folder, int depth)
    {
        if (depth > DeepestFolder)
        {
            Problem($"{folder}: more than {DeepestFolder} folders deep");
            return;
        }

        foreach (FileSystemInfo entry in Entries(Path.Combine(_root, folder)))
        {
            string name = Path.Combine(folder, entry.Name);
            if (IsLink(entry, name))
                continue;
            if (entry is DirectoryInfo)
                Walk(name, depth + 1);
            else if (!IsImageName(name))
                Problem($"{name}: its name is not that of a PNG or JPEG file ({string.Join(", ", Endings)}); convert it, or take it away");
            else
                Add(name, (FileInfo)entry);
            if (_problems.Count == MostProblems)
                return;
        }
    }

    /// <summary>What a folder holds, in the same order on every machine; hidden files are not meant, nor the ones that Windows makes.</summary>
    private static IEnumerable<FileSystemInfo> Entries(string folder) => new DirectoryInfo(folder)
        .EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false })
        .Where(entry => entry.Name[0] != '.' && entry.Name is not ("Thumbs.db" or "desktop.ini"))
        .OrderBy(entry => entry.Name, StringComparer.Ordinal);

    private IEnumerable<DataRecord> Listed(string metadata)
    {
        FieldLayout layout = new([[new(NameField, null)]]);
        foreach (DataRecord record in TextFiles.Records(metadata, layout, new() { MaxFileBytes = LargestMetadata }))
        {
            string name = record.Text(NameField);
            string[] parts = name.Split('/');
            if (parts.Any(part => part is "" or "." or "..") || Path.IsPathRooted(name) || name.Contains('\\'))
                throw record.Wrong($"the field '{NameField}' is no path within the folder; wanted one such as class/image.png.");
            if (!IsImageName(name))
                throw record.Wrong($"the field '{NameField}' does not name a PNG or JPEG file ({string.Join(", ", Endings)}).");
            string path = _root;
            foreach (string part in parts)
            {
                path = Path.Combine(path, part);
                if (new FileInfo(path).LinkTarget is not null)
                    throw record.Wrong($"the field '{NameField}' leads through a link; put the file itself there.");
            }

            Add(name, new(path));
            yield return new(Shown(path), 0, WithLabel(record.Fields, parts));
        }
    }

    private static IReadOnlyDictionary<string, DataValue> WithLabel(IReadOnlyDictionary<string, DataValue> fields, string[] parts) =>
        fields.ContainsKey(LabelField) || parts.Length == 1
            ? fields
            : new Dictionary<string, DataValue>(fields, StringComparer.Ordinal) { [LabelField] = new(DataKind.Text, parts[0]) };

    private void Add(string name, FileInfo file)
    {
        if (_names.Count == MostImages)
            throw new DataFormatException(_root, 0, $"more than {MostImages:N0} images; split the folder.");

        // A pipe or a device has no length either; reading from one may never end.
        if (file is { Exists: false } or { Length: 0 })
            Problem($"{name}: {(file.Exists ? "empty, or no regular file" : "no such file")}");
        else
            _names.Add(name);
    }

    private bool IsLink(FileSystemInfo entry, string name)
    {
        if (entry.LinkTarget is null)
            return false;
        Problem($"{name}: a link, which could lead anywhere; put the files themselves there");
        return true;
    }

    private static bool IsImageName(string name) => Endings.Contains(Path.GetExtension(name).ToLowerInvariant(), StringComparer.Ordinal);

    private void Problem(string text)
    {
        if (_problems.Count < MostProblems)
            _problems.Add(Shown(text));
    }

    /// <summary>A name may be anything, also what a terminal would obey.</summary>
    private static string Shown(string text) => TensorText.Printable(text, LongestShown);
}
