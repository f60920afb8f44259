using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null)
        {
            if (device is { type: not DeviceType.CPU }) throw new NotSupportedException("Only CPU generators are available.");
            TakeOver(NativeMethods.ft_generator(seed));
        }

        // Not a constructor from a handle: 'new Generator(99)' would pick it for a seed.
        private Generator()
        {
        }

        ~Generator() => Dispose(false);

        public static Generator Default => new Generator().TakeOver(NativeMethods.ft_default_generator());

        public nint Handle => _handle;

        public Device device { get; } = CPU;

        public unsafe Tensor get_state()
        {
            nint state;
            NativeMethods.Check(NativeMethods.ft_generator_get_state(Handle, &state));
            GC.KeepAlive(this);
            return new Tensor(state);
        }

        public void set_state(Tensor value)
        {
            NativeMethods.Check(NativeMethods.ft_generator_set_state(Handle, value.Handle));
            GC.KeepAlive(value);
            GC.KeepAlive(this);
        }

        public Generator manual_seed(long seed)
        {
            NativeMethods.Check(NativeMethods.ft_generator_set_seed(Handle, (ulong)seed));
            return this;
        }

        public long seed() => Seed(fresh: true);

        public long initial_seed() => Seed(fresh: false);

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            nint handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0) NativeMethods.ft_generator_free(handle);
        }

        private Generator TakeOver(nint handle)
        {
            if (handle == 0) NativeMethods.Throw();
            _handle = handle;
            return this;
        }

        private unsafe long Seed(bool fresh)
        {
            ulong seed;
            NativeMethods.Check(NativeMethods.ft_generator_seed(Handle, fresh ? 1 : 0, &seed));
            GC.KeepAlive(this);
            return (long)seed;
        }
    }

    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    public static class random
    {
        public static long seed()
        {
            using Generator generator = Generator.Default;
            return generator.seed();
        }

        public static long initial_seed()
        {
            using Generator generator = Generator.Default;
            return generator.initial_seed();
        }

        public static Generator manual_seed(long seed) => Generator.Default.manual_seed(seed);

        public static Tensor get_rng_state()
        {
            using Generator generator = Generator.Default;
            return generator.get_state();
        }

        public static void set_rng_state(Tensor new_state)
        {
            using Generator generator = Generator.Default;
            generator.set_state(new_state);
        }
    }
}
