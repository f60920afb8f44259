using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    public static class linalg
    {
        public enum QRMode
        {
            Reduced = 0,
            Complete = 1,
            R = 2,
        }

        public static (Tensor Q, Tensor R) qr(Tensor input, QRMode mode = QRMode.Reduced) => Aten.LinalgQr.Call2(input, mode switch
        {
            QRMode.Complete => "complete",
            QRMode.R => "r",
            _ => "reduced",
        });

        /// <summary>X with A·X = B, or X·A = B when not <paramref name="left"/>.</summary>
        public static Tensor solve(Tensor A, Tensor B, bool left = true) => Aten.LinalgSolve.Call(A, B, left);

        public static (Tensor U, Tensor S, Tensor Vh) svd(Tensor input, bool fullMatrices = true) => Aten.LinalgSvd.Call3(input, fullMatrices);
    }
}
