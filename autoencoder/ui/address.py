"""A question as a text for the page's address, and back."""

import base64
import io
import re

import numpy as np
from PIL import Image

from autoencoder.ink import strokes as pen

DRAW, RANDOM, UPLOAD, CAMERA = "Draw", "Random", "Upload", "Camera"
SOURCES = (DRAW, RANDOM, UPLOAD, CAMERA)
GALLERY_NAME = re.compile("[a-z0-9_]{1,64}")
LONGEST_PNG = 4000  # characters; those of this page have a few hundred


def to_text(source, value):
    """What is asked as a text: strokes, (gallery name, index) or a digit float32 (28, 28), as the source has it."""
    if source == DRAW:
        return f"strokes-{pen.to_text(value)}"
    if source == RANDOM:
        gallery_name, index = value
        return f"{gallery_name}-{index}"
    return f"png-{_text_from_digit(value)}"


def from_text(text):
    """What a text of `to_text` asks: the source, and strokes, (gallery name, index) or a digit.

    Raises:
        ValueError: it is no such text.
    """
    kind, _, said = text.partition("-")
    if kind == "strokes":
        return DRAW, pen.from_text(said)
    if kind == "png":
        return UPLOAD, _digit_from_text(said)
    if GALLERY_NAME.fullmatch(kind) and said.isascii() and said.isdecimal() and len(said) < 10:
        return RANDOM, (kind, int(said))
    raise ValueError(f"expected strokes, a gallery's index or a digit, received {text[:20]!r}")


def _text_from_digit(digit):
    """A digit float32 (28, 28) in 256 levels as a PNG in base 64."""
    png = io.BytesIO()
    Image.fromarray(np.round(digit * 255).astype(np.uint8)).save(png, "PNG", optimize=True)
    return base64.urlsafe_b64encode(png.getvalue()).decode().rstrip("=")


def _digit_from_text(text):
    if len(text) > LONGEST_PNG or not text.isascii():
        raise ValueError(f"expected at most {LONGEST_PNG} characters of a digit, received {len(text)}")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        if (image.size, image.mode) == ((28, 28), "L"):
            return np.asarray(image, np.float32) / 255
    except Exception:  # Pillow's readers raise whatever their format's parser trips over
        pass
    raise ValueError("expected a digit as this page writes it, received something else")
