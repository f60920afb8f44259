using System.Text;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>The agent's folder: downloaded blobs, model folders made of them, and the newest update of each run.</summary>
/// <remarks>
/// An update is kept with its manifest until the next round of its run begins, so that the same plan, pushed again after a crash on either
/// side, is answered with the same bytes under the same key instead of a second, different update. A lock file keeps a second agent out.
/// </remarks>
public sealed class RoundWorkspace : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly BlobCache _blobs;
    private readonly string _models;
    private readonly string _updates;
    private readonly long _cacheBytes;
    private readonly FileStream _lock;

    /// <summary>Opens or makes the folder; a new one only this user can read.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="cacheBytes">Above this, blobs not used for longest go.</param>
    /// <param name="clock">Orders use.</param>
    /// <exception cref="IOException">Another agent uses the folder.</exception>
    public RoundWorkspace(string folder, long cacheBytes, TimeProvider clock)
    {
        string root = Make(Path.GetFullPath(folder));
        _lock = Lock(Path.Combine(root, "lock"), folder);
        _cacheBytes = cacheBytes;
        _blobs = new(Make(Path.Combine(root, "blobs")), clock);
        _models = Make(Path.Combine(root, "models"));
        _updates = Make(Path.Combine(root, "updates"));
    }

    /// <summary>Brings what the plan needs onto this machine; what is already here is not fetched again.</summary>
    /// <exception cref="FederatedException"><see cref="RejectReason.StorageFull"/>: the disk has no room for it.</exception>
    public async Task<RoundFiles> PrepareAsync(RoundPlan plan, Federation.FederationClient coordinator, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(plan);
        string folder = Path.Combine(_models, ModelName(plan));
        MakeRoom(plan, folder);
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

    /// <summary>Makes the place for a round's update; those of the run's other rounds go.</summary>
    public void Begin(RoundTask task)
    {
        string path = UpdatePath(task);
        DirectoryInfo folder = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        foreach (FileInfo file in folder.EnumerateFiles().Where(file => !file.FullName.StartsWith(path, StringComparison.Ordinal)))
            file.Delete();
    }

    /// <summary>Where the update of a round is written.</summary>
    public string UpdatePath(RoundTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return Path.Combine(_updates, task.Key.Run, $"{task.Key.Round}-{task.Key.Attempt}-{task.Identity.ToString()[..16]}.safetensors");
    }

    /// <summary>Remembers a finished update.</summary>
    public void Keep(RoundTask task, UpdateManifest manifest)
    {
        string path = ManifestPath(task), temporary = path + ".tmp";
        File.WriteAllBytes(temporary, Records.Encode(manifest));
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The manifest of an update finished earlier whose bytes are still here and whole; null when the round must be trained.</summary>
    public UpdateManifest? Kept(RoundTask task)
    {
        if (!File.Exists(ManifestPath(task)) || !File.Exists(UpdatePath(task)))
            return null;

        try
        {
            UpdateManifest manifest = Records.Decode<UpdateManifest>(File.ReadAllBytes(ManifestPath(task)), "kept manifest");
            using FileStream update = File.OpenRead(UpdatePath(task));
            return manifest.Content?.Sha256 is { Length: ContentHash.Size } hash && ContentHash.Of(update) == new ContentHash(hash) ? manifest : null;
        }
        catch (FederatedException)
        {
            // Torn by a crash: training again gives the update again.
            return null;
        }
    }

    /// <summary>Deletes what only this round needed; the update stays until the run's next round.</summary>
    public void Done(RoundTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        _blobs.Forget(task.Plan.Global);
    }

    /// <summary>Deletes everything of a round that closed without us.</summary>
    public void Forget(RoundTask task)
    {
        Done(task);
        File.Delete(ManifestPath(task));
        File.Delete(UpdatePath(task));
    }

    /// <summary>Deletes what a run left behind once it is over.</summary>
    /// <param name="run">A name that keeps the rule for names, so that it is safe as a folder's.</param>
    public void ForgetRun(string run)
    {
        string folder = Path.Combine(_updates, run);
        if (Names.IsValid(run) && Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();

    private void MakeRoom(RoundPlan plan, string current)
    {
        BlobReference[] needed = [plan.Global, .. plan.Model.Select(file => file.Content)];
        _blobs.Trim(needed, _cacheBytes);
        foreach (DirectoryInfo folder in new DirectoryInfo(_models).EnumerateDirectories().Where(folder => folder.FullName != current))
        {
            if (folder.EnumerateFiles().Any(link => !File.Exists(link.FullName)))
                folder.Delete(recursive: true);
        }

        long missing = needed.Where(blob => _blobs.Find(blob) is null).Sum(blob => blob.Length);
        long free = new DriveInfo(_models).AvailableFreeSpace;
        if (missing > free)
            throw new FederatedException(RejectReason.StorageFull, $"The plan needs {missing:N0} bytes of downloads; the agent's disk has {free:N0} free. Make room, or give another folder with --state.");
    }

    private static string Make(string folder) =>
        (OperatingSystem.IsWindows() ? Directory.CreateDirectory(folder) : Directory.CreateDirectory(folder, OwnerOnly)).FullName;

    private static FileStream Lock(string path, string folder)
    {
        try
        {
            return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (IOException e)
        {
            throw new IOException($"--state '{folder}' is in use by another agent, or cannot be written ({e.Message}). Give each agent a folder of its own.", e);
        }
    }

    private string ManifestPath(RoundTask task) => UpdatePath(task) + ".manifest";

    private static string ModelName(RoundPlan plan)
    {
        byte[] identity = [.. plan.Model.SelectMany(file => (byte[])[.. Encoding.UTF8.GetBytes(file.Name), 0, .. file.Content.Sha256])];
        return ContentHash.Of(identity).ToString()[..32];
    }
}
