"""The distribution's python3-msgpack as the other side of the interoperability tests.

read:            hex lines in; for each line what it holds as text, and the bytes python writes for it.
write SEED N:    N values drawn by python; for each line the bytes and the text.

Text: n nil, t/f booleans, i<decimal>, d<16 hex digits of the float64>, s<hex of UTF-8>, b<hex>, [a,b], {key:value}.
"""

import random
import struct
import sys

import msgpack


def text(value):
    if value is None:
        return "n"
    if value is True:
        return "t"
    if value is False:
        return "f"
    if isinstance(value, int):
        return "i%d" % value
    if isinstance(value, float):
        return "d" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value.encode("utf-8").hex()
    if isinstance(value, bytes):
        return "b" + value.hex()
    if isinstance(value, list):
        return "[" + ",".join(text(v) for v in value) + "]"
    return "{" + ",".join(text(k) + ":" + text(v) for k, v in value.items()) + "}"


def draw(rng, depth):
    kind = rng.randrange(9 if depth < 4 else 7)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind in (2, 3):
        bits = rng.randrange(65)
        magnitude = rng.getrandbits(bits) if bits else 0
        return magnitude if bits == 64 or rng.random() < 0.5 else -magnitude if magnitude <= 2**63 else 0
    if kind == 4:
        return struct.unpack(">d", rng.getrandbits(64).to_bytes(8, "big"))[0]
    if kind == 5:
        points = [rng.choice([0x41, 0xE9, 0x4E2D, 0x1F600, 0x0]) for _ in range(length(rng))]
        return "".join(map(chr, points))
    if kind == 6:
        return rng.randbytes(length(rng))
    if kind == 7:
        return [draw(rng, depth + 1) for _ in range(rng.randrange(20))]
    return {"k%d" % i: draw(rng, depth + 1) for i in range(rng.randrange(20))}


def length(rng):
    return rng.choice([0, 1, 7, 15, 16, 31, 32, 100, 255, 256, 300])


if sys.argv[1] == "read":
    for line in sys.stdin:
        value = msgpack.unpackb(bytes.fromhex(line.strip()), strict_map_key=False)
        print(text(value), msgpack.packb(value, use_bin_type=True).hex())
else:
    source = random.Random(int(sys.argv[2]))
    for _ in range(int(sys.argv[3])):
        value = draw(source, 0)
        print(msgpack.packb(value, use_bin_type=True).hex(), text(value))
