using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Federated.Compat.Torch.Tests;

public class ModuleTests
{
    [Fact]
    public void StateDict_NestedFields_HasFieldNamesAndComponentNames()
    {
        using Block block = new();

        Assert.Equal(
            ["scale", "first.weight", "first.bias", "layers.0.weight", "layers.1.weight", "head.weight", "head.bias", "position"],
            block.state_dict().Keys);
        Assert.Equal(["first", "layers", "head", "layers.0", "layers.1"], block.named_modules().Select(m => m.name));
        Assert.Equal(["scale", "first.weight", "first.bias", "layers.0.weight", "layers.1.weight", "head.weight", "head.bias"],
            block.named_parameters().Select(p => p.name));
        Assert.Equal(["position"], block.named_buffers().Select(b => b.name));
        Assert.Equal([3, 2], block.get_parameter("layers.1.weight")!.shape);
        Assert.Null(block.get_parameter("layers.9.weight"));
        Assert.True(block.has_buffer("position"));
    }

    [Fact]
    public void LoadStateDict_SameModule_CopiesValues()
    {
        using Block source = new(), target = new();
        using Tensor input = randn(4, 2);
        using Tensor before = target.call(input);

        target.load_state_dict(source.state_dict());

        using Tensor expected = source.call(input), actual = target.call(input);
        Assert.True(expected.allclose(actual));
        Assert.False(expected.allclose(before));
    }

    [Fact]
    public void LoadStateDict_WrongNames_SaysWhichUnlessTold()
    {
        using Block block = new();
        Dictionary<string, Tensor> state = block.state_dict();
        state.Remove("scale");
        state["extra"] = zeros(1);

        string message = Assert.Throws<InvalidOperationException>(() => block.load_state_dict(state)).Message;
#if OFFICIAL_PACKAGES
        Assert.Contains("not identical", message, StringComparison.Ordinal);
#else
        Assert.Contains("Missing: scale. Unexpected: extra.", message, StringComparison.Ordinal);
#endif
        (IList<string> missing, IList<string> unexpected) = block.load_state_dict(state, strict: false);
        Assert.Equal(["scale"], missing);
        Assert.Equal(["extra"], unexpected);
        Assert.Empty(block.load_state_dict(state, skip: ["scale", "extra"]).missing_keys);
    }

    [Fact]
    public void SaveLoad_Stream_RoundTrips()
    {
        using Block source = new(), target = new();
        byte[] saved;
        using (MemoryStream stream = new())
        {
            source.save(stream);
            saved = stream.ToArray();
        }

        Dictionary<string, bool> loaded = [];
        target.load(new MemoryStream(saved), loadedParameters: loaded);

        Assert.Equal(8, loaded.Count(entry => entry.Value));
        Assert.True(source.get_parameter("head.weight")!.allclose(target.get_parameter("head.weight")!));
        using Linear other = Linear(2, 2);
        Assert.Throws<ArgumentException>(() => other.load(new MemoryStream(saved)));
    }

    [Fact]
    public void TiedWeights_SharedParameter_IsNamedOnceInParametersAndTwiceInState()
    {
        using Tied tied = new();

        Assert.Equal(["head.weight"], tied.named_parameters().Select(p => p.name));
        Assert.Equal(["head.weight", "second.weight"], tied.state_dict().Keys);
        Assert.Single(tied.parameters());
    }

    [Fact]
    public void TrainAndEval_Tree_ReachEveryChild()
    {
        using Sequential model = Sequential(("drop", Dropout(0.9)), ("inner", Sequential(("drop", Dropout(0.9)))));
        using Tensor input = ones(1000);

        model.eval();
        Assert.False(model.training);
        Assert.Equal(1000, model.call(input).sum().item<float>());
        model.train();
        Assert.True(((nn.Module)model[1]).training);
        Assert.True(model.call(input).eq(0).any().item<bool>());
    }

    [Fact]
    public void To_OtherType_ConvertsParametersBuffersAndGradientsInPlace()
    {
        using Block block = new Block().to(float64);
        Linear first = (Linear)block.children().First();

        Assert.All(block.state_dict().Values.Where(t => t.is_floating_point()), t => Assert.Equal(float64, t.dtype));
        Assert.Equal(int64, block.get_buffer("position")!.dtype);
        Assert.Equal(float64, first.weight.dtype);
        Assert.True(first.weight.requires_grad && first.weight.is_leaf);
        using Tensor output = block.call(randn(1, 2, dtype: float64));
        Assert.Equal(float64, output.dtype);
        Assert.Throws<ArgumentException>(() => block.to(int64));
    }

    [Fact]
    public void Dispose_Module_FreesItsTensors()
    {
        long before = Live.Settled;
        int parameters;
        using (Block block = new())
        {
            parameters = block.parameters().Count();
            Assert.True(Live.Tensors > before);
        }

        Assert.Equal(before + (parameters * Live.PerParameter), Live.Tensors);
    }

    [Fact]
    public void Linear_MadeInsideAScope_OutlivesIt()
    {
        Linear linear;
        using (NewDisposeScope()) linear = Linear(2, 3);

        Assert.Equal([3, 2], linear.weight.shape);
        Assert.Equal((2, 3), (linear.in_features, linear.out_features));
        linear.Dispose();
    }

    [Fact]
    public void Hooks_BeforeAndAfter_ChangeInputAndResult()
    {
        using DisposeScope scope = NewDisposeScope();
        using Identity module = Identity();
        int calls = 0;
        var before = module.register_forward_pre_hook((_, x) => x + 1);
        var after = module.register_forward_hook((_, _, result) => result * 10);
        module.register_forward_hook(_ => calls++);

        Assert.Equal(20, module.call(ones(1)).item<float>());
        before.remove();
        after.remove();
        Assert.Equal(1, module.call(ones(1)).item<float>());
        Assert.Equal(2, calls);
    }

    [Fact]
    public void ZeroGrad_AfterBackward_ClearsOrZeroes()
    {
        using DisposeScope scope = NewDisposeScope();
        using Linear linear = Linear(2, 1);
        linear.call(ones(1, 2)).sum().backward();
        linear.zero_grad(set_to_none: false);
        Assert.Equal(0, linear.weight.grad!.abs().sum().item<float>());
        linear.zero_grad();
        Assert.Null(linear.weight.grad);
    }

    [Fact]
    public void Embedding_PaddingAndBound_AreRespected()
    {
        using DisposeScope scope = NewDisposeScope();
        using Embedding embedding = Embedding(5, 3, padding_idx: -1, max_norm: 0.5);
        Tensor rows = embedding.call(tensor([0L, 4L, 2L]));
        rows.sum().backward();

        Assert.True((bool)(rows.norm(1) <= 0.5001).all());
        Assert.Equal(0, rows[1].abs().sum().item<float>());
        Assert.Equal([3, 0, 3, 0, 0], embedding.weight!.grad!.sum(1).data<float>().ToArray());
        Assert.Contains("Padding_idx must be within num_embeddings", Assert.Throws<ExternalException>(() => Embedding(5, 3, padding_idx: 5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Containers_TakenForAComponent_AreRegisteredAsTheyAreThen()
    {
        using ModuleList<Linear> list = ModuleList(Linear(1, 2, hasBias: false), Linear(1, 3, hasBias: false));
        list.Insert(0, Linear(1, 4, hasBias: false));
        list.RemoveAt(1);
        using ModuleDict<Linear> named = ModuleDict(("a", Linear(1, 2, hasBias: false)), ("b", Linear(1, 3, hasBias: false)));
        named["a"] = Linear(1, 5, hasBias: false);
        Assert.Empty(list.state_dict());
        Assert.Empty(named.state_dict());

        using Holder holder = new(list, named);
        list.Add(Linear(1, 6, hasBias: false));
        named.Add("c", Linear(1, 7, hasBias: false));

        Assert.Equal(["list.0.weight", "list.1.weight", "named.a.weight", "named.b.weight"], holder.state_dict().Keys);
        Assert.Equal([4, 3, 5, 3], holder.parameters().Select(p => p.shape[0]));
    }

    [Fact]
    public void RegisterModule_BadNames_Throw()
    {
        using Block block = new();

        Assert.Throws<ArgumentException>(() => block.register_module("a.b", Identity()));
        Assert.Throws<ArgumentException>(() => block.register_module("", Identity()));
        Assert.Throws<InvalidOperationException>(() => block.register_module("first", Identity()));
        Assert.Throws<InvalidOperationException>(() => block.register_parameter("scale", Parameter(ones(1))));
    }

    [Fact]
    public void CrossEntropyLoss_Module_EqualsTheFunction()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = randn(4, 3), classes = tensor([0L, 7L, 2L, 1L]);

        Tensor loss = CrossEntropyLoss(ignore_index: 7).call(logits, classes);

        Assert.True(loss.allclose(functional.cross_entropy(logits, classes, ignore_index: 7)));
    }

    private sealed class Block : Module<Tensor, Tensor>
    {
        [ComponentName(Name = "first")] private readonly Linear _first = Linear(2, 2);
        [ComponentName(Name = "layers")] private readonly ModuleList<Linear> _layers = ModuleList(Linear(2, 2, hasBias: false), Linear(2, 3, hasBias: false));
        [ComponentName(Name = "head")] private readonly Linear _head = Linear(3, 1);
        [ComponentName(Name = "scale")] private readonly Parameter _scale = Parameter(rand(1));
        [ComponentName(Name = "position")] private readonly Tensor _position = arange(4);

        public Block() : base(nameof(Block)) => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor hidden = _first.call(input);
            foreach (Linear layer in _layers) hidden = layer.call(hidden);
            return scope.MoveToOuter((_head.call(hidden) * _scale) + _position[3]);
        }
    }

    private sealed class Holder : Module
    {
        [ComponentName(Name = "list")] private readonly ModuleList<Linear> _list;
        [ComponentName(Name = "named")] private readonly ModuleDict<Linear> _named;

        public Holder(ModuleList<Linear> list, ModuleDict<Linear> named) : base(nameof(Holder))
        {
            (_list, _named) = (list, named);
            RegisterComponents();
        }
    }

    private sealed class Tied : Module<Tensor, Tensor>
    {
        [ComponentName(Name = "head")] private readonly Linear _head;
        [ComponentName(Name = "second")] private readonly Linear _second;

        public Tied() : base(nameof(Tied))
        {
            _head = Linear(2, 2, hasBias: false);
            _second = Linear(_head.weight);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _second.call(_head.call(input));
    }
}
