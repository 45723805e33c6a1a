"""The answer to take away: one picture, and a table."""

import csv
import io

from PIL import Image, ImageDraw, ImageFont

from autoencoder.data import Rows
from autoencoder.ink.preprocess import to_bytes
from autoencoder.query.engine import SearchResult
from autoencoder.query.verdict import named

TILE_PX, GAP_PX, TEXT_PX = 140, 20, 20
COLUMNS = 5


def picture_card(images: Rows, result: SearchResult, sentence: str) -> bytes:
    """A PNG, as bytes: the query, its reconstruction, the neighbors with label and distance, and the verdict.

    Args:
        images: float32 (n, 28, 28), the gallery's.
        result: SearchResult.
        sentence: the verdict's.
    """
    query = [(result.query, ["What the model sees"]), (result.reconstruction, ["Its reconstruction"])]
    neighbors = [
        (
            images[found.index],
            [f"{rank}. {named(found.label)}{' (class)' if found.is_added else ''}", f"distance {found.distance:.2f}"],
        )
        for rank, found in enumerate(result.neighbors, 1)
    ]
    rows = [query] + [neighbors[start : start + COLUMNS] for start in range(0, len(neighbors), COLUMNS)]
    row_px = TILE_PX + 3 * TEXT_PX + GAP_PX
    width = COLUMNS * (TILE_PX + GAP_PX) + GAP_PX
    card = Image.new("RGB", (width, 4 * TEXT_PX + len(rows) * row_px), "white")
    drawing = ImageDraw.Draw(card)
    font = ImageFont.load_default(TEXT_PX - 4)
    drawing.text((GAP_PX, TEXT_PX), "Digit look-alikes", fill="black", font=ImageFont.load_default(TEXT_PX + 4))
    drawing.text((GAP_PX, 2.75 * TEXT_PX), sentence, fill="black", font=font)
    for row, tiles in enumerate(rows):
        for column, (digit, lines) in enumerate(tiles):
            x, y = GAP_PX + column * (TILE_PX + GAP_PX), 5 * TEXT_PX + row * row_px
            picture = Image.fromarray(to_bytes(digit))
            card.paste(picture.resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST), (x, y))
            drawing.text((x, y + TILE_PX + 4), "\n".join(lines), fill="black", font=font)
    png = io.BytesIO()
    card.save(png, "PNG")
    return png.getvalue()


def neighbors_table(result: SearchResult) -> str:
    """The neighbors as CSV with a header, nearest first: rank, index in the gallery, label, distance."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["rank", "index", "label", "distance"])
    for rank, found in enumerate(result.neighbors, 1):
        rows.writerow([rank, found.index, "" if found.label is None else found.label, f"{found.distance:.6f}"])
    return text.getvalue()
