"""Writes rotary.json: the angles of rotary positions under every scaling, from the papers' formulas in float64.

Independent of the product and of transformers. Run with any Python 3 that has numpy:  python3 make_rotary.py
"""
import json
import pathlib

import numpy as np

TAU = 2 * np.pi


def plain(width, theta):
    return theta ** (-np.arange(0, width, 2) / width)


def linear(width, theta, length, factor):
    return plain(width, theta) / factor, 1.0


def dynamic(width, theta, length, factor, trained):
    if length <= trained:
        return plain(width, theta), 1.0
    # NTK-aware: the base is raised so that the slowest pair turns as far at the stretched length as it did at the trained one.
    stretch = factor * length / trained - factor + 1
    return plain(width, theta * stretch ** (width / (width - 2))), 1.0


def llama3(width, theta, length, factor, low, high, trained):
    result = []
    for frequency in plain(width, theta):
        turns = trained * frequency / TAU  # within the trained length
        if turns < low:
            result.append(frequency / factor)
        elif turns > high:
            result.append(frequency)
        else:
            share = (turns - low) / (high - low)
            result.append(frequency * (share + (1 - share) / factor))
    return np.array(result), 1.0


def yarn(width, theta, length, factor, fast, slow, trained, truncate, amplitude=None):
    # A pair i turns trained * theta^(-2i/width) / 2pi times; solved for i.
    def pair(turns):
        return width / 2 * np.log(trained / (turns * TAU)) / np.log(theta)

    start, end = pair(fast), pair(slow)
    if truncate:
        start, end = np.floor(start), np.ceil(end)
    start, end = max(start, 0), min(end, width - 1)
    if start == end:
        end += 0.001
    ramp = np.interp(np.arange(width // 2), [start, end], [0, 1])
    frequencies = plain(width, theta)
    return frequencies / factor * ramp + frequencies * (1 - ramp), (0.1 * np.log(factor) + 1 if factor > 1 else 1.0) if amplitude is None else amplitude


# name, what config.json says, head size, longest position model was made for, length of the text, what it means
CASES = [
    ("default", {"rope_theta": 500.0}, 8, 64, 20, lambda w, n: (plain(w, 500.0), 1.0)),
    ("linear", {"rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 3.0}}, 8, 64, 20, lambda w, n: linear(w, 1e4, n, 3.0)),
    ("linear, new form", {"rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 2e3}}, 8, 64, 20, lambda w, n: linear(w, 2e3, n, 3.0)),
    ("dynamic, short text", {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, 16, 64, 64, lambda w, n: dynamic(w, 1e4, n, 2.0, 64)),
    ("dynamic, long text", {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, 16, 64, 150, lambda w, n: dynamic(w, 1e4, n, 2.0, 64)),
    ("dynamic, part of each head", {"partial_rotary_factor": 0.5, "rope_scaling": {"rope_type": "dynamic", "factor": 4.0}}, 16, 32, 33,
     lambda w, n: dynamic(w, 1e4, n, 4.0, 32)),
    ("llama3", {"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                                  "original_max_position_embeddings": 8192}}, 64, 131072, 300, lambda w, n: llama3(w, 5e5, n, 8.0, 1.0, 4.0, 8192)),
    ("yarn", {"rope_theta": 1e6, "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}, 128, 32768, 300,
     lambda w, n: yarn(w, 1e6, n, 4.0, 32, 1, 32768, True)),
    ("yarn, own ramp and amplitude", {"rope_theta": 1e4, "rope_scaling": {"rope_type": "yarn", "factor": 16.0, "beta_fast": 8, "beta_slow": 2, "attention_factor": 0.7,
                                                                        "truncate": False, "original_max_position_embeddings": 1024}}, 32, 16384, 300,
     lambda w, n: yarn(w, 1e4, n, 16.0, 8, 2, 1024, False, 0.7)),
    ("yarn, two scales of the amplitude", {"rope_scaling": {"rope_type": "yarn", "factor": 40.0, "mscale": 1.2, "mscale_all_dim": 0.707,
                                                             "original_max_position_embeddings": 4096}}, 64, 163840, 300,
     lambda w, n: yarn(w, 1e4, n, 40.0, 32, 1, 4096, True, (0.12 * np.log(40) + 1) / (0.0707 * np.log(40) + 1))),
    ("yarn, factor left to the lengths", {"rope_parameters": {"rope_type": "yarn", "factor": None, "rope_theta": 1e4, "partial_rotary_factor": 0.25,
                                                            "original_max_position_embeddings": 256}}, 64, 1024, 300, lambda w, n: yarn(w, 1e4, n, 4.0, 32, 1, 256, True)),
    ("yarn, the trained length that of the model", {"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}, 32, 256, 300, lambda w, n: yarn(w, 1e4, n, 2.0, 32, 1, 256, True)),
]

out = []
for name, config, head, longest, length, formula in CASES:
    share = config.get("partial_rotary_factor", config.get("rope_parameters", {}).get("partial_rotary_factor", 1.0))
    frequencies, amplitude = formula(int(head * share), length)
    position = length - 1
    out.append({
        "name": name, "config": config, "head_size": head, "max_position_embeddings": longest, "length": length, "frequencies": frequencies.tolist(),
        "cos": (amplitude * np.cos(position * frequencies)).tolist(), "sin": (amplitude * np.sin(position * frequencies)).tolist(),
    })
pathlib.Path(__file__).with_name("rotary.json").write_text(json.dumps(out, indent=1) + "\n")
