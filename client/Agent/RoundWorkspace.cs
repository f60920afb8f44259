using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>The agent's folder: downloaded blobs, model folders made of them, and updates that are not yet accepted.</summary>
/// <remarks>
/// An update is kept with its manifest until the coordinator acknowledged it, so that a retry after a crash sends
/// the same bytes under the same key instead of a second, different update.
/// </remarks>
public sealed class RoundWorkspace
{
    private readonly BlobCache _blobs;
    private readonly string _models;
    private readonly string _updates;

    /// <summary>Opens or makes the folder.</summary>
    public RoundWorkspace(string folder)
    {
        DirectoryInfo root = Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
            root.UnixFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        _blobs = new(Path.Combine(root.FullName, "blobs"));
        _models = Directory.CreateDirectory(Path.Combine(root.FullName, "models")).FullName;
        _updates = Directory.CreateDirectory(Path.Combine(root.FullName, "updates")).FullName;
    }

    /// <summary>Brings what the plan needs onto this machine; what is already here is not fetched again.</summary>
    public async Task<RoundFiles> PrepareAsync(RoundPlan plan, Federation.FederationClient coordinator, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(plan);
        string folder = Path.Combine(_models, ModelName(plan));
        Directory.CreateDirectory(folder);
        foreach (ModelFile file in plan.Model)
        {
            string blob = await _blobs.GetAsync(file.Content, coordinator, cancellation);
            string link = Path.Combine(folder, file.Name);
            if (!File.Exists(link))
            {
                File.Delete(link);
                File.CreateSymbolicLink(link, blob);
            }
        }

        return new(folder, await _blobs.GetAsync(plan.Global, coordinator, cancellation));
    }

    /// <summary>Where the update of a round is written.</summary>
    public string UpdatePath(RoundKey key) => Path.Combine(_updates, $"{key.Run}-{key.Round}-{key.Attempt}.safetensors");

    /// <summary>Remembers a finished update.</summary>
    public void Keep(RoundKey key, UpdateManifest manifest)
    {
        string path = ManifestPath(key), temporary = path + ".tmp";
        File.WriteAllBytes(temporary, Records.Encode(manifest));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The manifest of an update finished earlier whose bytes are still here; null when the round must be trained.</summary>
    public UpdateManifest? Kept(RoundKey key)
    {
        if (!File.Exists(ManifestPath(key)) || !File.Exists(UpdatePath(key)))
            return null;

        UpdateManifest manifest = Records.Decode<UpdateManifest>(File.ReadAllBytes(ManifestPath(key)), "kept manifest");
        using FileStream update = File.OpenRead(UpdatePath(key));
        return ContentHash.Of(update) == new ContentHash(manifest.Content.Sha256) ? manifest : null;
    }

    /// <summary>Deletes what a round left behind once it is over for this agent.</summary>
    public void Forget(RoundPlan plan)
    {
        RoundKey key = RoundKey.Of(plan);
        File.Delete(ManifestPath(key));
        File.Delete(UpdatePath(key));
        _blobs.Forget(plan.Global);
    }

    private string ManifestPath(RoundKey key) => UpdatePath(key) + ".manifest";

    private static string ModelName(RoundPlan plan)
    {
        byte[] identity = [.. plan.Model.SelectMany(file => (byte[])[.. System.Text.Encoding.UTF8.GetBytes(file.Name), 0, .. file.Content.Sha256])];
        return ContentHash.Of(identity).ToString()[..32];
    }
}
