"""Where the digits come from: MNIST, found or downloaded and verified, or the set that comes with scikit-learn."""

import gzip
import hashlib
import json
import os
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from autoencoder.ink.preprocess import digit_from_strokes, normalize_ink
from autoencoder.ink.strokes import CANVAS_PX, scale_to_canvas, simplify

# Keras' own copy and its hash, as in keras.datasets.mnist.
MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_FILE_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
CONNECT_TIMEOUT_S = 3
SILENCE_TIMEOUT_S = 10

# SHA-256 of each array's bytes in C order: whatever file it came in, this is MNIST.
MNIST_ARRAYS = {
    "x_train": ((60_000, 28, 28), "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"),
    "y_train": ((60_000,), "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13"),
    "x_test": ((10_000, 28, 28), "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"),
    "y_test": ((10_000,), "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
}

SPLITS: dict[str, tuple[tuple[str, ...], str]] = {
    "test": (("test",), "test digits"),
    "train": (("train",), "training digits"),
    "all": (("test", "train"), "digits"),
}
ENLARGEMENT = 10  # of the bundled 8 x 8 digits, before the threshold
EDGE_SHARPNESS = 2  # ink gained per unit of coverage around one half
UNLABELED = 255
NO_DIGIT = 10  # the label of what its author has drawn as no digit
N_TEST = 10_000  # the network has not seen these digits of MNIST, the first of all 70,000
NOT_STROKES = "{} cannot be read as pen strokes, a line of JSON a digit: {}."
Read = TypeVar("Read")  # what is made of a line


class DataError(Exception):
    """A data set cannot be had; the message names the file and says what to do."""


class StoredImages:
    """Images kept as bytes (n, 28, 28), in memory or a file; those that are asked for are float32 in [0, 1]."""

    def __init__(self, stored: NDArray[np.uint8]) -> None:
        self.stored = stored
        self.shape = stored.shape
        stored.setflags(write=False)

    def __len__(self) -> int:
        return len(self.stored)

    def __getitem__(
        self, indices: int | slice | Sequence[int] | NDArray[np.integer] | NDArray[np.bool]
    ) -> NDArray[np.float32]:
        return np.asarray(self.stored[indices], np.float32) / 255.0

    def setflags(self, *, write: bool) -> None:
        """Nothing changes: the images are read-only in any case. (Arrays have this method, and `Digits` calls it.)"""


class Joined:
    """Two collections of rows, (n, …) and (m, …), read as one (n + m, …); nothing is copied.

    >>> joined = Joined(np.array([[1, 1], [2, 2]]), np.array([[3, 3]]))
    >>> joined[2].tolist(), joined[[2, 0]].tolist(), joined[1:].tolist()
    ([3, 3], [[3, 3], [1, 1]], [[2, 2], [3, 3]])
    """

    def __init__(self, first: "Rows", second: "Rows") -> None:
        self._first, self._second = first, second
        self.shape: tuple[int, ...] = (len(first) + len(second), *first.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: Any) -> NDArray[Any]:
        n = len(self._first)
        if isinstance(indices, slice) and indices.step in (None, 1):  # without copying rows one by one
            start, stop, _ = indices.indices(len(self))
            return np.concatenate([self._first[start:stop], self._second[max(start - n, 0) : max(stop - n, 0)]])
        rows = np.arange(len(self))[indices]
        if rows.ndim == 0:
            return np.asarray(self._first[int(rows)] if rows < n else self._second[int(rows) - n])
        is_first = rows < n
        parts = self._first[rows[is_first]], self._second[rows[~is_first] - n]
        joined = np.empty((len(rows), *self.shape[1:]), np.result_type(*parts))
        joined[is_first], joined[~is_first] = parts
        return joined

    def setflags(self, *, write: bool) -> None:
        """Nothing changes: the rows are only read."""


Rows = NDArray[Any] | StoredImages | Joined


@dataclass(frozen=True)
class Digits:
    """Digit images and their labels, read-only.

    `images` (n, 28, 28) in [0, 1], ink bright; `labels` (n,), from 0 to 9, NO_DIGIT, or UNLABELED. `sha256` is that of
    the source's bytes, or of their hashes where there are several: it tells whether latents belong to these digits.
    `title` says in words what they are.
    """

    name: str
    images: Rows
    labels: NDArray[np.uint8]
    sha256: str
    title: str = ""

    def __post_init__(self) -> None:
        self.images.setflags(write=False)
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    def label(self, index: int) -> int | None:
        """The digit that the image of an index shows, NO_DIGIT, or None where nobody has said."""
        return None if self.labels[index] == UNLABELED else int(self.labels[index])

    @cached_property
    def labeled(self) -> list[int]:
        """The labels, from 0 to 9, that at least one image has, ascending."""
        counts = np.bincount(self.labels, minlength=UNLABELED + 1)
        return np.flatnonzero(counts[:NO_DIGIT]).tolist()


def load_mnist(split: str = "test", *, wait_s: float | None = None) -> Digits:
    """MNIST's test or training digits, or all of them, verified by content.

    The file is looked for at the path in `MNIST_NPZ`, then in Keras' cache (`~/.keras/datasets/mnist.npz`). If it is in
    neither place, it is downloaded into the cache.

    Args:
        split: "test" (10,000 digits), "train" (60,000), or "all": the test digits, and after them the training digits,
            as StoredImages, so that they take a quarter of the memory.
        wait_s: how long to wait for a download, in seconds; None waits until it has ended and shows its progress.
            A download that takes longer goes on in the background, and a later call finds the file.

    Raises:
        DataError: the file is missing, damaged or not MNIST, or the download did not come in time.
    """
    if split not in SPLITS:
        raise ValueError(f"expected split {' or '.join(map(repr, SPLITS))}, received {split!r}")
    path, remedy = _find_mnist(wait_s)
    names, kind = SPLITS[split]
    images, labels = (
        np.concatenate([_verified_array(path, f"{letter}_{name}", remedy) for name in names]) for letter in "xy"
    )
    sha256 = hashlib.sha256("".join(MNIST_ARRAYS[f"x_{name}"][1] for name in names).encode()).hexdigest()
    stored = StoredImages(images)
    return Digits("mnist", stored if split == "all" else stored[:], labels, sha256, f"MNIST's {len(labels):,} {kind}")


def load_gallery(*, wait_s: float | None = None) -> tuple[Digits, str | None]:
    """All of MNIST and None; or, where it is not to be had, the bundled digits and the reason."""
    try:
        return load_mnist("all", wait_s=wait_s), None
    except DataError as error:
        return load_bundled(), str(error)


def unseen_part(gallery: Digits) -> Digits | None:
    """Of all of MNIST its test digits, which the network has not seen; of other galleries None.

    They keep their indices, and share the memory of all.
    """
    if gallery.name != "mnist" or len(gallery) <= N_TEST or not isinstance(gallery.images, StoredImages):
        return None
    images, labels = StoredImages(gallery.images.stored[:N_TEST]), gallery.labels[:N_TEST]
    return Digits(gallery.name, images, labels, gallery.sha256, f"MNIST's {len(labels):,} test digits")


def load_bundled() -> Digits:
    """The 1,797 real handwritten digits that come with scikit-learn, made like MNIST's.

    Source: "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, UCI): 8 x 8 cells, each the number of
    its 16 pixels that hold ink. Bicubic enlargement, cut softly at half coverage, gives back the strokes' edges; then
    MNIST's own recipe.
    """
    from sklearn.datasets import load_digits  # takes a second, and MNIST does not need it

    cells = load_digits()
    images = np.stack([_enlarge(coverage) for coverage in cells.images.astype(np.float32) / 16])
    sha256 = hashlib.sha256(cells.images.astype(np.uint8).tobytes()).hexdigest()
    title = f"the {len(images):,} handwritten digits that come with scikit-learn"
    return Digits("digits", images, cells.target.astype(np.uint8), sha256, title)


def load_drawn(path: str | Path, *, percent: float | None = None, labeled: bool = True) -> Digits:
    """Digits written with a pen, prepared as drawings on the page are.

    Args:
        path: as `read_strokes` reads it.
        percent: how large they are first drawn on the canvas, in its whole pixels: the longer side in percent of the
            canvas'. None takes the strokes as exact as they are.
        labeled: false for characters that are no digits; they get no labels.

    Raises:
        DataError: the file is missing or says something else.
    """
    images, labels = [], []
    try:
        for digit, strokes in read_strokes(path):
            if labeled and digit is None:
                raise ValueError("expected a digit in each line, received none")
            images.append(_drawn_digit(strokes, percent))
            labels.append(digit if labeled else UNLABELED)
        stacked = np.stack(images)
    except (TypeError, ValueError) as error:
        raise DataError(NOT_STROKES.format(path, error)) from None
    kind = "drawn" if labeled else "not_digits"
    name = f"{kind} {percent} %" if percent else kind
    sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return Digits(name, stacked, np.array(labels, np.uint8), sha256)


def read_strokes(path: str | Path) -> Iterator[tuple[int | None, list[NDArray[np.float64]]]]:
    """Of each drawing in a file the digit, None if it is another character, and the strokes (n_points, 2), y down.

    Args:
        path: gzip-compressed lines of JSON, `{"digit": 8, "strokes": [[[x, y], …], …]}`, y up, as tablets have it.
            A line without a `digit` is another character. A line may name its `writer`: see `read_writers`.

    Raises:
        DataError: the file is missing or says something else.
    """
    return _read_lines(path, _strokes_of)


def read_writers(path: str | Path) -> NDArray[np.int64] | None:
    """Who wrote each drawing in a file, int64 (n,), numbered from 0 in the order of the file; None if no line says it.

    Args:
        path: as `read_strokes` reads it, with a `writer` in each line, a number or a name: `{"writer": 3, …}`.

    Raises:
        DataError: the file is missing or says something else, or only some lines name their writer.
    """
    writers = list(_read_lines(path, _writer_of))
    numbers = {writer: number for number, writer in enumerate(dict.fromkeys(writers))}
    if None not in numbers:
        return np.array([numbers[writer] for writer in writers], np.int64)
    if len(numbers) > 1:
        raise DataError(NOT_STROKES.format(path, "expected a writer in each line or in none"))
    return None


def read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """The shape, whether in Fortran order, and the dtype of an array whose .npy file is open at its start.

    Raises:
        ValueError: it is no such file, or one of a later version than 1.0; plain arrays do not need those.
    """
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"expected an .npy file of version 1.0, received {version}")
    return np.lib.format.read_array_header_1_0(file)


def _read_lines(path: str | Path, read: Callable[[dict[str, Any]], Read]) -> Iterator[Read]:
    """What `read` makes of each line of a file of drawings; raises DataError as `read_strokes` does."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                drawing = json.loads(line)
                if not isinstance(drawing, dict):
                    raise ValueError(f"expected an object, received {line[:20]!r}")
                yield read(drawing)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise DataError(NOT_STROKES.format(path, error)) from None


def _strokes_of(drawing: dict[str, Any]) -> tuple[int | None, list[NDArray[np.float64]]]:
    strokes = [np.array(stroke) * [1.0, -1.0] for stroke in drawing["strokes"]]
    return drawing.get("digit"), strokes


def _writer_of(drawing: dict[str, Any]) -> int | str | None:
    writer = drawing.get("writer")
    if not isinstance(writer, int | str | None):
        raise ValueError(f"expected a writer's number or name, received {writer!r}")
    return writer


def _drawn_digit(strokes: list[NDArray[np.float64]], percent: float | None) -> NDArray[np.float32]:
    """The digit (28, 28) that strokes draw, first drawn on the canvas if its size there is given."""
    if not percent:
        return digit_from_strokes(strokes)
    return digit_from_strokes(simplify(scale_to_canvas(strokes, CANVAS_PX * percent / 100)))


def _enlarge(coverage: NDArray[np.float32]) -> NDArray[np.float32]:
    """The digit (28, 28) that 8 x 8 cells show, each the share of it in [0, 1] that is ink."""
    side = coverage.shape[0] * ENLARGEMENT
    smooth = np.asarray(Image.fromarray(coverage).resize((side, side), Image.Resampling.BICUBIC))
    return normalize_ink(np.clip((smooth - 0.5) * EDGE_SHARPNESS + 0.5, 0, 1))


def _find_mnist(wait_s: float | None) -> tuple[Path, str]:
    """The path of MNIST's file, downloaded if need be, and what to do if it turns out to be damaged."""
    if given := os.environ.get("MNIST_NPZ"):
        if not _is_file(given):
            raise DataError(f"MNIST_NPZ names {given}, and there is no such file: correct it, or unset it to download.")
        return Path(given), "replace it, or unset MNIST_NPZ to download it again"
    home = os.path.expanduser("~")
    if not os.environ.get("KERAS_HOME") and home == "~":
        raise DataError("There is no home folder to look for MNIST in: set HOME, or MNIST_NPZ to a copy of mnist.npz.")
    cached = Path(os.environ.get("KERAS_HOME") or Path(home, ".keras")) / "datasets" / "mnist.npz"
    if not _is_file(cached):
        _fetch(cached, wait_s)
    return cached, "delete it to download it again"


def _is_file(path: str | Path) -> bool:
    try:
        return Path(path).is_file()
    except PermissionError:
        raise DataError(
            f"{path} cannot be read: give this user the right to read it, or name a copy in MNIST_NPZ."
        ) from None


class _Download(threading.Thread):
    """Fetches MNIST to `path`, which appears only when it is whole; `error` says why it did not.

    It is a thread, since no time-out covers the look-up of a host's name; a daemon, so that it keeps no process alive.
    """

    def __init__(self, path: Path, *, progressbar: bool) -> None:
        super().__init__(daemon=True, name="mnist-download")
        self.path, self.progressbar = path, progressbar
        self.url, self.sha256 = MNIST_URL, MNIST_FILE_SHA256
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            import pooch

            pooch.get_logger().setLevel("WARNING")
            timeouts = CONNECT_TIMEOUT_S, SILENCE_TIMEOUT_S
            downloader = pooch.HTTPDownloader(timeout=timeouts, progressbar=self.progressbar)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".mnist-", dir=self.path.parent) as folder:
                whole = pooch.retrieve(self.url, self.sha256, self.path.name, folder, downloader=downloader)
                os.replace(whole, self.path)
        except Exception as error:  # whatever the network or the disk says, the visitor is told
            self.error = error


_downloading = threading.Lock()
_download: _Download | None = None  # the one that runs or ran last: all threads wait for it


def _fetch(path: Path, wait_s: float | None) -> None:
    """Have MNIST at `path`: wait for the download that is on its way, or for a new one."""
    global _download
    with _downloading:
        if _download is None or not _download.is_alive():
            _download = _Download(path, progressbar=wait_s is None)
            _download.start()
        download = _download
    download.join(wait_s)
    advice = "Try again when there is a network, or set MNIST_NPZ to a copy of mnist.npz."
    if download.is_alive():
        raise DataError(f"MNIST has not arrived from {download.url} within {wait_s:g} s. {advice}")
    if download.error:
        raise DataError(
            f"MNIST could not be downloaded from {download.url} ({type(download.error).__name__}). {advice}"
        )


def _verified_array(path: Path, name: str, remedy: str) -> NDArray[np.uint8]:
    """One of MNIST_ARRAYS from a file; raises DataError with the remedy unless shape, dtype and content are MNIST's."""
    expected, sha256 = MNIST_ARRAYS[name]
    array = None
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            shape, _, dtype = read_npy_header(file)  # first, since it may claim any size
        if (shape, dtype) == (expected, np.uint8):
            with np.load(path, allow_pickle=False) as arrays:
                array = np.asarray(arrays[name])
    except Exception as error:  # NumPy, zipfile and zlib raise whatever the damage makes them stumble over
        raise DataError(f"{path} cannot be read as MNIST ({name}: {error}): {remedy}.") from None
    if array is None:
        raise DataError(f"{path} is not MNIST: expected {name} uint8 {expected}, received {dtype} {shape}: {remedy}.")
    if hashlib.sha256(np.ascontiguousarray(array).data).hexdigest() != sha256:
        raise DataError(f"{path} is not MNIST: the SHA-256 of {name} is not {sha256[:12]}…: {remedy}.")
    return array
