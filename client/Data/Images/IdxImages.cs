using System.Globalization;

namespace Federated.Client.Data.Images;

/// <summary>Grey images of one IDX file with the labels of another beside it, as MNIST and its kin come.</summary>
/// <remarks>The labels' file has the images' name with <c>labels</c> for <c>images</c> and <c>idx1</c> for <c>idx3</c>; either may be compressed.</remarks>
internal sealed class IdxImages : ImageSource
{
    private readonly string _path;
    private readonly IdxFile _images;
    private readonly byte[] _labels;
    private readonly int _height, _width;

    private IdxImages(string path, IdxFile images, byte[] labels)
    {
        (_path, _images, _labels) = (path, images, labels);
        (_height, _width) = (images.Dimensions[1], images.Dimensions[2]);
    }

    /// <inheritdoc/>
    public override int Count => _labels.Length;

    /// <summary>Opens both files.</summary>
    internal static new IdxImages Open(string path)
    {
        IdxFile images = IdxFile.Open(path, dimensions: 3);
        (int count, int height, int width) = (images.Dimensions[0], images.Dimensions[1], images.Dimensions[2]);
        if (height > ImageDecoder.LongestSide || width > ImageDecoder.LongestSide || (long)height * width > ImageDecoder.MostPixels)
            throw new DataFormatException(path, 0, $"images of {width} x {height} pixels; at most {ImageDecoder.LongestSide} a side and {ImageDecoder.MostPixels:N0} in all are taken.");
        if (count > MostImages)
            throw new DataFormatException(path, 0, $"{count:N0} images; at most {MostImages:N0} are taken. Split it.");

        string labelPath = LabelPath(path);
        IdxFile labels = IdxFile.Open(labelPath, dimensions: 1);
        if (labels.Dimensions[0] != count)
            throw new DataFormatException(labelPath, 0, $"{labels.Dimensions[0]:N0} labels for {count:N0} images of {path}; they do not belong together.");
        byte[] all = new byte[count];
        labels.Read(0, all);
        return new(path, images, all);
    }

    /// <inheritdoc/>
    public override DataRecord Record(int index) => new(NameOf(index), 0, new Dictionary<string, DataValue>(StringComparer.Ordinal)
    {
        [LabelField] = new(DataKind.Number, _labels[index].ToString(CultureInfo.InvariantCulture)),
    });

    /// <inheritdoc/>
    public override HoldoutKey Check(int index, string label, ulong seed) => HoldoutKey.Of(Pixels(index), label, seed);

    /// <inheritdoc/>
    public override PixelImage Load(int index, int channels) => new PixelImage(_width, _height, 1, Pixels(index)).WithChannels(channels);

    private byte[] Pixels(int index)
    {
        byte[] pixels = new byte[_height * _width];
        _images.Read((long)index * pixels.Length, pixels);
        return pixels;
    }

    private string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{_path} (image {index + 1})");

    private static string LabelPath(string path)
    {
        string folder = Path.GetDirectoryName(path) ?? "", name = Path.GetFileName(path);
        string plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        string wanted = plain.Replace("images", "labels", StringComparison.Ordinal).Replace("idx3", "idx1", StringComparison.Ordinal);
        string[] tried = [.. new[] { wanted, wanted + ".gz" }.Where(other => other != name).Select(other => Path.Combine(folder, other))];
        if (wanted == plain)
        {
            throw new DataFormatException(path, 0,
                "its name does not say where its labels are; wanted one with 'images' in it, such as train-images-idx3-ubyte, and the labels beside it as train-labels-idx1-ubyte.");
        }

        return tried.FirstOrDefault(File.Exists)
            ?? throw new DataFormatException(path, 0, $"its labels are missing; wanted them in {string.Join(" or ", tried)}.");
    }
}
