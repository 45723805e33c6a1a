"""From a drawing or a picture in gray to a digit as MNIST has them.

MNIST's own recipe (LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition",
1998): ink bright on black, cropped, its longer side scaled to 20 pixels with an anti-aliasing filter, placed in
28 x 28 by its centre of mass. A real MNIST digit comes out of it as it went in.
"""

import numpy as np
from PIL import Image, ImageDraw

SIDE_PX = 28
BOX_PX = 20  # the longer side of the ink
CENTRE_PX = 14  # the index that the centre of mass is put on, both axes
STROKE_WIDTH_PX = 2.1  # on the 28 x 28 grid: 1.9 to 2.3 is what MNIST's pens look like
SUPERSAMPLING = 8  # strokes are drawn this much larger, then scaled down
MAX_MEAN_INK = 0.4  # the fattest of MNIST's 70,000 digits has 0.398: beyond it is a blob or a scribble
MIN_CONTRAST = 0.1  # of full scale, between paper and ink
FAINT_INK, FULL_INK = 0.15, 0.6  # in pictures larger than MNIST's: below it is blur and noise, above it is solid
GRAIN_DEVIATIONS = 4  # robust standard deviations of the paper that are still paper
PLANE_STEPS = 10
DARKEST_PAPER = 0.1  # that ink is darker than


class NoDigitError(ValueError):
    """The input holds no digit; the message is one sentence for the person who drew or chose it."""


def digit_from_strokes(strokes, *, dot_size=0.0):
    """The digit that pen strokes draw, as MNIST would show it.

    The strokes are drawn anew at a width in proportion to the drawing, so that a small and a large drawing of the
    same digit, with whatever brush, give the same image.

    Args:
        strokes: a sequence of strokes, each a sequence of (x, y) points, y down, in any unit.
        dot_size: in the same unit; a drawing no larger than this is taken for a dot.

    Returns:
        float32 (28, 28) in [0, 1], ink bright.

    Raises:
        NoDigitError: there are no strokes, or only a dot, or a scribble.
    """
    strokes = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]
    if not strokes:
        raise NoDigitError("The canvas is blank: draw a digit.")
    points = np.concatenate(strokes)
    if not np.isfinite(points).all():
        raise ValueError("expected finite stroke points, received NaN or infinity")
    extent = np.ptp(points, axis=0).max()
    if extent <= dot_size:
        raise NoDigitError("That is only a dot: draw a digit.")
    scale = SUPERSAMPLING * (BOX_PX - STROKE_WIDTH_PX) / extent
    width = SUPERSAMPLING * STROKE_WIDTH_PX
    origin = points.min(axis=0)
    size = np.ceil((points.max(axis=0) - origin) * scale + 2 * width).astype(int)
    return normalize_ink(_draw([(stroke - origin) * scale + width for stroke in strokes], width, size))


def shrink_strokes(strokes, *, canvas_px, brush_px):
    """The canvas with pen strokes, shrunk to 28 x 28 and no more: what a drawing is without MNIST's recipe.

    Args:
        strokes: a sequence of strokes, each a sequence of (x, y) points on the canvas, y down.
        canvas_px: a side of the square canvas.
        brush_px: the strokes' width, in the same unit.

    Returns:
        float32 (28, 28) in [0, 1], ink bright.

    Raises:
        NoDigitError: there is nothing on the canvas.
    """
    scale = SUPERSAMPLING * SIDE_PX / canvas_px
    scaled = [np.asarray(stroke, np.float64).reshape(-1, 2) * scale for stroke in strokes if len(stroke)]
    drawn = _draw(scaled, brush_px * scale, (SUPERSAMPLING * SIDE_PX, SUPERSAMPLING * SIDE_PX))
    if not drawn.any():
        raise NoDigitError("The canvas is blank: draw a digit.")
    return _in_256_levels(drawn.reshape(SIDE_PX, SUPERSAMPLING, SIDE_PX, SUPERSAMPLING).mean(axis=(1, 3)))


def digit_from_gray(gray):
    """The digit float32 (28, 28) in a picture that `photo.read_gray` has read; raises NoDigitError if there is none."""
    ink = ink_from_gray(gray)
    if max(ink.shape) > SIDE_PX:
        ink = np.clip((ink - FAINT_INK) / (FULL_INK - FAINT_INK), 0, 1)
    return normalize_ink(ink)


def ink_from_gray(gray):
    """How much ink each pixel holds, whichever of paper and ink is the brighter.

    The paper is what the border shows: a plane through it, for light falls from one side, is no ink, and as much as the
    border varies around that (grain) is taken off everywhere. Least absolute deviations, by which the plane is laid,
    and the median absolute deviation stay true where a stroke touches the border.

    Args:
        gray: float32 (h, w) in [0, 1].

    Returns:
        float32 (h, w) in [0, 1]; the strongest ink is 1.

    Raises:
        NoDigitError: nothing stands out from the border.
    """
    paper = _plane_through_border(gray)
    # Ink takes away a share of the light that falls on it, so that in a shadow there is less to see of it.
    darker = (paper - gray) * paper.max() / np.maximum(paper, DARKEST_PAPER)
    brighter = gray - paper
    ink = darker if darker.max() > brighter.max() else brighter
    grain = GRAIN_DEVIATIONS * 1.4826 * float(np.median(np.abs(_border(darker))))  # 1.4826: a normal's deviation by MAD
    contrast = float(ink.max()) - grain
    if contrast < MIN_CONTRAST:
        raise NoDigitError("Nothing stands out in this picture: choose one with a digit on plain paper.")
    return np.clip((ink - grain) / contrast, 0, 1).astype(np.float32)


def _plane_through_border(gray):
    """The plane float32 (h, w) that is nearest to the border of a picture float32 (h, w), by absolute deviations.

    By iteratively reweighted least squares (Schlossmacher, "An Iterative Technique for Absolute Deviations Curve
    Fitting", 1973).
    """
    rows, columns = np.meshgrid(*(np.linspace(-1, 1, side) for side in gray.shape), indexing="ij")
    places = np.column_stack([_border(rows), _border(columns), np.ones(2 * sum(gray.shape))])
    border = _border(gray).astype(np.float64)
    plane = np.array([0, 0, np.median(border)])
    for _ in range(PLANE_STEPS):
        weights = 1 / np.maximum(np.abs(border - places @ plane), 1 / 255)
        before, plane = plane, np.linalg.lstsq(places * weights[:, None] ** 0.5, border * weights**0.5)[0]
        if np.abs(plane - before).max() < 1 / 255:
            break
    return (plane[0] * rows + plane[1] * columns + plane[2]).astype(np.float32)


def _border(picture):
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def normalize_ink(ink):
    """The ink cropped, scaled to 20 pixels and centred by mass: MNIST's recipe.

    Args:
        ink: float32 (h, w) in [0, 1], ink bright.

    Returns:
        float32 (28, 28) in [0, 1].

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


def _in_256_levels(digit):
    """The digit rounded as a picture of it is, so that its picture says all of it."""
    return np.round(digit * 255).astype(np.float32) / 255


def _scale_to_box(ink):
    """The ink with its longer side 20 pixels, aspect kept."""
    height, width = ink.shape
    scale = BOX_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return ink
    return np.clip(Image.fromarray(ink).resize(size, Image.Resampling.BICUBIC), 0, 1)


def _place_by_mass(ink):
    """The ink in a 28 x 28 frame with its centre of mass, in whole pixels, on (14, 14), as far as it fits."""
    height, width = ink.shape
    mass = ink.sum()
    row = ink.sum(axis=1) @ np.arange(height) / mass
    column = ink.sum(axis=0) @ np.arange(width) / mass
    top = int(np.clip(CENTRE_PX - round(row), 0, SIDE_PX - height))
    left = int(np.clip(CENTRE_PX - round(column), 0, SIDE_PX - width))
    digit = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    digit[top : top + height, left : left + width] = ink
    return digit


def _draw(strokes, width, size):
    """Ink float32 (h, w) of strokes given in its own pixels, with round ends and joints; `size` is (w, h)."""
    canvas = Image.new("L", tuple(int(side) for side in size))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        pen.line([tuple(point) for point in stroke], fill=255, width=round(width))
        for x, y in stroke:
            pen.circle((x, y), width / 2, fill=255)
    return np.asarray(canvas, np.float32) / 255
