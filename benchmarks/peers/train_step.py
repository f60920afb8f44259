"""The peer of `benchmarks train-step`: the same LoRA fine-tuning step in PyTorch on the CPU.

The same Llama checkpoint, the same adapter, the same batches, AdamW with the same settings; what differs is what PyTorch differs in:
batches are padded on the right to their longest row. Written the fast way: padding needs no mask under a causal one, query heads that
share a key head are stacked instead of repeating keys, scale and mask ride in the score product, the low-rank product adds in place of
a separate sum, logits exist for positions that predict something only, the optimiser is the fused-loop one, gradients are set to None.
Needs Python 3 with torch and numpy. Prints one JSON line.
"""
import argparse
import json
import os
import resource
import statistics
import time

parser = argparse.ArgumentParser(description="LoRA training step in PyTorch, measured")
parser.add_argument("--work", required=True, help="folder made by 'benchmarks train-step': model/, adapter/, <case>.json")
parser.add_argument("--case", required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--seconds", type=float, required=True)
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
            array = numpy.fromfile(file, dtype=numpy.float32, count=(end - begin) // 4)
            tensors[name] = torch.from_numpy(array).view(entry["shape"])
    return tensors


with open(os.path.join(arguments.work, "model", "config.json")) as file:
    config = json.load(file)
with open(os.path.join(arguments.work, "adapter", "adapter_config.json")) as file:
    lora = json.load(file)
with open(os.path.join(arguments.work, arguments.case + ".json")) as file:
    case = json.load(file)
weights = read_safetensors(os.path.join(arguments.work, "model", "model.safetensors"))
factors = {name: tensor.requires_grad_() for name, tensor in read_safetensors(os.path.join(arguments.work, "adapter", "adapter_model.safetensors")).items()}

HEADS, KEY_HEADS, EPS = config["num_attention_heads"], config["num_key_value_heads"], config["rms_norm_eps"]
WIDTH, GROUP = config["hidden_size"] // HEADS, HEADS // KEY_HEADS
SCALE, LORA_SCALE = WIDTH ** -0.5, lora["lora_alpha"] / lora["r"]


def norm(x, weight):
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * weight


def linear(x, name):
    y = F.linear(x, weights[name + ".weight"])
    prefix = "base_model.model." + name
    if prefix + ".lora_A.weight" in factors:
        return torch.addmm(y, F.linear(x, factors[prefix + ".lora_A.weight"]), factors[prefix + ".lora_B.weight"].t(), alpha=LORA_SCALE)
    return y


def rotate(x, cos, sin):
    half = WIDTH // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin


def attend(q, k, v, rows, length, mask):
    q = q.view(rows, length, KEY_HEADS, GROUP, WIDTH).permute(0, 2, 3, 1, 4).reshape(rows * KEY_HEADS, GROUP * length, WIDTH)
    k = k.view(rows, length, KEY_HEADS, WIDTH).permute(0, 2, 3, 1).reshape(rows * KEY_HEADS, WIDTH, length)
    v = v.view(rows, length, KEY_HEADS, WIDTH).transpose(1, 2).reshape(rows * KEY_HEADS, length, WIDTH)
    mixed = torch.bmm(F.softmax(torch.baddbmm(mask, q, k, alpha=SCALE), dim=-1), v)
    return mixed.view(rows, KEY_HEADS, GROUP, length, WIDTH).permute(0, 3, 1, 2, 4).reshape(rows * length, HEADS * WIDTH)


def loss_of(batch):
    rows, length = batch["ids"].shape
    cos, sin, mask = batch["cos"], batch["sin"], batch["mask"]
    x = weights["model.embed_tokens.weight"].index_select(0, batch["ids"].view(-1))
    for layer in range(config["num_hidden_layers"]):
        name = f"model.layers.{layer}."
        h = norm(x, weights[name + "input_layernorm.weight"])
        q = rotate(linear(h, name + "self_attn.q_proj").view(rows, length, HEADS, WIDTH), cos, sin)
        k = rotate(linear(h, name + "self_attn.k_proj").view(rows, length, KEY_HEADS, WIDTH), cos, sin)
        v = linear(h, name + "self_attn.v_proj")
        x = x + linear(attend(q, k, v, rows, length, mask), name + "self_attn.o_proj")
        h = norm(x, weights[name + "post_attention_layernorm.weight"])
        x = x + linear(F.silu(linear(h, name + "mlp.gate_proj")) * linear(h, name + "mlp.up_proj"), name + "mlp.down_proj")
    h = norm(x.index_select(0, batch["positions"]), weights["model.norm.weight"])
    return F.cross_entropy(F.linear(h, weights["lm_head.weight"]), batch["targets"])


def prepare(sequences):
    length = max(len(sequence) for sequence in sequences)
    ids = torch.zeros(len(sequences), length, dtype=torch.long)
    positions, targets = [], []
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        positions += range(row * length, row * length + len(sequence) - 1)
        targets += sequence[1:]
    frequencies = 1.0 / (config["rope_theta"] ** (torch.arange(0, WIDTH, 2).float() / WIDTH))
    angles = torch.outer(torch.arange(length).float(), frequencies)
    angles = torch.cat((angles, angles), dim=-1).unsqueeze(1)
    mask = torch.full((length, length), float("-inf")).triu(1).repeat(GROUP, 1).unsqueeze(0)
    return {
        "ids": ids, "positions": torch.tensor(positions), "targets": torch.tensor(targets), "cos": angles.cos(), "sin": angles.sin(), "mask": mask,
        "tokens": sum(len(sequence) for sequence in sequences),
    }


batches = [prepare(sequences) for sequences in case]
optimizer = torch.optim.AdamW(list(factors.values()), lr=1e-3, weight_decay=0.01, foreach=True)
losses, wall, cpu = [], [], []


def step(index):
    batch = batches[index % len(batches)]
    started, used = time.perf_counter(), time.process_time()
    loss = loss_of(batch)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    losses.append(loss.item())
    wall.append(batch["tokens"] / (time.perf_counter() - started))
    cpu.append(batch["tokens"] / (time.process_time() - used))


for index in range(len(batches)):
    step(index)
wall.clear()
cpu.clear()
index, end = len(batches), time.perf_counter() + arguments.seconds
while time.perf_counter() < end or len(wall) < len(batches):
    step(index)
    index += 1
print(json.dumps({
    "TokensPerSecond": statistics.median(wall), "TokensPerCpuSecond": statistics.median(cpu), "Steps": len(wall), "FirstLoss": losses[0],
    "LaterLoss": losses[len(batches) - 1], "PeakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "Version": "PyTorch " + torch.__version__,
}))
