"""Writes images.json: encoded images with the numbers that Pillow decodes, resizes and normalises them to.

Independent of the product. Run with Debian's Python, python3-pil and python3-numpy:  /usr/bin/python3 make_images.py
"""
import base64
import io
import json
import math
import pathlib

import numpy as np
from PIL import Image, ImageOps

random = np.random.default_rng(7)
FILTERS = ["NEAREST", "LANCZOS", "BILINEAR", "BICUBIC", "BOX", "HAMMING"]


def text(data):
    return base64.b64encode(bytes(data)).decode("ascii")


def picture(width, height):
    """Smooth colours with some noise: JPEG and resampling both show what they do."""
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([128 + 120 * np.sin(x / 3.1), 128 + 120 * np.cos(y / 2.3), 255 * x / width], -1)
    return Image.fromarray(np.clip(smooth + random.normal(0, 12, smooth.shape), 0, 255).astype(np.uint8))


def file(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return file(image, "JPEG", quality=95, exif=exif)


def sixteen_bits():
    """A grey PNG of 16 bits: Pillow clips such numbers, so the expected ones are the high bytes, as libpng's strip_16 gives."""
    numbers = (random.integers(0, 256, (5, 7)) << 8).astype(np.uint16)
    numbers |= numbers >> 8
    return file(Image.fromarray(numbers), "PNG"), np.repeat((numbers >> 8).astype(np.uint8)[..., None], 3, -1)


def decoded():
    image = picture(19, 13)
    transparent = image.convert("RGBA")
    transparent.putalpha(Image.fromarray(random.integers(0, 256, (13, 19)).astype(np.uint8)))
    cases = {
        "png": file(image, "PNG"),
        "png-grey": file(image.convert("L"), "PNG"),
        "png-bits": file(image.convert("1"), "PNG"),
        "png-palette": file(image.quantize(17), "PNG"),
        "png-transparent": file(transparent, "PNG"),
        "jpeg": file(image, "JPEG", quality=90),
        "jpeg-progressive": file(image, "JPEG", quality=60, progressive=True),
        "jpeg-444": file(image, "JPEG", quality=80, subsampling=0),
        "jpeg-grey": file(image.convert("L"), "JPEG"),
        "jpeg-cmyk": file(image.convert("CMYK"), "JPEG"),
    }
    cases.update({f"jpeg-turned-{n}": turned(image, n) for n in range(1, 9)})
    for name, data in cases.items():
        read = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        yield {"name": name, "file": text(data), "width": read.width, "height": read.height,
               "rgb": text(read.convert("RGB").tobytes()), "grey": text(read.convert("RGB").convert("L").tobytes())}
    data, numbers = sixteen_bits()
    yield {"name": "png-16", "file": text(data), "width": 7, "height": 5, "rgb": text(numbers.tobytes()), "grey": text(numbers[..., 0].tobytes())}


def resized():
    for mode in ["RGB", "L"]:
        image = picture(37, 23).convert(mode)
        sizes = [(8, 8), (50, 40), (37, 11), (10, 23), (1, 1), (36, 24)]
        results = [{"filter": FILTERS.index(name), "width": w, "height": h, "pixels": text(image.resize((w, h), getattr(Image, name)).tobytes())}
                   for name in FILTERS for w, h in sizes]
        yield {"width": 37, "height": 23, "channels": len(mode), "pixels": text(image.tobytes()), "results": results}


def shorter_side(image, side, resample):
    """transformers' get_resize_output_image_size and torchvision's Resize."""
    short, long = min(image.size), max(image.size)
    longer = int(side * long / short)
    return image.resize((side, longer) if image.width <= image.height else (longer, side), resample)


def crop_of_transformers(array, height, width):
    top, left = (array.shape[0] - height) // 2, (array.shape[1] - width) // 2
    if top >= 0 and left >= 0:
        return array[top:top + height, left:left + width]
    larger = np.zeros((max(height, array.shape[0]), max(width, array.shape[1]), array.shape[2]), array.dtype)
    above, before = math.ceil((larger.shape[0] - array.shape[0]) / 2), math.ceil((larger.shape[1] - array.shape[1]) / 2)
    larger[above:above + array.shape[0], before:before + array.shape[1]] = array
    top, left = top + above, left + before
    return larger[max(0, top):top + height, max(0, left):left + width]


def normalised(array, mean, deviation, factor=1 / 255):
    rescaled = (array * factor).astype(np.float32)
    return ((rescaled - np.array(mean, np.float32)) / np.array(deviation, np.float32)).transpose(2, 0, 1)


def preprocessed():
    image = picture(41, 29)
    array = np.asarray

    def case(name, size, config, result, file="preprocessor_config.json"):
        return {"name": name, "model": size, "config_file": file, "config": config, "width": 41, "height": 29,
                "pixels": text(image.tobytes()), "values": text(np.ascontiguousarray(result, dtype="<f4").tobytes())}

    half = [0.5] * 3
    yield case("vit", [16, 16], {"image_processor_type": "ViTImageProcessor", "size": {"height": 16, "width": 16}, "resample": 2, "rescale_factor": 1 / 255,
                                 "image_mean": half, "image_std": half}, normalised(array(image.resize((16, 16), Image.BILINEAR)), half, half))
    yield case("vit-old", [12, 20], {"feature_extractor_type": "ViTFeatureExtractor", "size": [12, 20], "resample": 3, "image_mean": [0.1, 0.2, 0.3],
                                     "image_std": [0.4, 0.5, 0.6]}, normalised(array(image.resize((20, 12), Image.BICUBIC)), [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]))
    yield case("clip-number", [16, 15], {"image_processor_type": "CLIPImageProcessor", "size": 17, "crop_size": {"height": 16, "width": 15}, "image_mean": half,
                                         "image_std": half}, normalised(crop_of_transformers(array(shorter_side(image, 17, Image.BICUBIC)), 16, 15), half, half))
    yield case("deit", [15, 18], {"image_processor_type": "DeiTImageProcessor", "size": {"height": 20, "width": 21}, "crop_size": {"height": 15, "width": 18}},
               normalised(crop_of_transformers(array(image.resize((21, 20), Image.BICUBIC)), 15, 18), half, half))
    yield case("crop-adds-black", [32, 36], {"do_resize": False, "do_center_crop": True, "crop_size": {"height": 32, "width": 36}},
               normalised(crop_of_transformers(array(image), 32, 36), half, half))
    yield case("no-rescale", [16, 16], {"size": 16, "do_rescale": False, "do_normalize": False, "resample": 0},
               array(image.resize((16, 16), Image.NEAREST)).astype(np.float32).transpose(2, 0, 1))
    yield case("nothing-said", [16, 24], {}, normalised(array(image.resize((24, 16), Image.BILINEAR)), half, half), file="")

    def timm(side, share, resample, mean, deviation):
        larger = shorter_side(image, math.floor(side / share), resample)
        top, left = round((larger.height - side) / 2), round((larger.width - side) / 2)
        # torchvision's to_tensor divides in single precision.
        tensor = array(larger)[top:top + side, left:left + side].astype(np.float32) / np.float32(255)
        return ((tensor - np.array(mean, np.float32)) / np.array(deviation, np.float32)).transpose(2, 0, 1)

    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    yield case("timm", [16, 16], {"pretrained_cfg": {}}, timm(16, 0.875, Image.BICUBIC, mean, deviation), file="config.json")
    yield case("timm-bilinear", [16, 16], {"pretrained_cfg": {"interpolation": "bilinear", "crop_pct": 0.7, "mean": half, "std": half}},
               timm(16, 0.7, Image.BILINEAR, half, half), file="config.json")


result = {"decoded": list(decoded()), "resized": list(resized()), "preprocessed": list(preprocessed())}
pathlib.Path(__file__).with_name("images.json").write_text(json.dumps(result, indent=1) + "\n")
