"""Writes golden.safetensors by hand (struct and numpy, no safetensors library) and golden.json with the values as numpy sees them.

Run from any folder: /usr/bin/python3 golden.py
"""

import json
import pathlib
import struct

import numpy

here = pathlib.Path(__file__).parent
rng = numpy.random.default_rng(7)


def bf16(values):
    bits = values.astype("<f4").view("<u4").astype("u8")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


wide = rng.standard_normal((3, 5)).astype("<f4")
arrays = {
    "f64": ("F64", rng.standard_normal((2, 3)).astype("<f8")),
    "f32": ("F32", wide),
    "f16": ("F16", (wide * 3).astype("<f2")),
    "bf16": ("BF16", bf16(wide * 5)),
    "scalar": ("F32", numpy.array(2.5, "<f4")),
    "empty": ("F32", numpy.zeros((4, 0, 2), "<f4")),
    "ints": ("I64", numpy.array([-(2**63), -1, 0, 2**63 - 1], "<i8")),
    "flags": ("BOOL", numpy.array([True, False, True])),
}
order = ["ints", "f64", "empty", "f32", "scalar", "bf16", "f16", "flags"]

header, offset, body = {"__metadata__": {"format": "pt"}}, 0, b""
for name in order:
    dtype, array = arrays[name]
    data = array.tobytes()
    header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + len(data)]}
    offset, body = offset + len(data), body + data
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
(here / "golden.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)


def floats(dtype, array):
    if dtype == "BF16":
        array = (array.astype("<u4") << 16).view("<f4")
    return [struct.pack(">f", v).hex() for v in array.astype("<f4").ravel()]


golden = {
    name: {"shape": list(array.shape), "floats": floats(dtype, array), "sum_of_squares": float((array.astype("f8") ** 2).sum()) if dtype == "F32" else None}
    for name, (dtype, array) in arrays.items()
    if dtype not in ("I64", "BOOL")
}
(here / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
