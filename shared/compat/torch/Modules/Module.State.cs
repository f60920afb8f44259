namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                string start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach ((string name, Modules.Parameter parameter) in named_parameters()) destination.TryAdd(start + name, parameter);
                foreach ((string name, Tensor buffer) in named_buffers(include_nonpersistent: false)) destination.TryAdd(start + name, buffer);
                // Once more by child, so that a tied weight has an entry under each of its names.
                foreach ((string name, Module child) in _internal_submodules) child.state_dict(destination, start + name);
                return destination;
            }

            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(
                Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                Dictionary<string, Tensor> target = state_dict();
                List<string> unexpected = [.. source.Keys.Where(key => !target.ContainsKey(key) && !Skipped(key, skip))];
                List<string> missing = [.. target.Keys.Where(key => !source.ContainsKey(key) && !Skipped(key, skip))];
                if (strict && missing.Count + unexpected.Count > 0)
                    throw new InvalidOperationException(
                        $"The loaded state_dict does not fit the module. Missing: {Names(missing)}. Unexpected: {Names(unexpected)}.");
                using IDisposable silent = no_grad();
                foreach ((string key, Tensor value) in source)
                    if (!Skipped(key, skip) && target.TryGetValue(key, out Tensor? own)) own.copy_(value);
                return (missing, unexpected);
            }

            public Module save(string location, IList<string>? skip = null)
            {
                using FileStream stream = File.Create(location);
                using BinaryWriter writer = new(stream);
                return save(writer, skip);
            }

            public Module save(Stream stream, IList<string>? skip = null)
            {
                using BinaryWriter writer = new(stream);
                return save(writer, skip);
            }

            public Module save(BinaryWriter writer, IList<string>? skip = null)
            {
                save_state_dict(writer, state_dict(), skip);
                return this;
            }

            /// <summary>Writes the number of entries as LEB128, then for each its name and its tensor.</summary>
            public static void save_state_dict(BinaryWriter writer, Dictionary<string, Tensor> sd, IList<string>? skip = null)
            {
                KeyValuePair<string, Tensor>[] entries = [.. sd.Where(entry => !Skipped(entry.Key, skip))];
                writer.Write7BitEncodedInt64(entries.Length);
                foreach ((string key, Tensor value) in entries)
                {
                    writer.Write(key);
                    value.Save(writer);
                }
            }

            public virtual Module load(
                string location, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                if (!File.Exists(location)) throw new FileNotFoundException($"The module's weights '{location}' do not exist.", location);
                using FileStream stream = File.OpenRead(location);
                return load(stream, strict, skip, loadedParameters);
            }

            public Module load(Stream stream, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                using BinaryReader reader = new(stream);
                return load(reader, strict, skip, loadedParameters);
            }

            public virtual Module load(
                BinaryReader reader, bool strict = true, IList<string>? skip = null, Dictionary<string, bool>? loadedParameters = null)
            {
                Dictionary<string, Tensor> target = state_dict();
                long entries = reader.Read7BitEncodedInt64();
                if (strict && entries != target.Count)
                    throw new ArgumentException($"Mismatched state_dict sizes: expected {target.Count}, but found {entries} entries.");
                for (long i = 0; i < entries; i++)
                {
                    string key = reader.ReadString();
                    bool known = target.TryGetValue(key, out Tensor? own);
                    if (strict && !known) throw new ArgumentException($"The module has no parameter or buffer named '{key}'.");
                    if (known && !Skipped(key, skip)) own!.Load(reader);
                    else TensorExtensionMethods.Load(reader, skip: true);
                    loadedParameters?.Add(key, known);
                }

                return this;
            }

            private static bool Skipped(string key, IList<string>? skip) => skip is not null && skip.Contains(key);

            private static string Names(List<string> keys) => keys.Count == 0 ? "none" : string.Join(", ", keys);
        }
    }
}
