"""The gallery's own pictures for the browser's graphics card: one sheet with all of them, made once a server.

A map of ten thousand pictures is too large to be sent at each question. So these are files, and the address of each
names its content: a browser fetches them once, and keeps them for a year.
"""

import gzip
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config

if TYPE_CHECKING:  # the server's start need not wait for what these bring
    from autoencoder.data import Digits
    from autoencoder.study import Study
from autoencoder.ui.charts import DIGIT_COLORS

FOLDER = "sprites"
COLUMNS, TILE_PX = 100, 28  # of the sheet
SHEET, MAPPING, DIGITS = "sheet.png", "mapping.json", "digits.json"
LEVELS = 16  # of ink; the PNG is 1.0 MB with them and 1.7 MB with all 256, and at this size nobody sees the rest
MAP_SIDE = 1000  # the map's own unit: a thousandth of its side
ENLARGED_PX = 112  # the side of a picture under the pointer
KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}  # a year


@dataclass(frozen=True)
class Sprites:
    """The files of a gallery, by name, and a text that is another where any of them is.

    The sheet is a PNG whose opacity is the ink. The JSON is compressed by gzip: the mapping says where on the sheet a
    digit's picture is, by its index, as deck.gl's IconLayer reads it, and the digits are what the map shows.
    """

    files: Mapping[str, bytes]
    version: str

    def address_of(self, name: str, page: str) -> str:
        """The full address of a file for a browser that shows this page of the app.

        >>> Sprites({}, "f00").address_of(SHEET, "https://school.example/digits/map")
        'https://school.example/digits/sprites/f00/sheet.png'
        """
        return quote(urljoin(page, f"{FOLDER}/{self.version}/{name}"), safe=":/[]@%")  # it may stand in a style


@st.cache_resource(
    show_spinner=False, hash_funcs={"autoencoder.data.Digits": lambda gallery: (gallery.sha256, len(gallery))}
)
def load_sprites(gallery: "Digits") -> Sprites:
    """The files of a gallery that the build has studied."""
    from autoencoder.ui.loading import load_study

    return make_sprites(gallery, load_study(gallery.name))


def make_sprites(gallery: "Digits", study: "Study") -> Sprites:
    """The sheet of a gallery's pictures, and what the map says of each."""
    columns, rows = np.arange(len(gallery)) % COLUMNS, np.arange(len(gallery)) // COLUMNS
    places = {
        str(index): {"x": x, "y": y, "width": TILE_PX, "height": TILE_PX, "mask": True}
        for index, (x, y) in enumerate(zip((columns * TILE_PX).tolist(), (rows * TILE_PX).tolist(), strict=True))
    }
    on_map = np.round(to_map(study.positions).astype(np.float64), 2)
    colors = [list(bytes.fromhex(color[1:])) for color in DIGIT_COLORS]
    digits: dict[str, list[Any]] = {
        "index": list(range(len(gallery))),
        "digit": gallery.labels.tolist(),
        "color": [colors[label] for label in gallery.labels],
        "x": on_map[:, 0].tolist(),
        "y": on_map[:, 1].tolist(),
        "left": (-columns * ENLARGED_PX).tolist(),
        "top": (-rows * ENLARGED_PX).tolist(),
    }
    rows_of_digits = [dict(zip(digits, values, strict=True)) for values in zip(*digits.values(), strict=True)]
    files = {SHEET: _sheet(gallery.images[:]), MAPPING: _compressed(places), DIGITS: _compressed(rows_of_digits)}
    return Sprites(files, hashlib.sha256(b"".join(files.values())).hexdigest()[:32])


def to_map(positions: NDArray[np.floating]) -> NDArray[np.floating]:
    """Positions (n, 2) of a study, each axis in [0, 1] and y up, as the map has them: in [0, 1000], y down.

    >>> to_map(np.array([[0.25, 1.0]]))
    array([[250.,   0.]])
    """
    return np.stack([positions[:, 0], 1 - positions[:, 1]], axis=1) * MAP_SIDE


def routes() -> list[Route]:
    """Where the server answers with these files."""
    root = config.get_option("server.baseUrlPath").strip("/")
    return [Route(f"{f'/{root}' if root else ''}/{FOLDER}/{{version}}/{{name}}", _serve)]


def _serve(request: Request) -> Response:
    from autoencoder.ui.loading import NOT_TO_BE_HAD, is_studied, load_engine

    try:
        gallery = load_engine().engine.unseen.gallery
    except NOT_TO_BE_HAD:
        return PlainTextResponse("", 404)
    if not is_studied(gallery.name):
        return PlainTextResponse("", 404)
    sprites, name = load_sprites(gallery), request.path_params["name"]
    if request.path_params["version"] != sprites.version or name not in sprites.files:
        return PlainTextResponse("", 404)
    content = sprites.files[name]
    if name == SHEET:
        return Response(content, headers=KEEP, media_type="image/png")
    headers = KEEP | {"Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers |= {"Content-Encoding": "gzip"}
    else:
        content = gzip.decompress(content)
    return Response(content, headers=headers, media_type="application/json")


def _sheet(images: NDArray[np.float32]) -> bytes:
    """Images float32 (n, 28, 28) in rows of 100, as a white PNG that is as opaque as there is ink."""
    n_rows = -(-len(images) // COLUMNS)
    tiles = np.zeros((n_rows * COLUMNS, TILE_PX, TILE_PX), np.uint8)
    tiles[: len(images)] = np.round(images * (LEVELS - 1))
    pixels = tiles.reshape(n_rows, COLUMNS, TILE_PX, TILE_PX).transpose(0, 2, 1, 3)
    sheet = Image.frombytes("P", (COLUMNS * TILE_PX, n_rows * TILE_PX), pixels.tobytes())
    sheet.putpalette(bytes([255, 255, 255] * LEVELS))
    png = io.BytesIO()
    opacity = bytes(np.linspace(0, 255, LEVELS, dtype=np.uint8))
    sheet.save(png, "PNG", bits=4, transparency=opacity)
    return png.getvalue()


def _compressed(value: Any) -> bytes:
    return gzip.compress(json.dumps(value, separators=(",", ":")).encode(), mtime=0)
