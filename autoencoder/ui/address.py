"""A question as a text in the page's address, and back."""

import base64
import io

import numpy as np
from PIL import Image

from autoencoder import strokes as pen

DRAW, RANDOM, UPLOAD, CAMERA = "Draw", "Random", "Upload", "Camera"
SOURCES = (DRAW, RANDOM, UPLOAD, CAMERA)
LONGEST_DIGIT = 4000  # characters: no PNG of 28 x 28 gray pixels has more


def write(source, value):
    """What is asked as a text for the address: strokes, a gallery index or a digit, as the source has it.

    None where nothing is asked (`value` None), and where a drawing is too long for an address.
    """
    if value is None:
        return None
    if source == DRAW:
        text = pen.to_text(value)
        return f"strokes-{text}" if len(text) <= pen.LONGEST_TEXT else None
    if source == RANDOM:
        return f"index-{value}"
    return f"png-{_text_from_digit(value)}"


def read(text):
    """What a text of `write` asks: the source, and strokes, a gallery index or a digit.

    Raises:
        ValueError: it is no such text.
    """
    kind, _, said = text.partition("-")
    if kind == "strokes":
        return DRAW, pen.from_text(said)
    if kind == "png":
        return UPLOAD, _digit_from_text(said)
    if kind == "index" and said.isascii() and said.isdecimal() and len(said) < 10:
        return RANDOM, int(said)
    raise ValueError(f"expected strokes, an index or a digit, received {text[:20]!r}")


def _text_from_digit(digit):
    """A digit float32 (28, 28) in 256 levels as a PNG in base 64."""
    png = io.BytesIO()
    Image.fromarray(np.round(digit * 255).astype(np.uint8)).save(png, "PNG", optimize=True)
    return base64.urlsafe_b64encode(png.getvalue()).decode().rstrip("=")


def _digit_from_text(text):
    if len(text) > LONGEST_DIGIT or not text.isascii():
        raise ValueError(f"expected at most {LONGEST_DIGIT} characters of a digit, received {len(text)}")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        if (image.size, image.mode) == ((28, 28), "L"):
            return np.asarray(image, np.float32) / 255
    except Exception:  # Pillow's readers raise whatever their format's parser trips over
        pass
    raise ValueError("expected a digit as this page writes it, received something else")
