"""What may befall a digit without changing what it is: noise, a shift, a stray stroke."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

NOISE, SHIFT_PX = 0.3, 2  # `evaluate` disturbs all digits by these: a standard deviation, and a step to the right
SUBPIXELS = 8


def add_noise(images: NDArray[np.float32], deviation: float, *, seed: int = 0) -> NDArray[np.float32]:
    """Images (…, 28, 28) with Gaussian noise of this standard deviation, cut off to [0, 1]."""
    noise = np.random.default_rng(seed).standard_normal(images.shape, np.float32)
    return (images + np.float32(deviation) * noise).clip(0, 1)


def shift(images: NDArray[np.float32], by_px: int) -> NDArray[np.float32]:
    """Images (…, 28, 28) moved to the right by whole pixels, to the left if negative; what leaves the frame is lost."""
    width = images.shape[-1]
    padded = np.pad(images, [(0, 0)] * (images.ndim - 1) + [(abs(by_px), abs(by_px))])
    start = abs(by_px) - by_px
    return padded[..., start : start + width]


def add_stroke(digit: NDArray[np.float32], length: float) -> NDArray[np.float32]:
    """A digit (28, 28) with a bar 2 px high along its lower edge, from none to 24 px: `length` from 0 to 1."""
    drawn = Image.new("L", (28 * SUBPIXELS, 28 * SUBPIXELS))
    if length:
        bar = [2 * SUBPIXELS, 22 * SUBPIXELS, (2 + 24 * length) * SUBPIXELS - 1, 24 * SUBPIXELS - 1]  # inclusive
        ImageDraw.Draw(drawn).rectangle(bar, fill=255)
    shrunk = np.asarray(drawn.resize((28, 28), Image.Resampling.BOX), np.float32) / 255.0
    return np.maximum(digit, shrunk)
