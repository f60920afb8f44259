"""The peer of `benchmarks train-step`: the same LoRA fine-tuning step in PyTorch on the CPU.

The same checkpoint, the same adapter, the same batches, AdamW with the same settings; what differs is what PyTorch differs in: batches of text are padded on
the right to their longest row. The models are in architectures.py; the optimiser is the fused-loop one, gradients are set to None.
Needs Python 3 with torch and numpy. Prints one JSON line.
"""
import argparse
import json
import os
import resource
import statistics
import time

parser = argparse.ArgumentParser(description="LoRA training step in PyTorch, measured")
parser.add_argument("--architecture", required=True)
parser.add_argument("--work", required=True, help="folder made by 'benchmarks train-step': model/, adapter/, <case>.json or <case>.safetensors")
parser.add_argument("--case", required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--seconds", type=float, required=True)
arguments = parser.parse_args()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = str(arguments.threads)

import numpy  # noqa: E402
import torch  # noqa: E402

from architectures import ARCHITECTURES  # noqa: E402

torch.set_num_threads(arguments.threads)


def read_safetensors(*path):
    with open(os.path.join(arguments.work, *path), "rb") as file:
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


def read_json(*path):
    with open(os.path.join(arguments.work, *path)) as file:
        return json.load(file)


def read_case():
    pixels = os.path.join(arguments.work, arguments.case + ".safetensors")
    return read_safetensors(pixels)["pixels"] if os.path.exists(pixels) else read_json(arguments.case + ".json")


lora = read_json("adapter", "adapter_config.json")
factors = {name: tensor.requires_grad_() for name, tensor in read_safetensors("adapter", "adapter_model.safetensors").items()}
model = ARCHITECTURES[arguments.architecture](
    read_json("model", "config.json"), read_safetensors("model", "model.safetensors"), factors, lora["lora_alpha"] / lora["r"])
batches = [model.prepare(case) for case in read_case()]
optimizer = torch.optim.AdamW(list(factors.values()), lr=1e-3, weight_decay=0.01, foreach=True)
losses, wall, cpu = [], [], []


def step(index):
    batch = batches[index % len(batches)]
    started, used = time.perf_counter(), time.process_time()
    loss = model.loss(batch)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    losses.append(loss.item())
    wall.append(batch["units"] / (time.perf_counter() - started))
    cpu.append(batch["units"] / (time.process_time() - used))


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
