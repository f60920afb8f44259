using System.Buffers;

namespace Federated.Client.Data.Images;

/// <summary>Labelled images that are decoded when they are wanted: a folder, or a pair of IDX files.</summary>
public abstract class ImageSource
{
    /// <summary>Most images of a source; their names stay in memory.</summary>
    public const int MostImages = 1 << 22;

    /// <summary>The field with the label of images that have no other fields.</summary>
    public const string LabelField = "label";

    /// <summary>Number of images.</summary>
    public abstract int Count { get; }

    /// <summary>Whether there are images at a path, rather than texts: it is a folder, or begins as an IDX file does.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static bool Holds(string path) => Directory.Exists(path) || IdxFile.Is(path);

    /// <summary>Opens a folder or an IDX file of images, and reads what is there; the images themselves are not looked at.</summary>
    /// <exception cref="DataFormatException">It is no such folder or file; the message names all that is wrong with a folder.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ImageSource Open(string path) => Directory.Exists(path) ? ImageFolder.Open(path) : IdxImages.Open(path);

    /// <summary>The fields of an image, its label among them. It stands for no line of a file.</summary>
    public abstract DataRecord Record(int index);

    /// <summary>Looks at an image's header, so that a wrong file is known before it is wanted.</summary>
    /// <returns>What the division of held-out images needs to know; equal files have equal ones.</returns>
    /// <exception cref="DataFormatException">It is no image, or too large.</exception>
    public abstract HoldoutKey Check(int index, string label, ulong seed);

    /// <summary>Decodes an image.</summary>
    /// <param name="index">Its number.</param>
    /// <param name="channels">1 for grey, 3 for red, green and blue.</param>
    /// <exception cref="DataFormatException">It is no image, damaged, or too large.</exception>
    public abstract PixelImage Load(int index, int channels);

    /// <summary>Hands a file's bytes to a function, from a pooled buffer.</summary>
    private protected static T Use<T>(string path, BytesFunction<T> use)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        if (file.Length > ImageDecoder.LargestFile)
            throw new DataFormatException(path, 0, $"{file.Length:N0} bytes; at most {ImageDecoder.LargestFile:N0} are taken. Make it smaller.");
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)file.Length);
        try
        {
            int length = file.ReadAtLeast(buffer.AsSpan(0, (int)file.Length), (int)file.Length, throwOnEndOfStream: false);
            return use(buffer.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A function of bytes that are there only while it runs.</summary>
    private protected delegate T BytesFunction<T>(ReadOnlySpan<byte> content);
}
