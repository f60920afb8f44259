namespace Federated.Simulations.Runs;

/// <summary>The folder that a simulation writes to. What an earlier run left in it is removed first.</summary>
public sealed class SimulationFolder
{
    /// <summary>A file that marks the folder as ours, so that a mistyped --out never deletes anything else.</summary>
    private const string Marker = ".federated-simulation";

    private SimulationFolder(string root) => Root = root;

    /// <summary>Absolute path.</summary>
    public string Root { get; }

    /// <summary>Makes an empty folder at <paramref name="path"/>.</summary>
    /// <exception cref="InvalidDataException">There is a non-empty folder there that no simulation made.</exception>
    public static SimulationFolder Create(string path)
    {
        DirectoryInfo root = new(path);
        if (root.Exists && root.EnumerateFileSystemInfos().Any())
        {
            if (!System.IO.File.Exists(Path.Combine(root.FullName, Marker)))
                throw new InvalidDataException($"--out {root.FullName} holds files that no simulation made. Give a new or empty folder.");

            root.Delete(recursive: true);
        }

        Directory.CreateDirectory(root.FullName);
        System.IO.File.WriteAllText(Path.Combine(root.FullName, Marker), "");
        return new(root.FullName);
    }

    /// <summary>Path of a file in the folder.</summary>
    public string File(string name) => Path.Combine(Root, name);

    /// <summary>Path of a folder in the folder, made when missing.</summary>
    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
}
