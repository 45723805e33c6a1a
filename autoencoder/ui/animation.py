"""Many digits in one picture: played there and back, or as a sheet of pairs."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from autoencoder.ui.pictures import data_uri, enlarge

FRAME_MS, HOLD_MS = 80, 640  # 12.5 frames a second, and how long each end stands
ENLARGEMENT, LEVELS = 8, 64  # of a played digit: with 21 frames 41 kB, and 63 kB with all 256 levels
PAIR_ENLARGEMENT, PAIR_GAP_PX, CELL_GAP_PX, TEXT_PX = 3, 3, 15, 22
INKS = {"light": "#333333", "dark": "#dddddd"}  # of a sheet's letters, on a page of that theme


def play(frames: NDArray[np.float32]) -> str:
    """Frames float32 (n, 28, 28) in [0, 1], played to the last and back without end: an animated PNG in a data URI.

    The browser plays it by itself. Each end stands a little longer than what is between.
    """
    first, *others = (enlarge(frame, ENLARGEMENT) for frame in there_and_back(_in_levels(frames)))
    file = io.BytesIO()
    first.save(
        file, "PNG", save_all=True, append_images=others, duration=durations_ms(len(frames)), loop=0, compress_level=3
    )
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def there_and_back(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frames (n, …) and those between the ends once more, backwards.

    >>> there_and_back(np.array([1, 2, 3], np.uint8)).tolist()
    [1, 2, 3, 2]
    """
    return np.concatenate([frames, frames[-2:0:-1]])


def durations_ms(n_frames: int) -> list[int]:
    """How long each frame stands, of those that `there_and_back` makes of so many.

    >>> durations_ms(3)
    [640, 80, 640, 80]
    """
    between = [FRAME_MS] * (n_frames - 2)
    return [HOLD_MS, *between, HOLD_MS, *between]


def pair_sheet(
    pairs: NDArray[np.float32], titles: Sequence[str], *, n_columns: int, theme: str | None = "light"
) -> str:
    """Pairs of digits float32 (n, 2, 28, 28) in [0, 1] under their titles, row by row: one PNG in a data URI.

    The ground is the page's own, whose `theme` is "light" or "dark".
    """
    n_rows = -(-len(pairs) // n_columns)
    side = 28 * PAIR_ENLARGEMENT
    cell_width, cell_height = 2 * side + PAIR_GAP_PX + CELL_GAP_PX, TEXT_PX + 6 + side + CELL_GAP_PX
    sheet = Image.new("RGBA", (n_columns * cell_width - CELL_GAP_PX, n_rows * cell_height - CELL_GAP_PX))
    drawing, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_PX)
    for number, (pair, title) in enumerate(zip(pairs, titles, strict=True)):
        x, y = number % n_columns * cell_width, number // n_columns * cell_height
        drawing.text((x, y), title, fill=INKS.get(theme or "light", INKS["light"]), font=font)
        for digit, left in zip(_in_levels(pair), (x, x + side + PAIR_GAP_PX), strict=True):
            sheet.paste(enlarge(digit, PAIR_ENLARGEMENT), (left, y + TEXT_PX + 6))
    return data_uri(sheet)


def small(digit: NDArray[np.float32]) -> str:
    """A digit float32 (28, 28) in [0, 1] for a row of small ones: a PNG in a data URI."""
    return data_uri(enlarge(_in_levels(digit), PAIR_ENLARGEMENT))


def _in_levels(digits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Digits in [0, 1] as bytes of so few levels that their pictures are small."""
    return np.round(np.round(digits * (LEVELS - 1)) * (255 / (LEVELS - 1))).astype(np.uint8)
