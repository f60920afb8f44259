"""Peers of the aggregation benchmark, in numpy. Prints one JSON line.

usage: aggregation.py MODE FOLDER
  reduce   what Flower's FedAvg does by default with lists of arrays: every update in memory, every array multiplied by its
           number of examples into a new array, then added up in pairs
  inplace  every update in memory, one accumulator, one temporary array
  dense    LoRA-FAIR on the first layer only, with the m x n matrix T formed: float32 products, as a torch server would
"""
import glob
import json
import resource
import struct
import sys
import time
from functools import reduce

import numpy as np


def load(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        start = f.tell()
        header.pop("__metadata__", None)
        arrays = []
        for name, info in sorted(header.items()):
            f.seek(start + info["data_offsets"][0])
            count = (info["data_offsets"][1] - info["data_offsets"][0]) // 4
            arrays.append(np.fromfile(f, np.float32, count).reshape(info["shape"]))
    return arrays


def aggregate_reduce(updates):
    total = sum(examples for _, examples in updates)
    weighted = [[array * examples for array in arrays] for arrays, examples in updates]
    return [reduce(np.add, same) / total for same in zip(*weighted)]


def aggregate_inplace(updates):
    total = sum(examples for _, examples in updates)
    result = [array * np.float32(updates[0][1] / total) for array in updates[0][0]]
    for arrays, examples in updates[1:]:
        weight = np.float32(examples / total)
        for into, array in zip(result, arrays):
            into += array * weight
    return result


def fair_dense(updates, relative=0.03):
    total = sum(examples for _, examples in updates)
    p = [np.float32(examples / total) for _, examples in updates]
    a_mean = sum(w * arrays[0] for w, (arrays, _) in zip(p, updates))
    b_mean = sum(w * arrays[1] for w, (arrays, _) in zip(p, updates))
    ideal = np.zeros((b_mean.shape[0], a_mean.shape[1]), np.float32)
    for w, (arrays, _) in zip(p, updates):
        ideal += w * (arrays[1] @ arrays[0])
    gram = (a_mean @ a_mean.T).astype(np.float64)
    ridge = relative * np.trace(gram) / len(gram)
    b = np.linalg.solve(gram + ridge * np.eye(len(gram)), (ideal @ a_mean.T + ridge * b_mean).T).T
    norms = [np.linalg.norm(ideal), np.linalg.norm(ideal - b_mean @ a_mean), np.linalg.norm(ideal - b @ a_mean)]
    return [a_mean, b, norms]


mode, folder = sys.argv[1], sys.argv[2]
run = {"reduce": aggregate_reduce, "inplace": aggregate_inplace, "dense": fair_dense}[mode]
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start = time.monotonic()
updates = [(load(path), k + 1) for k, path in enumerate(sorted(glob.glob(folder + "/update-*.safetensors")))]
loaded = time.monotonic() - start
if mode == "dense":
    updates = [(arrays[:2], examples) for arrays, examples in updates]
runs = []
for _ in range(6):
    start, cpu = time.monotonic(), time.process_time()
    out = run(updates)
    runs.append((time.monotonic() - start, time.process_time() - cpu))
    first = float(out[0].ravel()[0])
    del out
print(json.dumps({"seconds": min(runs)[0], "cpu_seconds": min(runs)[1], "load_seconds": loaded, "first": first,
                  "peak_above_idle_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - idle}))
