"""What a visitor asks: a drawing, a digit of the gallery, or a picture. Each has a text for the page's address."""

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from autoencoder.data import Digits
from autoencoder.ink import strokes as pen
from autoencoder.ink.preprocess import NoDigitError, digit_from_strokes, shrink_strokes, to_bytes
from autoencoder.query.verdict import named

GALLERY_NAME = re.compile("[a-z0-9_]{1,64}")
LONGEST_PNG = 4000  # characters; those of `Picture.to_text` have a few hundred


class Hint(Exception):  # noqa: N818 (it is no error)
    """What is asked cannot be searched for; the message is a sentence for the visitor."""


@dataclass(frozen=True)
class Query:
    """A digit float32 (28, 28) in [0, 1] to search for.

    `index` and `label` are those that it has in the gallery; a digit from elsewhere has none.
    """

    digit: NDArray[np.float32]
    index: int | None = None
    label: int | None = None

    def within(self, gallery: Digits) -> Self:
        """The same query for a part of its gallery: the index goes where the digit does not belong to the part."""
        return self if self.index is None or self.index < len(gallery) else replace(self, index=None)

    def __str__(self) -> str:
        return "Your digit" if self.index is None else f"Gallery digit {self.index}: {named(self.label, '**')}"


@dataclass(frozen=True)
class Drawing:
    """A drawing on the canvas: of each stroke the points (x, y), whole pixels, y down."""

    strokes: tuple[tuple[tuple[int, int], ...], ...]

    @classmethod
    def of(cls, strokes: Iterable[ArrayLike]) -> Self:
        """The drawing of strokes float (n_points, 2), simplified."""
        simple = pen.simplify([np.asarray(stroke, np.float64) for stroke in strokes])
        return cls(tuple(tuple((x, y) for x, y in stroke.tolist()) for stroke in simple))

    def to_text(self) -> str:
        return f"strokes-{pen.to_text([np.array(stroke) for stroke in self.strokes])}"

    def to_query(self, gallery: Digits) -> Query:
        """The digit that is drawn, prepared as MNIST's are; raises Hint where that is none."""
        try:
            return Query(digit_from_strokes(self.strokes, dot_size=pen.BRUSH_PX))
        except NoDigitError as problem:
            raise Hint(str(problem)) from None

    def to_shrunk_query(self) -> Query:
        """The canvas as it is, shrunk to 28 × 28; raises Hint where it is blank."""
        try:
            return Query(shrink_strokes(self.strokes, canvas_px=pen.CANVAS_PX, brush_px=pen.BRUSH_PX))
        except NoDigitError as problem:
            raise Hint(str(problem)) from None


@dataclass(frozen=True)
class GalleryDigit:
    """A digit of a gallery, by the gallery's name and its index there."""

    gallery_name: str
    index: int

    @classmethod
    def at_random(
        cls, gallery: Digits, *, label: int | None, other_than: "Question | None" = None, rng: np.random.Generator
    ) -> Self:
        """A digit drawn at random, of a label or of any. It differs from `other_than` where there is another.

        Raises:
            ValueError: the gallery has none of the label.
        """
        candidates = np.arange(len(gallery)) if label is None else np.flatnonzero(gallery.labels == label)
        if not len(candidates):
            raise ValueError(f"expected a label of {gallery.title}, received {label}")
        place = int(rng.integers(len(candidates)))
        digit = cls(gallery.name, int(candidates[place]))
        return digit if digit != other_than else cls(gallery.name, int(candidates[(place + 1) % len(candidates)]))

    def is_in(self, gallery: Digits) -> bool:
        return self.gallery_name == gallery.name and self.index < len(gallery)

    def to_text(self) -> str:
        return f"{self.gallery_name}-{self.index}"

    def to_query(self, gallery: Digits) -> Query:
        """The digit with its index and its label; raises Hint where the gallery is another."""
        if not self.is_in(gallery):
            raise Hint("The digit that the address names is not in this gallery.")
        return Query(gallery.images[self.index], self.index, gallery.label(self.index))


@dataclass(frozen=True)
class Picture:
    """A digit from a picture, prepared as MNIST's are: its 28 × 28 pixels in 256 levels, row by row."""

    pixels: bytes

    @classmethod
    def of(cls, digit: NDArray[np.float32]) -> Self:
        """The picture of a digit float32 (28, 28) in [0, 1]."""
        return cls(to_bytes(digit).tobytes())

    @property
    def digit(self) -> NDArray[np.float32]:
        return self._levels.astype(np.float32) / np.float32(255)

    @property
    def _levels(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.pixels, np.uint8).reshape(28, 28)

    def to_text(self) -> str:
        """The digit as a PNG in base 64."""
        png = io.BytesIO()
        Image.fromarray(self._levels).save(png, "PNG", optimize=True)
        return f"png-{base64.urlsafe_b64encode(png.getvalue()).decode().rstrip('=')}"

    def to_query(self, gallery: Digits) -> Query:
        return Query(self.digit)


Question = Drawing | GalleryDigit | Picture


def from_text(text: str) -> Question:
    """The question that a `to_text` wrote.

    Raises:
        ValueError: `text` is none of these.
    """
    kind, _, rest = text.partition("-")
    if kind == "strokes":
        return Drawing.of(pen.from_text(rest))
    if kind == "png":
        return Picture(_pixels_from_text(rest))
    if GALLERY_NAME.fullmatch(kind) and rest.isascii() and rest.isdecimal() and len(rest) < 10:
        return GalleryDigit(kind, int(rest))
    raise ValueError(f"expected strokes, a gallery's index or a digit, received {text[:20]!r}")


def _pixels_from_text(text: str) -> bytes:
    if len(text) > LONGEST_PNG or not text.isascii():
        raise ValueError(f"expected at most {LONGEST_PNG} characters of a digit, received {len(text)}")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        if (image.size, image.mode) == ((28, 28), "L"):
            return image.tobytes()
    except Exception:  # Pillow's readers raise whatever their format's parser trips over
        pass
    raise ValueError("expected a digit as this page writes it, received something else")
