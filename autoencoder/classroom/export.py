"""What a class has sent, as files to take away, and how they come back."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from autoencoder.classroom.room import Wall
from autoencoder.classroom.store import ClassError, Sent
from autoencoder.data import NO_DIGIT, UNLABELED
from autoencoder.query.question import Drawing, from_text
from autoencoder.query.verdict import SAID_OTHERWISE

COLUMNS = "number", "time", "digit", "found", "right_alone", "right_learned", "taken_for", "drawing"
NO_DIGIT_TEXT = SAID_OTHERWISE[NO_DIGIT]
TILE_PX, GAP_PX, TEXT_PX, TILES_A_ROW = 56, 12, 20, 15


def to_npz(wall: Wall) -> bytes:
    """The digits as `gallery build` reads them: `images` uint8 (n, 28, 28) and `labels` uint8 (n,) in an .npz file.

    What is no digit has the label UNLABELED, since a gallery is of digits.
    """
    file = io.BytesIO()
    labels = np.where(wall.added.labels == NO_DIGIT, UNLABELED, wall.added.labels).astype(np.uint8)
    np.savez_compressed(file, images=wall.added.images, labels=labels)
    return file.getvalue()


def to_csv(sent: Sequence[Sent]) -> str:
    """The drawings as CSV with a header, oldest first; `from_csv` reads it."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one in sent:
        time = datetime.fromtimestamp(one.at, UTC).isoformat(timespec="seconds")
        taken = "" if one.taken_for is None else _name(one.taken_for)
        rows.writerow([one.number, time, _name(one.digit), int(one.found), one.alone, one.learned, taken, one.drawing])
    return text.getvalue()


def from_csv(data: bytes) -> list[tuple[Drawing, int, float]]:
    """The drawings, their digits and their times, in seconds since 1970, of a table that `to_csv` wrote.

    Raises:
        ClassError: it is another file, or one of its rows is damaged.
    """
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8")))
        if missing := {"digit", "drawing", "time"} - set(rows.fieldnames or ()):
            raise ClassError(f"This is no table of a class: it has no column {' or '.join(sorted(missing))}.")
        found = []
        for number, row in enumerate(rows, 2):
            try:
                found.append(_from_row(row))
            except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
                raise ClassError(f"Line {number} of the table is damaged, so nothing was taken.") from None
    except (UnicodeDecodeError, csv.Error):
        raise ClassError("This is no table of a class.") from None
    return found


def to_png(wall: Wall) -> bytes:
    """The wall as a picture, oldest first, each drawing as the network sees it, with its digit, marked where found."""
    n = len(wall.sent)
    n_rows = max(1, -(-n // TILES_A_ROW))
    width, row_px = TILES_A_ROW * (TILE_PX + GAP_PX) + GAP_PX, TILE_PX + TEXT_PX + GAP_PX
    picture = Image.new("RGB", (width, n_rows * row_px + GAP_PX), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(TEXT_PX - 6)
    for place, (one, image) in enumerate(zip(wall.sent, wall.added.images, strict=True)):
        x = GAP_PX + place % TILES_A_ROW * (TILE_PX + GAP_PX)
        y = GAP_PX + place // TILES_A_ROW * row_px
        picture.paste(Image.fromarray(image).resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST), (x, y))
        said = f"{'-' if one.digit == NO_DIGIT else one.digit}{'' if one.found else ' missed'}"
        pen.text((x, y + TILE_PX + 2), said, fill="black", font=font)
    png = io.BytesIO()
    picture.save(png, "PNG")
    return png.getvalue()


def _name(digit: int) -> str:
    return NO_DIGIT_TEXT if digit == NO_DIGIT else str(digit)


def _from_row(row: dict[str, str]) -> tuple[Drawing, int, float]:
    question = from_text(row["drawing"])
    digit = NO_DIGIT if row["digit"] == NO_DIGIT_TEXT else int(row["digit"])
    if not isinstance(question, Drawing) or row["digit"] != _name(digit) or not 0 <= digit <= NO_DIGIT:
        raise ValueError(f"expected strokes and a digit, received {row}")
    return question, digit, datetime.fromisoformat(row["time"]).timestamp()
