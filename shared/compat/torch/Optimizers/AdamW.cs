using Federated.Compat.Torch;
using static TorchSharp.torch;

namespace TorchSharp
{
    namespace Modules
    {
        /// <summary>Adam with decoupled weight decay: Loshchilov and Hutter, ICLR 2019; arithmetic of PyTorch's single-tensor AdamW.</summary>
        public partial class AdamW : OptimizerHelper, optim.IBetas
        {
            private static readonly NativeOperator Fused = new("federated::adamw_");

            public AdamW(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                : this([new ParamGroup { Parameters = [.. parameters] }], lr, beta1, beta2, eps, weight_decay, amsgrad, maximize)
            {
            }

            public AdamW(
                IEnumerable<ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false)
            {
                if (!(lr >= 0)) throw new ArgumentException($"Invalid learning rate: {lr}");
                if (!(eps >= 0)) throw new ArgumentException($"Invalid ε: {eps}");
                if (!(beta1 >= 0 && beta1 < 1)) throw new ArgumentException($"Invalid beta1: {beta1}");
                if (!(beta2 >= 0 && beta2 < 1)) throw new ArgumentException($"Invalid beta2: {beta2}");
                if (!(weight_decay >= 0)) throw new ArgumentException($"Invalid weight_decay value: {weight_decay}");
                _defaults = new Options
                {
                    LearningRate = lr, InitialLearningRate = lr, beta1 = beta1, beta2 = beta2, eps = eps, weight_decay = weight_decay,
                    amsgrad = amsgrad, maximize = maximize,
                };
                _parameter_groups = [];
                foreach (ParamGroup group in parameters) add_param_group(group);
            }

            public (double, double) Betas
            {
                get => (((Options)_defaults).beta1!.Value, ((Options)_defaults).beta2!.Value);
                set => (((Options)_defaults).beta1, ((Options)_defaults).beta2) = value;
            }

            public override void add_param_group(Modules.ParamGroup param_group)
            {
                Options defaults = (Options)_defaults;
                Options options = (Options)(param_group.Options ??= new Options());
                options.LearningRate ??= defaults.LearningRate;
                options.beta1 ??= defaults.beta1;
                options.beta2 ??= defaults.beta2;
                options.eps ??= defaults.eps;
                options.weight_decay ??= defaults.weight_decay;
                options.amsgrad ??= defaults.amsgrad;
                options.maximize ??= defaults.maximize;
                options.InitialLearningRate = options.LearningRate!.Value;
                _parameter_groups.Add(param_group);
                foreach (Parameter parameter in param_group.Parameters)
                {
                    State state = new(parameter);
                    _state[parameter.Handle] = state;
                    state.Initialize(options);
                }
            }

            public override Tensor? step(Func<Tensor>? closure = null) => _step<ParamGroup>(Step, closure);

            protected override void Dispose(bool disposing)
            {
                if (disposing) DisposeState();
            }

            private void Step(ParamGroup group)
            {
                Options options = group.Options;
                List<(Parameter Parameter, Tensor Gradient, State State)> dense = [];
                foreach (Parameter parameter in group.Parameters)
                {
                    if (parameter.grad is not Tensor gradient) continue;
                    State state = (State)_state[parameter.Handle];
                    state.step++;
                    if (IsDense(parameter) && gradient.dtype == parameter.dtype) dense.Add((parameter, gradient.contiguous(), state));
                    else StepComposed(parameter, gradient, state, options);
                }

                if (dense.Count == 0) return;
                Fused.Run(
                    NativeArgument.Tensors([.. dense.Select(d => d.Parameter)]),
                    NativeArgument.Tensors([.. dense.Select(d => d.Gradient)]),
                    NativeArgument.Tensors([.. dense.Select(d => d.State.exp_avg)]),
                    NativeArgument.Tensors([.. dense.Select(d => d.State.exp_avg_sq)]),
                    NativeArgument.Tensors(options.amsgrad!.Value ? [.. dense.Select(d => d.State.max_exp_avg_sq)] : []),
                    (long[])[.. dense.Select(d => d.State.step)],
                    options.LearningRate!.Value, options.beta1!.Value, options.beta2!.Value, options.eps!.Value, options.weight_decay!.Value,
                    options.maximize!.Value);
            }

            private static bool IsDense(Tensor parameter)
            {
                TensorDescription description = parameter.Describe();
                return description.IsContiguous && (ScalarType)description.DataType is ScalarType.Float32 or ScalarType.Float64;
            }

            /// <summary>The same step by libtorch's operators, for half precision and for strided parameters.</summary>
            private static void StepComposed(Parameter parameter, Tensor gradient, State state, Options options)
            {
                if (options.maximize!.Value) gradient = -gradient;
                double beta1 = options.beta1!.Value, beta2 = options.beta2!.Value, lr = options.LearningRate!.Value;
                double correction1 = 1 - Math.Pow(beta1, state.step), correction2 = 1 - Math.Pow(beta2, state.step);
                parameter.mul_(1 - (lr * options.weight_decay!.Value));
                state.exp_avg!.mul_(beta1).add_(gradient, alpha: 1 - beta1);
                state.exp_avg_sq!.mul_(beta2).addcmul_(gradient, gradient, value: 1 - beta2);
                Tensor second = state.exp_avg_sq;
                if (options.amsgrad!.Value) second = state.max_exp_avg_sq!.copy_(state.max_exp_avg_sq.maximum(second));
                parameter.addcdiv_(state.exp_avg, (second.sqrt() / Math.Sqrt(correction2)).add_(options.eps!.Value), value: -lr / correction1);
            }
        }
    }

    public static partial class torch
    {
        public static partial class optim
        {
            public static Modules.AdamW AdamW(
                IEnumerable<Modules.Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Modules.AdamW AdamW(
                IEnumerable<(string name, Modules.Parameter parameter)> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999,
                double eps = 1e-8, double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters.Select(entry => entry.parameter), lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Modules.AdamW AdamW(
                IEnumerable<Modules.AdamW.ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);
        }
    }
}
