"""Digits on the page: large and crisp."""

import base64
import io
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from autoencoder.ink.preprocess import to_bytes

ENLARGEMENT = 10  # each of the 28 x 28 pixels becomes a square of 10: a browser can soften no more than its edges


def show_digit(
    digit: NDArray[np.float32], *, alt: str, caption: str | None = None, width: int | Literal["stretch"] = "stretch"
) -> None:
    """A digit float32 (28, 28) in [0, 1] as a picture, with a text for those who cannot see it."""
    st.image(_data_uri(digit), caption=caption, width=width, alt=alt)


def _data_uri(digit: NDArray[np.float32]) -> str:
    """The enlarged digit as a PNG in a data URI: nothing is to be fetched, and nothing can be forgotten."""
    gray = to_bytes(digit)
    png = io.BytesIO()
    Image.fromarray(gray.repeat(ENLARGEMENT, axis=0).repeat(ENLARGEMENT, axis=1)).save(png, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
