"""From a drawing or a picture in gray to a digit as MNIST has them.

MNIST's own recipe (LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition",
1998): ink bright on black, cropped, its longer side scaled to 20 pixels with an anti-aliasing filter, placed in
28 x 28 by its center of mass. A real MNIST digit comes out of it as it went in.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SIDE_PX = 28
BOX_PX = 20  # the longer side of the ink
CENTER_PX = 14  # the index that the center of mass is put on, both axes
STROKE_WIDTH_PX = 2.1  # on the 28 x 28 grid: MNIST's pens are 1.9 to 2.3 wide
SUPERSAMPLING = 8  # strokes are drawn this much larger, then scaled down
MAX_MEAN_INK = 0.4  # the fattest of MNIST's 70,000 digits has 0.398; more is a blob or a scribble
MIN_CONTRAST = 0.1  # of full scale, between paper and ink
FAINT_INK, FULL_INK = 0.15, 0.6  # in pictures larger than MNIST's: less is blur and noise, more is solid
GRAIN_DEVIATIONS = 4  # the paper varies by so many robust standard deviations
DEVIATION_PER_MAD = 1.4826  # a normal distribution's standard deviation by its median absolute deviation
PLANE_STEPS = 10
DARKEST_PAPER = 0.1  # ink is darker than this

Strokes = Sequence[NDArray[np.number] | Sequence[Sequence[float]]]  # of each stroke its points (x, y), y down


class NoDigitError(ValueError):
    """The input holds no digit; the message is one sentence for the person who drew or chose it."""


def digit_from_strokes(strokes: Strokes, *, dot_size: float = 0.0) -> NDArray[np.float32]:
    """The digit that pen strokes draw, as MNIST would show it.

    The strokes are drawn anew at a width in proportion to the drawing. So a small and a large drawing of the same
    digit, with whatever brush, give the same image.

    >>> from autoencoder.ink.preprocess import digit_from_strokes
    >>> digit = digit_from_strokes([[(0, 0), (0, 100)]])  # one stroke straight down: a 1
    >>> digit.shape
    (28, 28)
    >>> [int(row) for row in digit.any(axis=1).nonzero()[0][[0, -1]]]  # the first and the last row with ink
    [4, 23]
    >>> [round(float(ink), 1) for ink in digit[14, 10:18]]  # across the stroke
    [0.0, 0.0, 0.0, 0.0, 1.0, 0.9, 0.0, 0.0]

    Args:
        strokes: the points of each stroke, in any unit.
        dot_size: in the same unit; a drawing no larger than this is taken for a dot.

    Returns:
        (28, 28) in [0, 1], ink bright.

    Raises:
        NoDigitError: there are no strokes, or only a dot, or a scribble.
    """
    drawn = _as_arrays(strokes)
    if not drawn:
        raise NoDigitError("The canvas is blank: draw a digit.")
    points = np.concatenate(drawn)
    if not np.isfinite(points).all():
        raise ValueError("expected finite stroke points, received NaN or infinity")
    extent = np.ptp(points, axis=0).max()
    if extent <= dot_size:
        raise NoDigitError("Just a dot so far. Keep drawing.")
    scale = SUPERSAMPLING * (BOX_PX - STROKE_WIDTH_PX) / extent
    width = SUPERSAMPLING * STROKE_WIDTH_PX
    origin = points.min(axis=0)
    size = np.ceil((points.max(axis=0) - origin) * scale + 2 * width).astype(int)
    return normalize_ink(_draw([(stroke - origin) * scale + width for stroke in drawn], width, size))


def shrink_strokes(strokes: Strokes, *, canvas_px: float, brush_px: float) -> NDArray[np.float32]:
    """The canvas with pen strokes, shrunk to 28 x 28 and no more: what a drawing is without MNIST's recipe.

    Args:
        strokes: the points of each stroke, on the canvas.
        canvas_px: a side of the square canvas.
        brush_px: the strokes' width, in the same unit.

    Returns:
        (28, 28) in [0, 1], ink bright.

    Raises:
        NoDigitError: there is nothing on the canvas.
    """
    scale = SUPERSAMPLING * SIDE_PX / canvas_px
    large_side = SUPERSAMPLING * SIDE_PX
    drawn = _draw([stroke * scale for stroke in _as_arrays(strokes)], brush_px * scale, (large_side, large_side))
    if not drawn.any():
        raise NoDigitError("The canvas is blank: draw a digit.")
    return _in_256_levels(drawn.reshape(SIDE_PX, SUPERSAMPLING, SIDE_PX, SUPERSAMPLING).mean(axis=(1, 3)))


def digit_from_gray(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """The digit (28, 28) in a picture that `photo.read_gray` has read; raises NoDigitError if there is none."""
    ink = ink_from_gray(gray)
    if max(ink.shape) > SIDE_PX:
        ink = np.clip((ink - FAINT_INK) / (FULL_INK - FAINT_INK), 0, 1)
    return normalize_ink(ink)


def ink_from_gray(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much ink each pixel holds, whether the ink is darker or brighter than the paper.

    The border shows the paper. Light falls from one side, so the paper is taken for a plane through the border. It has
    a grain, too: as much as the border varies around the plane is subtracted everywhere. A stroke that touches the
    border changes neither by much: the plane is laid by least absolute deviations, and the grain is measured by the
    median absolute deviation.

    Args:
        gray: (h, w) in [0, 1].

    Returns:
        (h, w) in [0, 1]; the strongest ink is 1.

    Raises:
        NoDigitError: nothing stands out from the border.
    """
    paper = _plane_through_border(gray)
    # Ink takes away a share of the light that falls on it, so there is less to see of it in a shadow.
    darker = (paper - gray) * paper.max() / np.maximum(paper, DARKEST_PAPER)
    brighter = gray - paper
    ink = darker if darker.max() > brighter.max() else brighter
    grain = GRAIN_DEVIATIONS * DEVIATION_PER_MAD * float(np.median(np.abs(_border(darker))))
    contrast = float(ink.max()) - grain
    if contrast < MIN_CONTRAST:
        raise NoDigitError("Nothing stands out in this picture: choose one with a digit on plain paper.")
    return np.clip((ink - grain) / contrast, 0, 1).astype(np.float32)


def normalize_ink(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ink cropped, scaled to 20 pixels and centered by mass: MNIST's recipe.

    Args:
        ink: (h, w) in [0, 1], ink bright.

    Returns:
        (28, 28) in [0, 1].

    Raises:
        NoDigitError: there is no ink, or so much that it is no digit.
    """
    ink = np.asarray(ink, np.float32)
    if ink.ndim != 2:
        raise ValueError(f"expected ink (h, w), received {ink.shape}")
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        raise NoDigitError("There is no ink here: draw a digit.")
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    digit = _in_256_levels(_place_by_mass(_scale_to_box(cropped)))
    if digit.mean() > MAX_MEAN_INK:
        raise NoDigitError("That is more ink than any digit has: draw a single digit with thinner lines.")
    return digit


def to_bytes(digit: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A digit (28, 28) in [0, 1] in 256 levels, from 0 to 255; images of any other shape, too."""
    return np.round(digit * 255).astype(np.uint8)


def _in_256_levels(digit: NDArray[np.float32]) -> NDArray[np.float32]:
    """The digit in the levels that a picture of it has, so that the picture says all of it."""
    return to_bytes(digit).astype(np.float32) / 255.0


def _plane_through_border(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """The plane (h, w) that is nearest to the border of a picture (h, w), by absolute deviations.

    By iteratively reweighted least squares (Schlossmacher, "An Iterative Technique for Absolute Deviations Curve
    Fitting", 1973).
    """
    rows, columns = np.meshgrid(*(np.linspace(-1, 1, side) for side in gray.shape), indexing="ij")
    border = _border(gray).astype(np.float64)  # (2 (h + w),)
    places = np.column_stack([_border(rows), _border(columns), np.ones(len(border))])  # (2 (h + w), 3)
    plane = np.array([0, 0, np.median(border)])
    for _ in range(PLANE_STEPS):
        weights = 1 / np.maximum(np.abs(border - places @ plane), 1 / 255)
        before, plane = plane, np.linalg.lstsq(places * weights[:, None] ** 0.5, border * weights**0.5)[0]
        if np.abs(plane - before).max() < 1 / 255:
            break
    return (plane[0] * rows + plane[1] * columns + plane[2]).astype(np.float32)


def _border(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """The pixels (2 (h + w),) of a picture (h, w) that lie on its edges."""
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _scale_to_box(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ink with its longer side 20 pixels, aspect kept."""
    height, width = ink.shape
    scale = BOX_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return ink
    return np.clip(np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC)), 0, 1)


def _place_by_mass(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """The ink in a 28 x 28 frame with its center of mass, in whole pixels, on (14, 14), as far as it fits."""
    height, width = ink.shape
    mass = ink.sum()
    row = ink.sum(axis=1) @ np.arange(height) / mass
    column = ink.sum(axis=0) @ np.arange(width) / mass
    top = int(np.clip(CENTER_PX - round(row), 0, SIDE_PX - height))
    left = int(np.clip(CENTER_PX - round(column), 0, SIDE_PX - width))
    digit = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    digit[top : top + height, left : left + width] = ink
    return digit


def _as_arrays(strokes: Strokes) -> list[NDArray[np.float64]]:
    """The strokes that have points, each (n_points, 2)."""
    return [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]


def _draw(strokes: Iterable[NDArray[np.float64]], width: float, size: Iterable[int]) -> NDArray[np.float32]:
    """Ink (h, w) of strokes given in its own pixels, with round ends and joints; `size` is (w, h)."""
    width_px, height_px = (int(side) for side in size)
    canvas = Image.new("L", (width_px, height_px))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        pen.line([(x, y) for x, y in stroke], fill=255, width=round(width))
        for x, y in stroke:
            pen.circle((x, y), width / 2, fill=255)
    return np.asarray(canvas, np.float32) / 255.0
