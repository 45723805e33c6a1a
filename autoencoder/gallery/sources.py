"""Where the digits of one's own gallery come from: a folder of pictures, an .npz or .npy of images, or IDX files."""

import gzip
import hashlib
import math
import os
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np

from autoencoder.data import UNLABELLED, DataError, read_npy_header
from autoencoder.ink.photo import MAX_OTHER_PIXELS, read_gray
from autoencoder.ink.preprocess import NoDigitError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MOST_BYTES = 50_000_000  # of a picture's file
BYTES_AT_ONCE = 2_000_000  # of an array
IDX_UINT8 = b"\x00\x00\x08"  # two zeros and the code of unsigned bytes; the number of axes follows
# The names by which images and labels belong together, in an .npz and as files of the IDX format.
LABELS_OF = {"images": "labels", "image": "label", "data": "target", "pixels": "labels", "x": "y", "X": "y"}
LABELS_BESIDE = {"images-idx3": "labels-idx1", "images.idx3": "labels.idx1"}


@dataclass(frozen=True)
class Item:
    """One image of a source: its `name`, its `label` from 0 to 9 or UNLABELLED, and `gray` float32 (h, w) in [0, 1];
    or no `gray`, and what the `problem` is."""

    name: str
    label: int
    gray: np.ndarray | None
    problem: str = ""


def open_source(path, *, labels=None, part="", transpose=False):
    """The images of a file or folder.

    Args:
        path: a folder of pictures, a digit's in a subfolder of its name where they are labelled ("3/scan.png"); or an
            .npy, .npz or IDX file, also compressed by gzip, of images (n, h, w): uint8, or float in [0, 1].
        labels: an .npy or IDX file of labels (n,), where they are not found by their name.
        part: of an .npz the arrays that have this in their name; all of them where it is empty.
        transpose: swap rows and columns, as EMNIST's files need it.

    Returns:
        a source: it has a length, `identity`, a text that tells it from others and from itself when it has changed, and
        `items(start)`, which yields an Item each from the start-th on, in an order that stays.

    Raises:
        DataError: there is no such file or folder, or it holds no images.
    """
    path = Path(path)
    if path.is_dir():
        if labels or part or transpose:
            raise DataError(f"{path} is a folder of pictures: labels, part and transpose are for arrays.")
        return Pictures(path)
    if not path.is_file():
        raise DataError(f"{path} is neither a file nor a folder: name a folder of pictures, an .npz, .npy or IDX file.")
    return Arrays(path, labels and Path(labels), part, transpose)


class Pictures:
    """The pictures in a folder and its subfolders, in the order of their names."""

    def __init__(self, folder):
        self.folder = folder
        listing, self._n = hashlib.sha256(), 0
        for name in self._names():
            listing.update(f"{name} {_stamp(folder / name)}\n".encode(errors="surrogateescape"))
            self._n += 1
        if not self._n:
            raise DataError(f"{folder} holds no pictures ({', '.join(PICTURES)}).")
        self.identity = f"{self._n} pictures in {folder.resolve()}, {listing.hexdigest()[:16]}"

    def __len__(self):
        return self._n

    def items(self, start=0):
        for number, name in enumerate(self._names()):
            if number < start:
                continue
            folder = Path(name).parent.name
            label = int(folder) if len(folder) == 1 and folder in "0123456789" else UNLABELLED
            try:
                yield Item(name, label, read_gray(_bytes_of(self.folder / name)))
            except NoDigitError as problem:
                yield Item(name, label, None, str(problem))
            except OSError as error:
                yield Item(name, label, None, f"It cannot be read: {error.strerror}.")

    def _names(self):
        """The paths below the folder, one directory's names in memory at a time; last those of unreadable folders."""
        errors = []
        for place, folders, names in os.walk(self.folder, onerror=errors.append):
            folders.sort()
            below = Path(place).relative_to(self.folder)
            yield from ((below / name).as_posix() for name in sorted(names) if name.lower().endswith(PICTURES))
        for error in errors:
            folder = Path(error.filename)
            if folder == self.folder:
                raise DataError(f"{folder} cannot be read: {error.strerror}.")
            yield folder.relative_to(self.folder).as_posix()


class Arrays:
    """The images of one file of arrays, read a few megabytes at a time."""

    def __init__(self, path, labels_path, part, transpose):
        self.path, self._transpose = path, transpose
        try:
            zipped = path.suffix.lower() == ".npz"
            self._parts = _parts_of_npz(path, part) if zipped else [(_Array(path), _labels_beside(path))]
            if labels_path:
                self._parts = [(images, _Array(labels_path)) for images, _ in self._parts]
            for images, labels in self._parts:
                _check_shapes(images, labels)
                if labels:
                    _check_labels(labels)
        except Exception as error:  # NumPy, zipfile and zlib raise whatever the damage makes them stumble over
            raise DataError(f"{path} cannot be used as images: {error}.") from None
        files = {array.path: array for pair in self._parts for array in pair if array}
        arrays = ", ".join(images.name for images, _ in self._parts)
        stamps = ", ".join(f"{file.resolve()} {_stamp(file)}" for file in files)
        self.identity = f"{arrays} of {stamps}{', transposed' * transpose}"

    def __len__(self):
        return sum(images.shape[0] for images, _ in self._parts)

    def items(self, start=0):
        for images, labels in self._parts:
            n = images.shape[0]
            if start >= n:
                start -= n
                continue
            try:
                yield from self._items(images, labels, start)
            except Exception as error:  # as above
                raise DataError(f"{self.path} cannot be used as images ({images.name}: {error}).") from None
            start = 0

    def _items(self, images, labels, start):
        labels_of_rows = labels.rows(start) if labels else repeat(UNLABELLED)
        for number, (row, label) in enumerate(zip(images.rows(start), labels_of_rows, strict=False), start):
            gray = _as_gray(row)
            yield Item(f"{images.name}[{number}]", int(np.squeeze(label)), gray.T if self._transpose else gray)


class _Array:
    """An array in an .npy file, an IDX file or a member of an .npz, to read by rows from its start."""

    def __init__(self, path, member=None):
        self.path, self._member = path, member
        self.name = member.removesuffix(".npy") if member else path.name
        if not path.is_file():  # a pipe or a device would never end
            raise ValueError(f"{path} is no regular file")
        with ExitStack() as stack:
            _, self.shape, self.dtype = self._open(stack)

    def rows(self, start=0):
        """The rows from the start-th on, one after the other."""
        size = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        at_once = max(1, BYTES_AT_ONCE // size)
        with ExitStack() as stack:
            file, _, _ = self._open(stack)
            _read(file, start * size, keep=False)
            for first in range(start, self.shape[0], at_once):
                n = min(at_once, self.shape[0] - first)
                yield from np.frombuffer(_read(file, n * size), self.dtype).reshape(n, *self.shape[1:])

    def _open(self, stack):
        """The file, at the array's first number, its shape and its dtype."""
        if self._member:
            file = stack.enter_context(stack.enter_context(zipfile.ZipFile(self.path)).open(self._member))
        else:
            file = stack.enter_context((gzip.open if self.path.suffix.lower() == ".gz" else open)(self.path, "rb"))
        if self._member or ".npy" in self.path.name.lower():
            shape, fortran_order, dtype = read_npy_header(file)
            if fortran_order or dtype.kind not in "uif":
                raise ValueError(f"expected numbers in C order, received {dtype}{' in Fortran order' * fortran_order}")
            return file, shape, dtype
        if _read(file, 3) != IDX_UINT8:
            raise ValueError("expected an .npz, .npy or IDX file of unsigned bytes, received another")
        n_axes = _read(file, 1)[0]
        return file, tuple(np.frombuffer(_read(file, 4 * n_axes), ">u4").tolist()), np.dtype(np.uint8)


def _read(file, n_bytes, *, keep=True):
    """So many bytes of a file; without `keep` they are passed over, and nothing is returned."""
    kept = []
    while n_bytes:
        piece = file.read(min(n_bytes, 1 << 20))
        if not piece:
            raise EOFError("it ends too early")
        n_bytes -= len(piece)
        if keep:
            kept.append(piece)
    return b"".join(kept)


def _parts_of_npz(path, part):
    """Pairs of images and their labels, None where there are none, in the file's order."""
    with zipfile.ZipFile(path) as file:
        members = [name for name in file.namelist() if name.endswith(".npy") and part in name]
    arrays = {array.name: array for array in (_Array(path, name) for name in members)}
    images = [array for array in arrays.values() if len(array.shape) == 3 or array.shape[1:] == (784,)]
    if not images:
        named = f" with {part!r} in their name" * bool(part)
        raise ValueError(f"expected arrays (n, h, w) or (n, 784){named}, received {list(arrays)}")
    return [(array, arrays.get(_name_of_labels(array.name, LABELS_OF, arrays))) for array in images]


def _labels_beside(path):
    """The array of labels of an IDX file of images, by the name that such have, or None."""
    name = _name_of_labels(path.name, LABELS_BESIDE, {file.name for file in path.parent.iterdir()})
    return _Array(path.with_name(name)) if name else None


def _name_of_labels(images_name, pairs, names):
    """Which of the names is that of the images but for the word of a pair; None if none is."""
    alike = (images_name.replace(of_images, of_labels, 1) for of_images, of_labels in pairs.items())
    return next((name for name in alike if name != images_name and name in names), None)


def _check_shapes(images, labels):
    flat = len(images.shape) == 2 and images.shape[1] != 784
    if flat or len(images.shape) not in (2, 3) or min(images.shape) < 1:
        raise ValueError(f"expected images (n, h, w) or (n, 784), received {images.name} {images.shape}")
    n, *sides = images.shape
    if math.prod(sides) > MAX_OTHER_PIXELS:
        most = f"{MAX_OTHER_PIXELS / 1e6:g} megapixels"
        raise ValueError(f"expected images of at most {most}, received {images.name} {images.shape}")
    if labels and (labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "ui"):
        raise ValueError(
            f"expected labels ({n},) of whole numbers, received {labels.name} {labels.dtype} {labels.shape}"
        )


def _check_labels(labels):
    for label in labels.rows():
        if not 0 <= label <= 9 and label != UNLABELLED:
            raise ValueError(f"expected labels from 0 to 9, received {np.squeeze(label)}")


def _as_gray(row):
    """One image of an array as float32 (h, w) in [0, 1]."""
    gray = row.astype(np.float32) / (255 if row.dtype.kind in "ui" else 1)
    if not ((gray >= 0) & (gray <= 1)).all():
        raise ValueError(f"expected bytes, or floats in [0, 1], received {row.dtype} from {row.min()} to {row.max()}")
    return gray.reshape(28, 28) if gray.ndim == 1 else gray


def _bytes_of(path):
    """What a picture's file holds; raises NoDigitError where it is too large or no file, OSError as `Path` does."""
    if path.is_dir():
        os.listdir(path)  # among the names is a folder only if it cannot be read: this raises why
    if path.stat().st_size > MOST_BYTES:
        raise NoDigitError(f"This file is larger than {MOST_BYTES / 1e6:g} MB.")
    if not path.is_file():
        raise NoDigitError("This is no regular file.")  # reading a pipe or a device may never end
    return path.read_bytes()


def _stamp(path):
    """A text that changes when the file does."""
    try:
        status = path.stat()
    except OSError as error:
        return error.strerror
    return f"{status.st_size}-{status.st_mtime_ns}"
