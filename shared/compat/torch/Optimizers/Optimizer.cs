using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp
{
    public static partial class torch
    {
        public static partial class optim
        {
            public abstract class Optimizer : IDisposable
            {
                protected IList<Modules.ParamGroup> _parameter_groups = [];

                protected Optimizer(nint handle)
                {
                }

                public virtual IEnumerable<ILearningRateController> ParamGroups => _parameter_groups;

                public virtual void add_param_group(Modules.ParamGroup param_group) => _parameter_groups.Add(param_group);

                public virtual IEnumerable<Modules.Parameter> parameters() => _parameter_groups.SelectMany(group => group.Parameters);

                public virtual void zero_grad()
                {
                    foreach (Modules.Parameter parameter in parameters())
                    {
                        using Tensor? gradient = parameter.grad;
                        gradient?.fill_(0);
                    }
                }

                public virtual Tensor? step(Func<Tensor>? closure = null) => throw new NotSupportedException("The optimizer defines no step.");

                public void Dispose()
                {
                    Dispose(true);
                    GC.SuppressFinalize(this);
                }

                protected virtual void Dispose(bool disposing)
                {
                }

                /// <summary>The options of every group and the state of every parameter, in order; not copies.</summary>
                public class StateDictionary
                {
                    internal StateDictionary()
                    {
                    }

                    public List<Modules.OptimizerOptions> Options { get; } = [];

                    public List<Modules.OptimizerState> State { get; } = [];
                }
            }

            public interface ILearningRateController
            {
                double LearningRate { get; set; }

                double InitialLearningRate { get; set; }
            }

            public interface IMomentum
            {
                double Momentum { get; set; }
            }

            public interface IBetas
            {
                (double, double) Betas { get; set; }
            }
        }
    }

    namespace Modules
    {
        /// <summary>What the optimizers share: parameter groups, each with options, and a state per parameter.</summary>
        public abstract class OptimizerHelper : optim.Optimizer
        {
            protected OptimizerOptions _defaults = null!;
            protected OrderedDict<nint, OptimizerState> _state = new();

            public OptimizerHelper() : base(0)
            {
            }

            /// <summary>Runs the closure with gradients, then the body for every group without.</summary>
            protected Tensor? _step<T>(Action<T> body, Func<Tensor>? loss_closure = null) where T : ParamGroup
            {
                Tensor? loss = null;
                if (loss_closure is not null)
                    using (enable_grad()) loss = loss_closure();
                using IDisposable silent = no_grad();
                using DisposeScope scope = NewDisposeScope();
                foreach (ParamGroup group in _parameter_groups) body((T)group);
                return loss;
            }

            public virtual StateDictionary state_dict()
            {
                StateDictionary result = new();
                foreach (ParamGroup group in _parameter_groups)
                {
                    result.Options.Add(group.Options);
                    foreach (Parameter parameter in group.Parameters) result.State.Add(_state[parameter.Handle]);
                }

                return result;
            }

            public virtual void load_state_dict(StateDictionary state_dict)
            {
                StateDictionary own = this.state_dict();
                RequireSameCounts(own, state_dict.Options.Count, state_dict.State.Count);
                for (int i = 0; i < own.Options.Count; i++)
                    if (own.Options[i] != state_dict.Options[i]) own.Options[i].LoadStateDict(state_dict.Options[i]);
                for (int i = 0; i < own.State.Count; i++)
                    if (own.State[i] != state_dict.State[i]) own.State[i].LoadStateDict(state_dict.State[i]);
            }

            public void save_state_dict(string location)
            {
                using FileStream stream = File.Create(location);
                using BinaryWriter writer = new(stream);
                save_state_dict(writer);
            }

            public void load_state_dict(string location)
            {
                using FileStream stream = File.OpenRead(location);
                using BinaryReader reader = new(stream);
                load_state_dict(reader);
            }

            public void save_state_dict(BinaryWriter writer)
            {
                StateDictionary own = state_dict();
                writer.Write(GetType().Name);
                writer.Write7BitEncodedInt64(own.Options.Count);
                writer.Write7BitEncodedInt64(own.State.Count);
                foreach (OptimizerOptions options in own.Options) options.SaveStateDict(writer);
                foreach (OptimizerState state in own.State) state.SaveStateDict(writer);
            }

            public void load_state_dict(BinaryReader reader)
            {
                string kind = reader.ReadString();
                if (kind != GetType().Name) throw new InvalidDataException($"The stream holds the state of '{kind}', this is '{GetType().Name}'.");
                StateDictionary own = state_dict();
                RequireSameCounts(own, reader.Read7BitEncodedInt64(), reader.Read7BitEncodedInt64());
                foreach (OptimizerOptions options in own.Options) options.LoadStateDict(reader);
                foreach (OptimizerState state in own.State) state.LoadStateDict(reader);
            }

            private static void RequireSameCounts(StateDictionary own, long groups, long states)
            {
                if (own.Options.Count != groups || own.State.Count != states)
                    throw new ArgumentException(
                        $"The optimizer has {own.Options.Count} groups and {own.State.Count} parameters, the state {groups} and {states}.");
            }

            internal void DisposeState()
            {
                foreach (OptimizerState state in _state.values()) (state as IDisposable)?.Dispose();
                _state.clear();
            }
        }

        public class OptimizerOptions
        {
            public double? LearningRate { get; set; }

            public double InitialLearningRate { get; set; }

            public virtual void SaveStateDict(BinaryWriter writer)
            {
                writer.Write(InitialLearningRate);
                writer.Write(LearningRate!.Value);
            }

            public virtual void LoadStateDict(BinaryReader reader)
            {
                InitialLearningRate = reader.ReadDouble();
                LearningRate = reader.ReadDouble();
            }

            public virtual void LoadStateDict(OptimizerOptions source) =>
                (InitialLearningRate, LearningRate) = (source.InitialLearningRate, source.LearningRate);
        }

        public abstract class OptimizerState
        {
            protected Parameter _parameter;

            protected OptimizerState(Parameter parameter) => _parameter = parameter;

            public abstract void SaveStateDict(BinaryWriter writer);

            public abstract void LoadStateDict(BinaryReader reader);

            public abstract void LoadStateDict(OptimizerState source);

            public abstract void Initialize(OptimizerOptions options);

            public virtual bool ApproximatelyEquals(OptimizerState other) => false;

            public virtual void to(Device device)
            {
            }

            protected static void LoadConditionalStateTensor(BinaryReader reader, ref Tensor? result, Device device)
            {
                bool present = reader.ReadBoolean();
                result?.Dispose();
                result = present ? TensorExtensionMethods.Load(reader).to(device, disposeAfter: true).DetachFromDisposeScope() : null;
            }

            protected static void SaveConditionalStateTensor(BinaryWriter writer, Tensor? tensor)
            {
                writer.Write(tensor is not null);
                tensor?.Save(writer);
            }
        }

        public class ParamGroup : optim.ILearningRateController
        {
            public IEnumerable<Parameter> Parameters { get; set; } = [];

            public OptimizerOptions Options { get; set; } = null!;

            public double LearningRate
            {
                get => Options.LearningRate!.Value;
                set => Options.LearningRate = value;
            }

            public double InitialLearningRate
            {
                get => Options.InitialLearningRate;
                set => Options.InitialLearningRate = value;
            }
        }

        public class ParamGroup<TOptions> : ParamGroup where TOptions : OptimizerOptions
        {
            public ParamGroup()
            {
            }

            public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
            {
                Parameters = [.. parameters];
                if (options is not null) Options = options;
            }

            public new TOptions Options
            {
                get => (TOptions)base.Options;
                set => base.Options = value;
            }
        }
    }
}
