"""A drawing as pen strokes on the canvas, and as a text short enough for a web address."""

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

CANVAS_PX = 280  # fits a phone of 360 px beside the page's margins
BRUSH_PX = 18
TOLERANCE_PX = 0.5  # how far a simplified stroke may be from the drawn one
LOWEST, HIGHEST = -500, 795  # of a coordinate: with 500 added, two digits to the base 36 can say it
LONGEST_TEXT = 4000  # characters, for an address; a drawn digit has one or two hundred


def simplify(strokes: Sequence[NDArray[np.number]]) -> list[NDArray[np.int64]]:
    """Strokes in whole pixels, with no more points than their shape needs.

    Source: Douglas and Peucker, "Algorithms for the Reduction of the Number of Points Required to Represent a Digitized
    Line or its Caricature", 1973.

    Args:
        strokes: each (n_points, 2), (x, y) in pixels of the canvas, y down.

    Returns:
        Strokes, each (n_points, 2). A coordinate is cut off at -500 and 795. Simplified once more, strokes stay as they
        are.
    """
    return [_fewest_points(np.clip(np.round(stroke), LOWEST, HIGHEST).astype(np.int64)) for stroke in strokes]


def to_text(strokes: Sequence[NDArray[np.int64]]) -> str:
    """Simplified strokes as letters, digits and dots: a dot between strokes, 4 characters a point."""
    return ".".join("".join(map(_two_digits, (stroke - LOWEST).ravel().tolist())) for stroke in strokes)


def from_text(text: str) -> list[NDArray[np.int64]]:
    """The strokes that `to_text` wrote, each (n_points, 2).

    Raises:
        ValueError: `text` is none of its texts.
    """
    if not 0 < len(text) <= LONGEST_TEXT or not text.isascii():
        raise ValueError(f"expected 1 to {LONGEST_TEXT} characters of strokes, received {len(text)}")
    strokes = []
    for part in text.split("."):
        if not part or len(part) % 4 or not part.isalnum():
            raise ValueError(f"expected 4 letters and digits a point, received {part[:20]!r}")
        numbers = [int(part[start : start + 2], 36) for start in range(0, len(part), 2)]
        strokes.append(np.array(numbers).reshape(-1, 2) + LOWEST)
    return strokes


def scale_to_canvas(strokes: Sequence[NDArray[np.number]], longer_side_px: float) -> list[NDArray[np.float64]]:
    """Strokes, each (n_points, 2), moved to the canvas' middle and scaled until their longer side is as given."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = longer_side_px / max((high - low).max(), 1e-9)
    return [(stroke - (low + high) / 2) * scale + CANVAS_PX / 2 for stroke in strokes]


def _fewest_points(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first, the last and as few others of the points as straight lines need that miss none by too much."""
    if len(points) == 1:
        return points
    line = shapely.simplify(shapely.linestrings(points), TOLERANCE_PX, preserve_topology=False)
    return shapely.get_coordinates(line).astype(np.int64)


def _two_digits(number: int) -> str:
    return np.base_repr(number, 36).lower().zfill(2)
