using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using static TorchSharp.torch;

namespace TorchSharp
{
    namespace Modules
    {
        /// <summary>Modules called one after the other; named by position unless names are given.</summary>
        public class Sequential : nn.Module<Tensor, Tensor>
        {
            private readonly List<nn.IModule<Tensor, Tensor>> _modules = [];

            internal Sequential(IEnumerable<(string name, nn.Module<Tensor, Tensor> module)> modules) : base(nameof(Sequential))
            {
                foreach ((string name, nn.Module<Tensor, Tensor> module) in modules) append(name, module);
            }

            protected Sequential(params (string name, nn.Module<Tensor, Tensor> submodule)[] modules)
                : this((IEnumerable<(string, nn.Module<Tensor, Tensor>)>)modules)
            {
            }

            protected Sequential(params nn.Module<Tensor, Tensor>[] modules) : this(Numbered(modules))
            {
            }

            public int Count => _modules.Count;

            [System.Runtime.CompilerServices.IndexerName("SequentialItems")]
            public nn.IModule<Tensor, Tensor> this[int index] => _modules[index];

            public Sequential append(string name, nn.IModule<Tensor, Tensor> module)
            {
                register_module(name, (nn.Module)module);
                _modules.Add(module);
                return this;
            }

            public Sequential append(nn.IModule<Tensor, Tensor> module) => append(Number(_modules.Count), module);

            public override Tensor forward(Tensor tensor)
            {
                if (_modules.Count == 0) return tensor.alias();
                using DisposeScope scope = NewDisposeScope();
                Tensor current = tensor;
                foreach (nn.IModule<Tensor, Tensor> module in _modules) current = module.call(current);
                return scope.MoveToOuter(current);
            }

            internal static IEnumerable<(string, nn.Module<Tensor, Tensor>)> Numbered(IEnumerable<nn.Module<Tensor, Tensor>> modules) =>
                modules.Select((module, index) => (Number(index), module));

            private static string Number(int index) => index.ToString(CultureInfo.InvariantCulture);
        }

        /// <summary>Modules in a list, registered under their positions.</summary>
        /// <remarks>Registered once, when a module takes the list for a component; the list alone has no parameters, and later changes are not seen.</remarks>
        public class ModuleList<T> : nn.Module, IList<T> where T : nn.Module
        {
            private readonly List<T> _list = [];
            private bool _registered;

            public ModuleList(params T[] modules) : base(nameof(ModuleList<T>)) => extend(modules);

            public int Count => _list.Count;

            public bool IsReadOnly => false;

            public T this[int index]
            {
                get => _list[index];
                set => _list[index] = value;
            }

            public void Add(T item) => _list.Add(item);

            public void append(params T[] parameters) => extend(parameters);

            public void extend(IEnumerable<T> modules) => _list.AddRange(modules);

            public void Insert(int index, T item) => _list.Insert(index, item);

            public bool Remove(T item) => _list.Remove(item);

            public void RemoveAt(int index) => _list.RemoveAt(index);

            public void Clear() => _list.Clear();

            public bool Contains(T item) => _list.Contains(item);

            public int IndexOf(T item) => _list.IndexOf(item);

            public void CopyTo(T[] array, int arrayIndex) => _list.CopyTo(array, arrayIndex);

            public IEnumerator<T> GetEnumerator() => _list.GetEnumerator();

            IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

            protected override void RegisterComponents()
            {
                if (_registered) return;
                for (int i = 0; i < _list.Count; i++) register_module(i.ToString(CultureInfo.InvariantCulture), _list[i]);
                _registered = true;
            }
        }

        /// <summary>Modules by name, in order of insertion; registered as those of a <see cref="ModuleList{T}"/>.</summary>
        public class ModuleDict<T> : nn.Module, IEnumerable<(string, T)> where T : nn.Module
        {
            private readonly OrderedDictionary<string, T> _modules = new(StringComparer.Ordinal);
            private bool _registered;

            public ModuleDict() : base(nameof(ModuleDict<T>))
            {
            }

            public int Count => _modules.Count;

            public T this[string key]
            {
                get => _modules[key];
                set => _modules.SetAt(_modules.IndexOf(key), value);
            }

            public void Add(string key, T value) => _modules.Add(key, value);

            public void Add((string, T) item) => Add(item.Item1, item.Item2);

            public bool ContainsKey(string key) => _modules.ContainsKey(key);

            public bool Remove(string key) => _modules.Remove(key);

            public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => _modules.TryGetValue(key, out value);

            public IEnumerable<string> keys() => _modules.Keys;

            public IEnumerable<T> values() => _modules.Values;

            public void clear() => _modules.Clear();

            public IEnumerator<(string, T)> GetEnumerator() => _modules.Select(entry => (entry.Key, entry.Value)).GetEnumerator();

            IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

            protected override void RegisterComponents()
            {
                if (_registered) return;
                foreach ((string name, T module) in _modules) register_module(name, module);
                _registered = true;
            }
        }
    }

    public static partial class torch
    {
        public static partial class nn
        {
            public static Modules.Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) =>
                new((IEnumerable<(string, Module<Tensor, Tensor>)>)modules);

            public static Modules.Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules);

            public static Modules.Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(Modules.Sequential.Numbered(modules));

            public static Modules.Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new(Modules.Sequential.Numbered(modules));

            public static Modules.ModuleList<T> ModuleList<T>(params T[] modules) where T : Module => new(modules);

            public static Modules.ModuleDict<T> ModuleDict<T>(params (string, T)[] modules) where T : Module
            {
                Modules.ModuleDict<T> result = new();
                foreach ((string name, T module) in modules) result.Add(name, module);
                return result;
            }
        }
    }
}
