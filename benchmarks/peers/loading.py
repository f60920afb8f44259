"""PyTorch's side of 'benchmarks loading': a checkpoint's tensors, each from a mapped file into a float32 parameter of its own.

This is what the safetensors package does under transformers' from_pretrained with low_cpu_mem_usage: the file becomes one mapped storage, a tensor
a view of it, and the parameter a copy in its own type. Needs Python 3 with torch. Prints one JSON line.
"""
import json
import os
import resource
import sys
import time

import torch

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def status(line):
    with open("/proc/self/status") as file:
        return next(int(text.split()[1]) for text in file if text.startswith(line + ":")) / 1024


def tensors(path):
    size = os.path.getsize(path)
    storage = torch.ByteStorage.from_file(path, False, size)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    data = torch.ByteTensor(storage)
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            yield name, data[8 + length + begin:8 + length + end].view(TYPES[entry["dtype"]]).view(entry["shape"])


def files(folder):
    index = os.path.join(folder, "model.safetensors.index.json")
    if not os.path.exists(index):
        return ["model.safetensors"]
    with open(index) as file:
        return sorted(set(json.load(file)["weight_map"].values()))


folder = sys.argv[1]
torch.zeros(1)
idle, started, used = status("VmRSS"), time.perf_counter(), time.process_time()
parameters = {}
for name in files(folder):
    for key, stored in tensors(os.path.join(folder, name)):
        parameter = torch.empty(stored.shape, dtype=torch.float32)
        parameter.copy_(stored)
        parameters[key] = parameter
seconds, cpu = time.perf_counter() - started, time.process_time() - used
print(json.dumps({
    "Seconds": seconds, "CpuSeconds": cpu, "ModelMiB": sum(p.numel() for p in parameters.values()) * 4 / 2**20,
    "LargestTensorMiB": max(p.numel() for p in parameters.values()) * 4 / 2**20, "IdleMiB": idle,
    "PeakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "Sum": sum(p.view(-1)[0].item() for p in parameters.values()),
    "Version": "PyTorch " + torch.__version__,
}))
