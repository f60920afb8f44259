using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Client.Data.Images;
using Federated.Client.Models;
using Federated.Tests.Support;

namespace Federated.Client.Tests.Data;

/// <summary>Images as numbers, beside Pillow's (Golden/make_images.py): the same to the bit.</summary>
public sealed class ImageNumbersTests : IDisposable
{
    private static readonly JsonObject Golden =
        JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "tests", "Client", "Data", "Golden", "images.json")))!.AsObject();

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Decoded => Names("decoded");

    public static TheoryData<string> Preprocessed => Names("preprocessed");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Decoded))]
    public void Decode_GivesPillowsNumbers(string name)
    {
        JsonNode image = Case("decoded", name);
        byte[] file = Bytes(image["file"]);
        PixelImage colours = ImageDecoder.Decode(file, name, channels: 3);
        Assert.Equal(((int)image["width"]!, (int)image["height"]!), (colours.Width, colours.Height));
        Assert.Equal((colours.Width, colours.Height), ImageDecoder.Measure(file, name));
        Assert.Equal(Bytes(image["rgb"]), colours.Pixels);
        Assert.Equal(Bytes(image["grey"]), ImageDecoder.Decode(file, name, channels: 1).Pixels);
        Assert.Equal(Bytes(image["grey"]), colours.WithChannels(1).Pixels);
    }

    [Fact]
    public void Resize_GivesPillowsNumbers()
    {
        foreach (JsonNode? image in Golden["resized"]!.AsArray())
        {
            PixelImage source = new((int)image!["width"]!, (int)image["height"]!, (int)image["channels"]!, Bytes(image["pixels"]));
            foreach (JsonNode? result in image["results"]!.AsArray())
            {
                PixelImage resized = Resampling.Resize(source, (int)result!["width"]!, (int)result["height"]!, (ResamplingFilter)(int)result["filter"]!);
                Assert.Equal(Bytes(result["pixels"]), resized.Pixels);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Preprocessed))]
    public void Apply_GivesTheOfficialProcessorsNumbers(string name)
    {
        JsonNode image = Case("preprocessed", name);
        _folder.Write("config.json", "{}");
        if ((string)image["config_file"]! is { Length: > 0 } file)
            _folder.Write(file, image["config"]!.ToJsonString());
        int[] size = image["model"].Deserialize<int[]>()!;
        ImagePreprocessor preprocessor = ImagePreprocessor.Read(_folder.Path, new(3, size[0], size[1], 1, 1));
        float[] values = new float[preprocessor.Length];
        preprocessor.Apply(new((int)image["width"]!, (int)image["height"]!, 3, Bytes(image["pixels"])), values, name);
        Assert.Equal(MemoryMarshal.Cast<byte, float>(Bytes(image["values"])), values);
    }

    [Theory]
    [InlineData("""{"image_processor_type": "DetrImageProcessor"}""", "image_processor_type: 'DetrImageProcessor' is not supported")]
    [InlineData("""{"size": {"shortest_edge": 8, "longest_edge": 16}}""", "size: the keys are longest_edge, shortest_edge")]
    [InlineData("""{"size": 8, "do_pad": true}""", "do_pad: this step is not supported")]
    [InlineData("""{"size": 8, "resample": 6}""", "resample: expected an integer from 0 to 5")]
    [InlineData("""{"size": 8, "image_std": [1, 0, 1]}""", "image_std: each channel is divided by it")]
    [InlineData("""{"size": 8, "image_std": "one"}""", "image_std: expected numbers")]
    [InlineData("""{"size": 8, "image_mean": [0.5, 0.5]}""", "image_mean has 2 numbers; the model reads images of 3 channels")]
    [InlineData("""{"size": 9}""", "images become 9 x 9; the model reads 8 x 8")]
    [InlineData("""{"size": 8, "do_center_crop": true, "crop_size": {"shortest_edge": 8}}""", "crop_size: a shortest edge is no size")]
    public void Read_StepsThatDoNotFit_AreNamed(string json, string message)
    {
        _folder.Write("preprocessor_config.json", json);
        CheckpointException error = Assert.Throws<CheckpointException>(() => ImagePreprocessor.Read(_folder.Path, new(3, 8, 8, 1, 1)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ModelOfFourChannels_IsRefused() =>
        Assert.Contains("images of 4 channels", Assert.Throws<CheckpointException>(() => new ImagePreprocessor(new(), new(4, 8, 8, 1, 1))).Message, StringComparison.Ordinal);

    private static byte[] Bytes(JsonNode? node) => Convert.FromBase64String((string)node!);

    private static JsonNode Case(string section, string name) => Golden[section]!.AsArray().Single(item => (string)item!["name"]! == name)!;

    private static TheoryData<string> Names(string section) => [.. Golden[section]!.AsArray().Select(item => (string)item!["name"]!)];
}
