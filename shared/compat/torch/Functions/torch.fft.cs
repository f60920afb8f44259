using Federated.Compat.Torch;

namespace TorchSharp;

public enum FFTNormType
{
    Backward = 0,
    Forward = 1,
    Ortho = 2,
}

public static partial class torch
{
    public static class fft
    {
        /// <summary>Inverse transform of a half spectrum to real numbers; without complex types here, the spectrum itself must be real.</summary>
        public static Tensor irfft2(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) =>
            Aten.FftIrfft2.Call(input, s ?? NativeArgument.None, dim ?? [-2L, -1L], norm switch
            {
                FFTNormType.Forward => "forward",
                FFTNormType.Ortho => "ortho",
                _ => "backward",
            });
    }
}
