"""The peer of `benchmarks generation`: the same greedy continuation in PyTorch on the CPU, with a cache of keys and values.

The same Llama checkpoint and prompts. Written the fast way: room for all keys and values is taken once and written in place, query heads
that share a key head are stacked instead of repeating keys, the prompt is read in one pass with logits for its last position only, every
later pass is of one token and needs no mask, all under inference mode. Needs Python 3 with torch and numpy. Prints one JSON line.
"""
import argparse
import json
import os
import resource
import statistics
import time

parser = argparse.ArgumentParser(description="greedy generation in PyTorch, measured")
parser.add_argument("--work", required=True, help="folder made by 'benchmarks generation': a model and prompts.json")
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--new-tokens", type=int, required=True)
arguments = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(arguments.threads)

import numpy  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(arguments.threads)


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start, tensors = file.tell(), {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            tensors[name] = torch.from_numpy(numpy.fromfile(file, dtype=numpy.float32, count=(end - begin) // 4)).view(entry["shape"])
    return tensors


with open(os.path.join(arguments.work, "config.json")) as file:
    config = json.load(file)
with open(os.path.join(arguments.work, "prompts.json")) as file:
    prompts = json.load(file)
weights = read_safetensors(os.path.join(arguments.work, "model.safetensors"))
HEADS, KEY_HEADS, EPS, LAYERS = config["num_attention_heads"], config["num_key_value_heads"], config["rms_norm_eps"], config["num_hidden_layers"]
WIDTH, GROUP = config["hidden_size"] // HEADS, HEADS // KEY_HEADS
SCALE, HALF = WIDTH ** -0.5, WIDTH // 2
CAPACITY = max(len(prompt) for prompt in prompts) + arguments.new_tokens
frequencies = 1.0 / (config["rope_theta"] ** (torch.arange(0, WIDTH, 2).float() / WIDTH))
angles = torch.outer(torch.arange(CAPACITY).float(), frequencies)
angles = torch.cat((angles, angles), dim=-1)
COS, SIN = angles.cos().unsqueeze(1), angles.sin().unsqueeze(1)
LAYER = [
    [weights[f"model.layers.{i}.{name}.weight"] for name in (
        "input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
        "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")]
    for i in range(LAYERS)
]
TABLE, NORM, HEAD = weights["model.embed_tokens.weight"], weights["model.norm.weight"], weights["lm_head.weight"]
keys = [torch.empty(KEY_HEADS, CAPACITY, WIDTH) for _ in range(LAYERS)]
values = [torch.empty(KEY_HEADS, CAPACITY, WIDTH) for _ in range(LAYERS)]


def norm(x, weight):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * weight


def rotate(x, cos, sin):
    return x * cos + torch.cat((-x[..., HALF:], x[..., :HALF]), dim=-1) * sin


def forward(ids, past):
    n = ids.shape[0]
    end = past + n
    cos, sin = COS[past:end], SIN[past:end]
    mask = None if n == 1 else torch.full((n, end), float("-inf")).triu(1 + past).repeat(GROUP, 1)
    x = TABLE.index_select(0, ids)
    for i, (norm1, wq, wk, wv, wo, norm2, gate, up, down) in enumerate(LAYER):
        h = norm(x, norm1)
        q = rotate(F.linear(h, wq).view(n, HEADS, WIDTH), cos, sin)
        keys[i][:, past:end] = rotate(F.linear(h, wk).view(n, KEY_HEADS, WIDTH), cos, sin).transpose(0, 1)
        values[i][:, past:end] = F.linear(h, wv).view(n, KEY_HEADS, WIDTH).transpose(0, 1)
        q = q.view(n, KEY_HEADS, GROUP, WIDTH).permute(1, 2, 0, 3).reshape(KEY_HEADS, GROUP * n, WIDTH)
        scores = torch.bmm(q, keys[i][:, :end].transpose(1, 2)) * SCALE
        if mask is not None:
            scores = scores + mask
        mixed = torch.bmm(F.softmax(scores, dim=-1), values[i][:, :end])
        x = x + F.linear(mixed.view(KEY_HEADS, GROUP, n, WIDTH).permute(2, 0, 1, 3).reshape(n, HEADS * WIDTH), wo)
        h = norm(x, norm2)
        x = x + F.linear(F.silu(F.linear(h, gate)) * F.linear(h, up), down)
    return F.linear(norm(x[-1:], NORM), HEAD)


def generate(prompt):
    ids, tokens, past = torch.tensor(prompt), [], 0
    for _ in range(arguments.new_tokens):
        token = int(forward(ids, past).argmax())
        past += ids.shape[0]
        tokens.append(token)
        ids = torch.tensor([token])
    return tokens


def timed(prompt):
    started, used = time.perf_counter(), time.process_time()
    tokens = generate(prompt)
    return tokens, arguments.new_tokens / (time.perf_counter() - started), arguments.new_tokens / (time.process_time() - used)


with torch.inference_mode():
    generate(prompts[0])
    runs = [timed(prompt) for prompt in prompts]
print(json.dumps({
    "Tokens": [run[0] for run in runs], "TokensPerSecond": statistics.median(run[1] for run in runs), "TokensPerCpuSecond": statistics.median(run[2] for run in runs),
    "PeakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "Version": "PyTorch " + torch.__version__,
}))
