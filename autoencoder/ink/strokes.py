"""A drawing as pen strokes on the canvas, and as a text short enough for a web address."""

import numpy as np
import shapely

CANVAS_PX = 280  # fits a phone of 360 px beside the page's margins
BRUSH_PX = 18
TOLERANCE_PX = 0.5  # how far a simplified stroke may be from the drawn one
LOWEST, HIGHEST = -500, 795  # of a coordinate: with 500 added, what two digits to the base 36 can say
LONGEST_TEXT = 4000  # characters, for an address; a drawn digit has one or two hundred


def simplify(strokes):
    """Strokes in whole pixels, with no more points than their shape needs.

    Source: Douglas and Peucker, "Algorithms for the Reduction of the Number of Points Required to Represent a Digitized
    Line or its Caricature", 1973.

    Args:
        strokes: list of float64 (n_points, 2), (x, y) in pixels of the canvas, y down.

    Returns:
        list of int64 (n_points, 2), each coordinate from -500 to 795: what is farther is cut off there. Simplified once
        more they stay as they are.
    """
    return [_fewest_points(np.clip(np.round(stroke), LOWEST, HIGHEST).astype(int)) for stroke in strokes]


def to_text(strokes):
    """Simplified strokes as letters, digits and dots: a dot between strokes, 4 characters a point."""
    return ".".join("".join(_two_digits(number) for number in (stroke - LOWEST).ravel()) for stroke in strokes)


def from_text(text):
    """The strokes that `to_text` wrote.

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


def scale_to_canvas(strokes, longer_side_px):
    """Strokes moved and scaled to the canvas' middle, their longer side as given, in pixels."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = longer_side_px / max((high - low).max(), 1e-9)
    return [(stroke - (low + high) / 2) * scale + CANVAS_PX / 2 for stroke in strokes]


def _fewest_points(points):
    """The points, the first and the last among them, between which straight lines miss none by more than tolerated."""
    if len(points) == 1:
        return points
    line = shapely.simplify(shapely.linestrings(points), TOLERANCE_PX, preserve_topology=False)
    return shapely.get_coordinates(line).astype(int)


def _two_digits(number):
    return np.base_repr(number, 36).lower().zfill(2)
