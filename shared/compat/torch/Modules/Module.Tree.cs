namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public partial class Module
        {
            public virtual IEnumerable<(string name, Module module)> named_children() => _internal_submodules;

            public virtual IEnumerable<Module> children() => named_children().Select(child => child.module);

            public virtual IEnumerable<(string name, Module module)> named_modules()
            {
                foreach ((string name, Module module) child in _internal_submodules) yield return child;
                foreach ((string name, Module child) in _internal_submodules)
                    foreach ((string inner, Module module) in child.named_modules()) yield return ($"{name}.{inner}", module);
            }

            public virtual IEnumerable<Module> modules() => named_modules().Select(entry => entry.module);

            public virtual IEnumerable<(string name, Modules.Parameter parameter)> named_parameters(bool recurse = true)
            {
                // Tied weights are named once; a parameter whose handle is gone is passed over.
                HashSet<nint> seen = [0];
                foreach ((string name, Modules.Parameter parameter) entry in _internal_params)
                    if (seen.Add(entry.parameter.handle)) yield return entry;
                if (!recurse) yield break;
                foreach ((string name, Module child) in _internal_submodules)
                    foreach ((string inner, Modules.Parameter parameter) in child.named_parameters(true))
                        if (seen.Add(parameter.handle)) yield return ($"{name}.{inner}", parameter);
            }

            public virtual IEnumerable<Modules.Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(entry => entry.parameter);

            /// <summary>Persistent buffers; those registered with <c>persistent: false</c> never appear, as upstream.</summary>
            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true)
            {
                HashSet<nint> seen = [0];
                foreach ((string name, (Tensor buffer, bool persistent)) in _internal_buffers)
                    if (persistent && seen.Add(buffer.handle)) yield return (name, buffer);
                if (!recurse) yield break;
                foreach ((string name, Module child) in _internal_submodules)
                    foreach ((string inner, Tensor buffer) in child.named_buffers(true, include_nonpersistent))
                        if (seen.Add(buffer.handle)) yield return ($"{name}.{inner}", buffer);
            }

            public virtual IEnumerable<Tensor> buffers(bool recurse = true, bool include_nonpersistent = true) =>
                named_buffers(recurse, include_nonpersistent).Select(entry => entry.buffer);

            public virtual bool has_parameter(string target) => get_parameter(target) is not null;

            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            public virtual Modules.Parameter? get_parameter(string target)
            {
                if (_internal_params.TryGetValue(target, out Modules.Parameter? parameter)) return parameter;
                return Descend(target) is (Module child, string rest) ? child.get_parameter(rest) : null;
            }

            public virtual Tensor? get_buffer(string target)
            {
                if (_internal_buffers.TryGetValue(target, out (Tensor tensor, bool persistent) buffer)) return buffer.tensor;
                return Descend(target) is (Module child, string rest) ? child.get_buffer(rest) : null;
            }

            private (Module Child, string Path)? Descend(string target)
            {
                int dot = target.IndexOf('.', StringComparison.Ordinal);
                if (dot < 0) return null;
                Module? child = named_children().FirstOrDefault(entry => entry.name == target[..dot]).module;
                return child is null ? null : (child, target[(dot + 1)..]);
            }
        }
    }
}
