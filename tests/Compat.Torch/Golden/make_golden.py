"""Writes operators.json and training.json: what Python's torch computes, for the tests of the TorchSharp stand-in.

Run with Debian's python3-torch (1.13, the libtorch that the stand-in is built against):  python3 make_golden.py
"""
import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent


def pack(tensor):
    tensor = tensor.detach()
    values = tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
    flat = [v if not isinstance(v, float) or math.isfinite(v) else str(v) for v in values.flatten().tolist()]
    return {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "values": flat}


CASES = []


def case(name, function, **inputs):
    """Runs the function on clones; for floating-point results also the gradients of sum(result * cos(0, 1, 2, ...))."""
    tensors = {}
    for key, value in inputs.items():
        tensors[key] = value.clone().requires_grad_(value.dtype in (torch.float32, torch.float64))
    results = function(**tensors)
    results = [results] if isinstance(results, torch.Tensor) else list(results)
    entry = {"name": name, "inputs": {k: pack(v) for k, v in inputs.items()}, "results": [pack(r) for r in results]}
    first = results[0]
    if first.requires_grad:
        weights = torch.cos(torch.arange(first.numel(), dtype=first.dtype)).view(first.shape)
        leaves = [t for t in tensors.values() if t.requires_grad]
        names = [k for k, t in tensors.items() if t.requires_grad]
        grads = torch.autograd.grad((first * weights).sum(), leaves, allow_unused=True)
        entry["gradients"] = {k: pack(g) for k, g in zip(names, grads) if g is not None}
    CASES.append(entry)


def operators():
    torch.manual_seed(7)
    x, y, z = torch.randn(3, 4), torch.randn(3, 4), torch.rand(3, 4) + 0.5
    a, b = torch.randn(3, 4), torch.randn(4, 5)
    p, q = torch.randn(2, 3, 4), torch.randn(2, 4, 5)
    bias = torch.randn(5)
    index = torch.tensor([2, 0, 1, 2])
    ids = torch.tensor([[1, 0, 3], [2, 2, 0]])
    mask = torch.tensor([[True, False, True, False], [False, False, True, True], [True, True, False, False]])

    case("add", lambda x, y: x + y, x=x, y=y)
    case("add_alpha", lambda x, y: torch.add(x, y, alpha=0.5), x=x, y=y)
    case("sub_scalar_left", lambda x: 2.5 - x, x=x)
    case("div_scalar_left", lambda z: 3 / z, z=z)
    case("mul_broadcast", lambda x, y: x * y[0], x=x, y=y)
    case("div_floor", lambda x, z: torch.div(x, z, rounding_mode="floor").detach(), x=x, z=z)
    case("remainder", lambda x, z: (x % z).detach(), x=x, z=z)
    case("pow", lambda z: z ** 2.5, z=z)
    case("addcmul", lambda x, y, z: torch.addcmul(x, y, z, value=0.3), x=x, y=y, z=z)
    case("addcdiv", lambda x, y, z: torch.addcdiv(x, y, z, value=0.3), x=x, y=y, z=z)
    case("lerp", lambda x, y, z: torch.lerp(x, y, z), x=x, y=y, z=z)
    case("matmul", lambda a, b: a @ b, a=a, b=b)
    case("bmm", lambda p, q: torch.bmm(p, q), p=p, q=q)
    case("matmul_broadcast", lambda p, b: p @ b, p=p, b=b)
    case("addmm", lambda bias, a, b: torch.addmm(bias, a, b, beta=0.5, alpha=2), bias=bias, a=a, b=b)
    case("einsum", lambda p, q: torch.einsum("bij,bjk->bik", p, q), p=p, q=q)
    case("linear", lambda p, b, bias: F.linear(p, b.t(), bias), p=p, b=b, bias=bias)

    for name in "exp abs neg sin cos tanh sigmoid erf relu square floor ceil sign expm1".split():
        case(name, lambda x, n=name: getattr(torch, n)(x), x=x)
    for name in "log log2 log1p sqrt rsqrt reciprocal".split():
        case(name, lambda z, n=name: getattr(torch, n)(z), z=z)
    case("silu", lambda x: F.silu(x), x=x)
    case("gelu", lambda x: F.gelu(x), x=x)
    case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), x=x)
    case("softplus", lambda x: F.softplus(x), x=x)
    case("leaky_relu", lambda x: F.leaky_relu(x, 0.1), x=x)
    case("clamp", lambda x: x.clamp(-0.5, 0.7), x=x)
    case("round_decimals", lambda x: torch.round(x, decimals=1).detach(), x=x)
    case("softmax", lambda x: x.softmax(-1), x=x)
    case("log_softmax", lambda x: x.log_softmax(0), x=x)
    case("layer_norm", lambda x, y: F.layer_norm(x, (4,), y[0], y[1], 1e-5), x=x, y=y)
    case("normalize", lambda x: F.normalize(x, dim=1), x=x)
    case("cosine_similarity", lambda x, y: F.cosine_similarity(x, y, dim=1), x=x, y=y)

    case("sum", lambda x: x.sum(), x=x)
    case("sum_dims", lambda p: p.sum((0, 2)), p=p)
    case("mean_keepdim", lambda p: p.mean((1,), keepdim=True), p=p)
    case("var", lambda x: x.var(1), x=x)
    case("std_biased", lambda x: x.std(0, unbiased=False, keepdim=True), x=x)
    case("norm", lambda x: x.norm(), x=x)
    case("norm_p3_dim", lambda x: x.norm(3, dim=1), x=x)
    case("logsumexp", lambda x: x.logsumexp(1), x=x)
    case("max_dim", lambda x: x.max(1), x=x)
    case("min", lambda x: x.min(), x=x)
    case("topk", lambda x: x.topk(2, dim=1), x=x)
    case("sort", lambda x: x.sort(1, descending=True), x=x)
    case("argmax", lambda x: x.argmax(1), x=x)
    case("cumsum", lambda x: x.cumsum(1), x=x)
    case("prod", lambda z: z.prod(1), z=z)
    case("median", lambda x: x.median().detach(), x=x)
    case("count_nonzero", lambda mask: mask.count_nonzero(1), mask=mask)
    case("any_all", lambda mask: (mask.any(1), mask.all(0)), mask=mask)

    case("transpose", lambda p: p.transpose(1, 2) * 1, p=p)
    case("permute", lambda p: p.permute(2, 0, 1) * 1, p=p)
    case("cat", lambda x, y: torch.cat([x, y], 1), x=x, y=y)
    case("stack", lambda x, y: torch.stack([x, y], 1), x=x, y=y)
    case("chunk", lambda b: b.chunk(2, 1), b=b)
    case("split_sizes", lambda b: b.split([1, 4], 1), b=b)
    case("repeat", lambda x: x.repeat(2, 1), x=x)
    case("repeat_interleave", lambda x: x.repeat_interleave(2, 0), x=x)
    case("expand", lambda bias: bias.unsqueeze(0).expand(3, -1) * 1, bias=bias)
    case("tril", lambda x: x.tril(1), x=x)
    case("triu", lambda x: x.triu(-1), x=x)
    case("roll_flip", lambda x: x.roll(1, 1).flip(0), x=x)

    case("index_select", lambda x, index: x.index_select(1, index), x=x, index=index)
    case("gather", lambda x, ids: x.gather(1, ids), x=x[:2], ids=ids)
    case("scatter_add", lambda x, ids, y: x.scatter_add(1, ids, y), x=x[:2], ids=ids, y=y[:2, :3])
    case("masked_fill", lambda x, mask: x.masked_fill(mask, -1.5), x=x, mask=mask)
    case("where", lambda mask, x, y: torch.where(mask, x, y), mask=mask, x=x, y=y)
    case("masked_select", lambda x, mask: x.masked_select(mask), x=x, mask=mask)
    case("index_number", lambda p: p[1, 2], p=p)
    case("index_slice", lambda p: p[:, 1:3, ::2], p=p)
    case("index_ellipsis", lambda p: p[..., -1], p=p)
    case("index_none", lambda x: x[:, None, 1:], x=x)
    case("index_tensor", lambda p, index: p[:, :, index], p=p, index=index)
    case("index_mask", lambda x, mask: x[mask], x=x, mask=mask)
    case("index_two_tensors", lambda x, index: x[index[:3], index[1:]], x=x, index=index)
    case("embedding", lambda b, ids: F.embedding(ids, b, padding_idx=1), b=b, ids=ids)
    case("one_hot", lambda ids: F.one_hot(ids, 5), ids=ids)

    logits, classes = torch.randn(6, 5), torch.tensor([0, 4, -100, 2, 2, 1])
    weight = torch.rand(5)
    case("cross_entropy", lambda l, c: F.cross_entropy(l, c), l=logits, c=classes)
    case("cross_entropy_sum", lambda l, c: F.cross_entropy(l, c, reduction="sum"), l=logits, c=classes)
    case("cross_entropy_none", lambda l, c: F.cross_entropy(l, c, reduction="none"), l=logits, c=classes)
    case("cross_entropy_weighted", lambda l, c, w: F.cross_entropy(l, c, weight=w.detach(), label_smoothing=0.1), l=logits, c=classes, w=weight)
    case("mse_loss", lambda x, y: F.mse_loss(x, y), x=x, y=y)
    case("l1_loss", lambda x, y: F.l1_loss(x, y, reduction="sum"), x=x, y=y)
    case("kl_div", lambda x, y: F.kl_div(x.log_softmax(1), y.log_softmax(1), log_target=True, reduction="sum"), x=x, y=y)
    case("bce_logits", lambda x, z: F.binary_cross_entropy_with_logits(x, (z - 0.5).detach()), x=x, z=z)

    n, k = torch.tensor([3, 1, 3, 0, 7, 3]), torch.arange(12).view(3, 4)
    case("bincount", lambda n: torch.bincount(n, minlength=9), n=n)
    case("integer_arithmetic", lambda k: (k * 3 - 5) // 2, k=k)
    case("integer_division", lambda k: k / 4, k=k)
    case("comparison", lambda k: (k >= 5) & (k != 7) | (k < 2), k=k)
    case("arange_step", lambda n: torch.arange(1, 10, 3), n=n)
    case("linspace", lambda n: torch.linspace(-1, 1, 5), n=n)
    case("eye", lambda n: torch.eye(2, 3), n=n)
    for dtype in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.bool):
        source = x.abs() if dtype == torch.uint8 else x
        case("to_" + str(dtype).removeprefix("torch."), lambda x, d=dtype: x.detach().to(d), x=source)
    case("bfloat16_matmul", lambda a, b: (a.detach().bfloat16() @ b.detach().bfloat16()), a=a, b=b)

    d = torch.randn(2, 2, 5, 4, dtype=torch.float64)
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    case("attention_causal",
         lambda d: ((d @ d.transpose(-2, -1)) / 2).masked_fill(~causal, float("-inf")).softmax(-1) @ d, d=d)

    # Signs of singular vectors and of Q's columns are free: what is compared does not depend on them.
    square, other = p[:, :, :3], p[:, :, 1:]
    case("linalg_svd", lambda x: torch.linalg.svd(x, full_matrices=False)[1], x=x)
    case("linalg_svd_product", lambda x: (lambda u, s, vh: u[:, :2] @ torch.diag(s[:2]) @ vh[:2])(*torch.linalg.svd(x, full_matrices=False)), x=x)
    case("linalg_qr", lambda x: (lambda q, r: (q[:, :2] @ r[:2], r.abs()))(*torch.linalg.qr(x)), x=x)
    case("linalg_solve", lambda p, q: torch.linalg.solve(p, q), p=square, q=q[:, :3])
    case("linalg_solve_right", lambda p, q: torch.linalg.solve(p, q, left=False), p=square, q=other)
    case("fft_irfft2", lambda x: torch.fft.irfft2(x, s=(3, 7)), x=x)


def draws():
    """One seed, then every source of random numbers in turn: a wrong count of draws shifts all that follows."""
    torch.manual_seed(20240501)
    found = {}
    found["randn_small"] = torch.randn(5)
    found["randn_large"] = torch.randn(4, 8)
    found["rand"] = torch.rand(3, 3)
    found["randint"] = torch.randint(-5, 100, (7,))
    found["randperm"] = torch.randperm(11)
    found["normal_"] = torch.empty(6).normal_(2, 3)
    found["uniform_"] = torch.empty(6).uniform_(-1, 4)
    found["bernoulli"] = torch.full((9,), 0.3).bernoulli()
    found["multinomial"] = torch.tensor([0.1, 0.2, 0.3, 0.4]).multinomial(6, replacement=True)
    found["dropout"] = F.dropout(torch.ones(20), 0.4, True)
    found["randn_double"] = torch.randn(3, dtype=torch.float64)
    found["kaiming_uniform_"] = torch.nn.init.kaiming_uniform_(torch.empty(3, 5), a=math.sqrt(5))
    found["xavier_uniform_"] = torch.nn.init.xavier_uniform_(torch.empty(3, 5))
    found["kaiming_normal_"] = torch.nn.init.kaiming_normal_(torch.empty(3, 5), nonlinearity="relu")
    found["trunc_normal_"] = torch.nn.init.trunc_normal_(torch.empty(4, 4), 0.0, 0.02, -0.04, 0.04)
    linear = torch.nn.Linear(4, 3)
    found["linear_weight"], found["linear_bias"] = linear.weight, linear.bias
    found["embedding"] = torch.nn.Embedding(4, 3, padding_idx=1).weight
    other = torch.Generator().manual_seed(99)
    found["own_generator"] = torch.randn(4, generator=other)
    found["after"] = torch.rand(2)
    return {k: pack(v) for k, v in found.items()}


def trajectory(make, steps=6):
    """Parameters after every step on a loss that is not quadratic, so that both moments matter."""
    torch.manual_seed(3)
    first, second = torch.randn(3, 4, requires_grad=True), torch.randn(4, requires_grad=True)
    start = [pack(first), pack(second)]
    optimizer = make([first, second])
    path = []
    for step in range(steps):
        optimizer.zero_grad()
        ((first * second).sin().sum() * (1 + 0.5 * step) + (second ** 2).sum()).backward()
        optimizer.step()
        path.append([pack(first), pack(second)])
    return {"start": start, "path": path}


def rates(make, steps=12):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = make(optimizer)
    found = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[0]["lr"])
    return found


def clipped(norm_type, limit):
    torch.manual_seed(5)
    parameters = [torch.zeros(3, 2, requires_grad=True), torch.zeros(4, requires_grad=True)]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    before = [pack(p.grad) for p in parameters]
    total = torch.nn.utils.clip_grad_norm_(parameters, limit, norm_type)
    return {"norm_type": norm_type, "limit": limit, "before": before, "total": float(total), "after": [pack(p.grad) for p in parameters]}


def training():
    schedule = torch.optim.lr_scheduler
    return {
        "draws": draws(),
        "optimizers": {
            "adamw": trajectory(lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0)),
            "adamw_decay": trajectory(lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)),
            "adamw_amsgrad": trajectory(lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.01, amsgrad=True)),
            "adamw_maximize": trajectory(lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.01, maximize=True)),
            "sgd": trajectory(lambda p: torch.optim.SGD(p, lr=0.05)),
            "sgd_momentum": trajectory(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.02)),
            "sgd_nesterov": trajectory(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
        },
        "rates": {
            "step": rates(lambda o: schedule.StepLR(o, 4, 0.5)),
            "lambda": rates(lambda o: schedule.LambdaLR(o, lambda e: 1 / (1 + e))),
            "linear": rates(lambda o: schedule.LinearLR(o, 0.25, 1.0, 6)),
            "cosine": rates(lambda o: schedule.CosineAnnealingLR(o, 8, 0.01)),
        },
        "clipping": [clipped(2.0, 0.5), clipped(1.0, 2.0), clipped(2.0, 100.0), clipped(math.inf, 0.7)],
    }


def save(name, content):
    text = json.dumps(content, separators=(",", ":")).replace('{"name"', '\n{"name"').replace("Infinity", '"inf"')
    (HERE / name).write_text(text + "\n")


operators()
save("operators.json", {"torch": torch.__version__, "cases": CASES})
save("training.json", training())
