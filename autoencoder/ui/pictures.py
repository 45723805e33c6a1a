"""Digits on the page: large and crisp."""

import base64
import io
from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from autoencoder.data import Digits
from autoencoder.ink.preprocess import to_bytes
from autoencoder.query.engine import Neighbor, SearchResult
from autoencoder.query.verdict import SAID_OTHERWISE, judge, named

PIXELATED = "#pixels"  # at the end of a picture's address: autoencoder/ui/style.py has its pixels shown as squares
OUTLINE_PX = 280
OUTLINE_GRAY = (128, 128, 128, 160)  # on light and on dark ground
OF_THE_CLASS = ":material/groups:"
SMALL_PX = 74  # on a phone four in a row


def show_digit(
    digit: NDArray[np.float32], *, alt: str, caption: str | None = None, width: int | Literal["stretch"] = "stretch"
) -> None:
    """A digit float32 (28, 28) in [0, 1] as a picture, with a text for those who cannot see it."""
    st.image(pixelated(to_bytes(digit)), caption=caption, width=width, alt=alt)


def show_outline(*, alt: str, caption: str | None = None, width: int | Literal["stretch"] = "stretch") -> None:
    """The place of a digit that is not there yet."""
    st.image(_outline(), caption=caption, width=width, alt=alt)


def show_row(
    digits: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    captions: Sequence[str],
    alts: Sequence[str],
    *,
    width: int = SMALL_PX,
) -> None:
    """Digits float32 (n, 28, 28) side by side, each with a caption and a text for those who cannot see it."""
    with st.container(horizontal=True, gap="xsmall"):
        for digit, caption, alt in zip(digits, captions, alts, strict=True):
            show_digit(digit, alt=alt, caption=caption, width=width)


def show_neighbors(
    gallery: Digits, indices: Sequence[int] | NDArray[np.int64], digit: int | None, *, width: int = SMALL_PX
) -> None:
    """Digits of a gallery in a row, nearest first; those that show another than `digit`, if it is known, are marked."""
    labels = [gallery.label(index) for index in indices]
    captions = [caption_of(label, digit) for label in labels]
    alts = [f"neighbor {rank}, {named(label)}" for rank, label in enumerate(labels, 1)]
    show_row(gallery.images[indices], captions, alts, width=width)


def show_found(gallery: Digits, result: SearchResult, label: int | None, *, width: int = SMALL_PX) -> None:
    """The neighbors that a search has found; those that show another digit than the query, or than most, are marked."""
    digit = judge([neighbor.label for neighbor in result.neighbors], digit=label).digit
    images = gallery.images[[neighbor.index for neighbor in result.neighbors]]
    captions = [caption_of_neighbor(neighbor, digit) for neighbor in result.neighbors]
    alts = [f"neighbor {rank}, {describe_neighbor(neighbor)}" for rank, neighbor in enumerate(result.neighbors, 1)]
    show_row(images, captions, alts, width=width)


def caption_of(label: int | None, digit: int | None) -> str:
    """A neighbor's digit, marked where it is another than the `digit` that is looked for."""
    if label in SAID_OTHERWISE:
        return SAID_OTHERWISE[label]
    return f"{label}" if digit in (None, label) else f"{label} **(not {digit})**"


def caption_of_neighbor(neighbor: Neighbor, digit: int | None) -> str:
    """The same of a neighbor, which is marked where it is a drawing of the class."""
    caption = caption_of(neighbor.label, digit)
    return f"{OF_THE_CLASS} {caption}" if neighbor.is_added else caption


def describe_neighbor(neighbor: Neighbor) -> str:
    """A neighbor in words: "a 3", or "a 3 of the class"."""
    return f"{named(neighbor.label)} of the class" if neighbor.is_added else named(neighbor.label)


def pixelated(pixels: NDArray[np.uint8]) -> str:
    """Gray (h, w) or colors (h, w, 3) as the address of a picture that the page shows in crisp squares."""
    return data_uri(Image.fromarray(pixels)) + PIXELATED


def enlarge(pixels: NDArray[np.uint8], times: int) -> Image.Image:
    """Gray (h, w) or colors (h, w, 3) as a picture in which each pixel is a square."""
    return Image.fromarray(pixels.repeat(times, axis=0).repeat(times, axis=1))


def data_uri(picture: Image.Image) -> str:
    """A picture as a PNG in a data URI: nothing is to be fetched, and nothing can be forgotten."""
    png = io.BytesIO()
    picture.save(png, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


@cache
def _outline() -> str:
    picture = Image.new("RGBA", (OUTLINE_PX, OUTLINE_PX))
    box = (2, 2, OUTLINE_PX - 3, OUTLINE_PX - 3)
    ImageDraw.Draw(picture).rounded_rectangle(box, radius=12, outline=OUTLINE_GRAY, width=3)
    return data_uri(picture)
