"""Where the digits of one's own gallery come from: a folder of pictures, an .npz or .npy of images, or IDX files."""

import gzip
import hashlib
import math
import os
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import UNLABELED, DataError, read_npy_header
from autoencoder.ink.photo import MAX_OTHER_PIXELS, read_gray
from autoencoder.ink.preprocess import NoDigitError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MOST_BYTES = 50_000_000  # of a picture's file
BYTES_AT_ONCE = 2_000_000  # of an array
IDX_UINT8 = b"\x00\x00\x08"  # two zeros and the code of unsigned bytes; the number of axes follows
# Images and labels belong together by these words in their names: in an .npz, and as files of the IDX format.
LABELS_OF = {"images": "labels", "image": "label", "data": "target", "pixels": "labels", "x": "y", "X": "y"}
LABELS_BESIDE = {"images-idx3": "labels-idx1", "images.idx3": "labels.idx1"}


@dataclass(frozen=True)
class Item:
    """One image of a source: its `name`, its `label` from 0 to 9 or UNLABELED, and `gray` (h, w) in [0, 1].

    `gray` is None where the image cannot be read, and `problem` then says why.
    """

    name: str
    label: int
    gray: NDArray[np.float32] | None
    problem: str = ""


class Source(Protocol):
    """The images to build a gallery of, so many as its length says.

    `identity` is a text that tells a source from others, and from itself when it has changed.
    """

    identity: str

    def __len__(self) -> int: ...

    def items(self, start: int = 0) -> Iterator[Item]:
        """The items from the start-th on. Their order is always the same."""
        ...


def open_source(
    path: str | Path, *, labels: str | Path | None = None, part: str = "", transpose: bool = False
) -> Source:
    """The images of a file or folder.

    Args:
        path: a folder of pictures, a digit's in a subfolder of its name where they are labeled ("3/scan.png"); or an
            .npy, .npz or IDX file, also compressed by gzip, of images (n, h, w): uint8, or float in [0, 1].
        labels: an .npy or IDX file of labels (n,), where they are not found by their name.
        part: takes of an .npz only the arrays that have this in their name.
        transpose: swap rows and columns, as EMNIST's files need it.

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
    return Arrays(path, labels=Path(labels) if labels else None, part=part, transpose=transpose)


class Pictures:
    """The pictures in a folder and its subfolders, in the order of their names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listing, self._n = hashlib.sha256(), 0
        for name in self._names():
            listing.update(f"{name} {_stamp(folder / name)}\n".encode(errors="surrogateescape"))
            self._n += 1
        if not self._n:
            raise DataError(f"{folder} holds no pictures ({', '.join(PICTURES)}).")
        self.identity = f"{self._n} pictures in {folder.resolve()}, {listing.hexdigest()[:16]}"

    def __len__(self) -> int:
        return self._n

    def items(self, start: int = 0) -> Iterator[Item]:
        for name in islice(self._names(), start, None):
            folder = Path(name).parent.name
            label = int(folder) if len(folder) == 1 and folder in "0123456789" else UNLABELED
            try:
                yield Item(name, label, read_gray(_bytes_of(self.folder / name)))
            except NoDigitError as problem:
                yield Item(name, label, None, str(problem))
            except OSError as error:
                yield Item(name, label, None, f"It cannot be read: {error.strerror}.")

    def _names(self) -> Iterator[str]:
        """The paths below the folder, and after them those of subfolders that cannot be read.

        Only the names of one subfolder at a time are in memory.
        """
        errors: list[OSError] = []
        for place, folders, names in os.walk(self.folder, onerror=errors.append):
            folders.sort()
            below = Path(place).relative_to(self.folder)
            yield from ((below / name).as_posix() for name in sorted(names) if name.lower().endswith(PICTURES))
        for error in errors:
            folder = Path(error.filename)
            if folder == self.folder:
                raise DataError(f"{folder} cannot be read: {error.strerror}.")
            yield folder.relative_to(self.folder).as_posix()


def _bytes_of(path: Path) -> bytes:
    """What a picture's file holds.

    Raises:
        NoDigitError: it is too large, or no regular file.
        OSError: it cannot be read.
    """
    if path.is_dir():
        os.listdir(path)  # a folder is among the names only if it cannot be read: this raises why
    if path.stat().st_size > MOST_BYTES:
        raise NoDigitError(f"This file is larger than {MOST_BYTES / 1e6:g} MB.")
    if not path.is_file():
        raise NoDigitError("This is no regular file.")  # reading a pipe or a device may never end
    return path.read_bytes()


class Arrays:
    """The images of one file of arrays, read a few megabytes at a time."""

    def __init__(self, path: Path, *, labels: Path | None, part: str, transpose: bool) -> None:
        self.path, self._transpose = path, transpose
        try:
            self._parts = _parts_of_npz(path, part) if path.suffix.lower() == ".npz" else _part_of_file(path)
            if labels:
                self._parts = [(images, _Array(labels)) for images, _ in self._parts]
            for of_images, of_labels in self._parts:
                _check_images(of_images)
                if of_labels:
                    _check_labels(of_labels, of_images.shape[0])
        except Exception as error:  # NumPy, zipfile and zlib raise whatever the damage makes them stumble over
            raise DataError(f"{path} cannot be used as images: {error}.") from None
        self.identity = self._identity()

    def __len__(self) -> int:
        return sum(images.shape[0] for images, _ in self._parts)

    def items(self, start: int = 0) -> Iterator[Item]:
        for images, labels in self._parts:
            n = images.shape[0]
            if start >= n:
                start -= n
                continue
            try:
                yield from self._items_of_part(images, labels, start)
            except Exception as error:  # as above
                raise DataError(f"{self.path} cannot be used as images ({images.name}: {error}).") from None
            start = 0

    def _items_of_part(self, images: "_Array", labels: "_Array | None", start: int) -> Iterator[Item]:
        of_rows: Iterable[NDArray[Any] | int] = labels.rows(start) if labels else repeat(UNLABELED)
        for number, (row, label) in enumerate(zip(images.rows(start), of_rows, strict=False), start):
            gray = _as_gray(row)
            yield Item(f"{images.name}[{number}]", int(np.squeeze(label)), gray.T if self._transpose else gray)

    def _identity(self) -> str:
        files = {array.path: array for pair in self._parts for array in pair if array}
        arrays = ", ".join(images.name for images, _ in self._parts)
        stamps = ", ".join(f"{file.resolve()} {_stamp(file)}" for file in files)
        turned = ", transposed" if self._transpose else ""
        return f"{arrays} of {stamps}{turned}"


def _parts_of_npz(path: Path, part: str) -> list[tuple["_Array", "_Array | None"]]:
    """Pairs of images and their labels, None where there are none, in the file's order."""
    with zipfile.ZipFile(path) as file:
        members = [name for name in file.namelist() if name.endswith(".npy") and part in name]
    arrays = {array.name: array for array in (_Array(path, name) for name in members)}
    images = [array for array in arrays.values() if len(array.shape) == 3 or array.shape[1:] == (784,)]
    if not images:
        named = f" with {part!r} in their name" if part else ""
        raise ValueError(f"expected arrays (n, h, w) or (n, 784){named}, received {list(arrays)}")
    labels = (_name_of_labels(array.name, LABELS_OF, arrays) for array in images)
    return [(array, arrays[name] if name else None) for array, name in zip(images, labels, strict=True)]


def _part_of_file(path: Path) -> list[tuple["_Array", "_Array | None"]]:
    """The images of an .npy or IDX file and, of an IDX file, the labels in the file beside it, as the only pair."""
    labels = _name_of_labels(path.name, LABELS_BESIDE, {file.name for file in path.parent.iterdir()})
    return [(_Array(path), _Array(path.with_name(labels)) if labels else None)]


def _name_of_labels(images_name: str, words: dict[str, str], names: Collection[str]) -> str | None:
    """The name of the labels: the images' with one of the `words` replaced, if it is among the names; else None."""
    alike = (images_name.replace(of_images, of_labels, 1) for of_images, of_labels in words.items())
    return next((name for name in alike if name != images_name and name in names), None)


def _check_images(images: "_Array") -> None:
    sides = images.shape[1:]
    if (len(sides) != 2 and sides != (784,)) or min(images.shape) < 1:
        raise ValueError(f"expected images (n, h, w) or (n, 784), received {images.name} {images.shape}")
    if math.prod(sides) > MAX_OTHER_PIXELS:
        most = f"{MAX_OTHER_PIXELS / 1e6:g} megapixels"
        raise ValueError(f"expected images of at most {most}, received {images.name} {images.shape}")


def _check_labels(labels: "_Array", n: int) -> None:
    if labels.shape not in ((n,), (n, 1)) or labels.dtype.kind not in "ui":
        raise ValueError(
            f"expected labels ({n},) of whole numbers, received {labels.name} {labels.dtype} {labels.shape}"
        )
    for label in labels.rows():
        if not 0 <= label <= 9 and label != UNLABELED:
            raise ValueError(f"expected labels from 0 to 9, received {np.squeeze(label)}")


def _as_gray(row: NDArray[Any]) -> NDArray[np.float32]:
    """One image of an array, (h, w) or (784,), as gray (h, w) in [0, 1]."""
    gray = row.astype(np.float32)
    if row.dtype.kind in "ui":
        gray /= 255
    if not ((gray >= 0) & (gray <= 1)).all():
        raise ValueError(f"expected bytes, or floats in [0, 1], received {row.dtype} from {row.min()} to {row.max()}")
    return gray.reshape(28, 28) if gray.ndim == 1 else gray


class _Array:
    """An array in an .npy file, an IDX file or a member of an .npz. Its rows are read from the start on."""

    def __init__(self, path: Path, member: str | None = None) -> None:
        self.path, self._member = path, member
        self.name = member.removesuffix(".npy") if member else path.name
        if not path.is_file():  # a pipe or a device would never end
            raise ValueError(f"{path} is no regular file")
        with self._opened() as file:
            self.shape, self.dtype = self._read_header(file)

    def rows(self, start: int = 0) -> Iterator[NDArray[Any]]:
        """The rows from the start-th on, one after the other."""
        size = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        at_once = max(1, BYTES_AT_ONCE // size)
        with self._opened() as file:
            self._read_header(file)
            _skip(file, start * size)
            for first in range(start, self.shape[0], at_once):
                n = min(at_once, self.shape[0] - first)
                yield from np.frombuffer(_read(file, n * size), self.dtype).reshape(n, *self.shape[1:])

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """The array's file, unpacked, at its start."""
        if self._member:
            with zipfile.ZipFile(self.path) as archive, archive.open(self._member) as member:
                yield member
        elif self.path.suffix.lower() == ".gz":
            with gzip.open(self.path, "rb") as unpacked:
                yield cast(IO[bytes], unpacked)  # its type does not say that it is one
        else:
            with open(self.path, "rb") as file:
                yield file

    def _read_header(self, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """The array's shape and dtype; the file is then at its first number."""
        if self._member or ".npy" in self.path.name.lower():
            shape, fortran_order, dtype = read_npy_header(file)
            if fortran_order or dtype.kind not in "uif":
                order = " in Fortran order" if fortran_order else ""
                raise ValueError(f"expected numbers in C order, received {dtype}{order}")
            return shape, dtype
        if _read(file, 3) != IDX_UINT8:
            raise ValueError("expected an .npz, .npy or IDX file of unsigned bytes, received another")
        n_axes = _read(file, 1)[0]
        return tuple(np.frombuffer(_read(file, 4 * n_axes), ">u4").tolist()), np.dtype(np.uint8)


def _read(file: IO[bytes], n_bytes: int) -> bytes:
    return b"".join(_pieces(file, n_bytes))


def _skip(file: IO[bytes], n_bytes: int) -> None:
    for _ in _pieces(file, n_bytes):
        pass


def _pieces(file: IO[bytes], n_bytes: int) -> Iterator[bytes]:
    """The next bytes of a file, a megabyte at a time; raises EOFError where it has fewer."""
    while n_bytes:
        piece = file.read(min(n_bytes, 1 << 20))
        if not piece:
            raise EOFError("it ends too early")
        n_bytes -= len(piece)
        yield piece


def _stamp(path: Path) -> str:
    """A text that changes when the file does."""
    try:
        status = path.stat()
    except OSError as error:
        return str(error.strerror)
    return f"{status.st_size}-{status.st_mtime_ns}"
