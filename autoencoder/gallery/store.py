"""One's own gallery: built from any source of digits, kept in a folder, opened without being read into memory."""

import hashlib
import json
import os
import sys
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from tqdm import tqdm

from autoencoder import artifacts
from autoencoder.data import UNLABELED, DataError, Digits, StoredImages
from autoencoder.gallery.sources import Item, Source
from autoencoder.ink.preprocess import SIDE_PX, NoDigitError, digit_from_gray, to_bytes
from autoencoder.query.search import exact_search
from autoencoder.query.typical import Typical
from autoencoder.spaces import LATENT_DIM, Latent

if sys.platform != "win32":  # Windows needs no locks: it lets nobody overwrite a file that is mapped into memory
    import fcntl

BATCH = 1000
LEAST_DIGITS = 5  # one to ask, and four to find
N_TYPICAL = 2000  # digits of the gallery that what is typical of it is taken from
IMAGES, LABELS, LATENTS, TYPICAL = "images.npy", "labels.npy", "latents.npy", "typical.npz"
FILES, SKIPPED, PROGRESS = "files.txt", "skipped.txt", "progress.json"
# A build that was stopped goes on only where all of these are as they were. The words are those of messages.
SAME_BUILD = {"source": "source", "name": "name", "as_is": "--as-is", "encoder": "encoder"}
TAKEN = "mnist", "digits", "strokes", "png", "drawn"  # the page's address and the figures have these for other things
LONGEST_NAME = 40
REBUILD = "build it anew, in another folder, with `python -m autoencoder gallery build`"


@dataclass(frozen=True)
class StoredGallery:
    """A gallery as it is kept in a folder.

    Its `digits` have StoredImages; `latents` (n, 32) are mapped into memory. `typical` is what is typical of some of
    its digits. `collection` is the name of its latents in Milvus, which no other gallery's latents have.
    """

    digits: Digits
    latents: NDArray[np.float32]
    typical: Typical
    collection: str


def build(
    source: Source,
    directory: str | Path,
    space: Latent,
    encoder_sha256: str,
    *,
    name: str | None = None,
    as_is: bool = False,
) -> dict[str, Any]:
    """Prepare the images of a source as MNIST's are, encode them, and keep both in a folder.

    What holds no digit, or cannot be read, is left out and listed in skipped.txt. Memory does not grow with the
    source. A build that was stopped goes on from the last whole batch when it is called again in the same way.

    Args:
        source: as `open_source` gives it.
        directory: the folder, new or that of the same build.
        space: the Latent space to encode by.
        encoder_sha256: of the encoder's file. It tells whose the latents are.
        name: a short name for the gallery; None takes the folder's.
        as_is: whether the images are 28 × 28 and prepared as MNIST's already.

    Returns:
        the manifest.

    Raises:
        DataError: the folder holds something else or is in use, or the source holds fewer than 5 digits.
    """
    directory = Path(directory)
    name = name or directory.resolve().name
    if _short(name) in TAKEN:
        raise DataError(f"{name} is the name of something else in the app: choose another with --name.")
    build_of = {"source": source.identity, "name": name, "as_is": as_is, "encoder": encoder_sha256}
    if manifest := _finished(directory, build_of):
        return manifest
    directory.mkdir(parents=True, exist_ok=True)
    with _writing_alone(directory):
        return _finished(directory, build_of) or _build(source, directory, space, build_of)


def _finished(directory: Path, build_of: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of this build where it was done before, as stderr is told; None where the folder has no gallery.

    Raises:
        DataError: the folder holds another gallery.
    """
    if not (directory / artifacts.MANIFEST).is_file():
        return None
    manifest = _verify(directory)
    if other := _difference(manifest, build_of):
        raise DataError(f"{directory} holds another gallery: {other}. Name another folder.")
    print(f"{directory} holds this gallery already: there was nothing to do.", file=sys.stderr)
    return manifest


def _build(source: Source, directory: Path, space: Latent, build_of: dict[str, Any]) -> dict[str, Any]:
    progress = _progress_of(directory, build_of)
    _encode_all(source, directory, space, progress)
    n, n_skipped = progress["kept"], progress["read"] - progress["kept"]
    if n < LEAST_DIGITS:
        first = _first_skipped(directory)
        for file in (IMAGES, LABELS, LATENTS, FILES, SKIPPED, PROGRESS):
            (directory / file).unlink()
        left_out = f" Left out: {n_skipped:,}, the first {first}" if n_skipped else ""
        raise DataError(f"the source holds {n} digits, at least {LEAST_DIGITS} are needed.{left_out}")
    digits, latents = _open_arrays(directory, build_of["name"], "")
    _typical_of(digits, latents, space).save(directory / TYPICAL)
    files = {file: artifacts.sha256_of(directory / file) for file in (IMAGES, LABELS, LATENTS, TYPICAL, FILES, SKIPPED)}
    manifest = build_of | {"n": n, "skipped": n_skipped, "data": {}, "files": files}
    artifacts.write_manifest(directory, manifest)
    (directory / PROGRESS).unlink()
    return manifest


def _progress_of(directory: Path, build_of: dict[str, Any]) -> dict[str, Any]:
    """How far the build in a folder has come: `build_of`, how many items were `read`, and how many of them `kept`.

    A build that has not begun begins here.
    """
    path = directory / PROGRESS
    if not path.is_file():
        if any(found.name != path.with_suffix(".new").name for found in directory.iterdir()):
            raise DataError(f"{directory} is not empty: name another folder.")
        progress = build_of | {"read": 0, "kept": 0}
        _write(path, progress)
        return progress
    progress = _read_progress(directory)
    if other := _difference(progress, build_of):
        raise DataError(
            f"{directory} holds another unfinished build: {other}. "
            "Name another folder, or delete this one if it holds nothing else."
        )
    return progress


def _difference(found: dict[str, Any], build_of: dict[str, Any]) -> str | None:
    """What of `build_of` is not so in what was found, in words; None where all is."""
    for key, word in SAME_BUILD.items():
        if found.get(key) != build_of[key]:
            return f"its {word} is {found.get(key)}, not {build_of[key]}"
    return None


def _encode_all(source: Source, directory: Path, space: Latent, progress: dict[str, Any]) -> None:
    """Read what is left of the source, a batch at a time. `progress` is updated, in memory and in the folder."""
    with (
        _Rows(directory / IMAGES, np.uint8, (SIDE_PX, SIDE_PX), progress["kept"]) as images,
        _Rows(directory / LABELS, np.uint8, (), progress["kept"]) as labels,
        _Rows(directory / LATENTS, np.float32, (LATENT_DIM,), progress["kept"]) as latents,
        _Lines(directory / FILES, progress["kept"]) as files,
        _Lines(directory / SKIPPED, progress["read"] - progress["kept"]) as skipped,
        tqdm(total=len(source), initial=progress["read"], unit=" digits", desc="Building the gallery") as bar,
    ):
        items = source.items(progress["read"])
        while progress["read"] < len(source):
            digits, n_read = [], 0
            for item in islice(items, BATCH):
                n_read += 1
                try:
                    digits.append(_prepared(item, as_is=progress["as_is"]))
                except NoDigitError as problem:
                    skipped.append(f"{item.name}\t{problem}")
                else:
                    files.append(item.name)
                    labels.append(item.label)
            if not n_read:
                raise DataError("the source has become shorter while it was read.")
            if digits:
                images.append(to_bytes(np.stack(digits)))
                latents.append(space.transform(np.stack(digits)))
            for file in (images, labels, latents, files, skipped):
                file.flush()
            progress["read"] += n_read
            progress["kept"] += len(digits)
            _write(directory / PROGRESS, progress)
            bar.update(n_read)


def _prepared(item: Item, *, as_is: bool) -> NDArray[np.float32]:
    """An item's digit (28, 28) in [0, 1]; raises NoDigitError where there is none."""
    if item.gray is None:
        raise NoDigitError(item.problem)
    if not as_is:
        return digit_from_gray(item.gray)
    if item.gray.shape != (SIDE_PX, SIDE_PX):
        raise NoDigitError(f"It is {item.gray.shape}, not (28, 28), so it is not prepared already.")
    return item.gray


def _first_skipped(directory: Path) -> str:
    with open(directory / SKIPPED, encoding="utf-8", errors="surrogateescape") as skipped:
        return next(skipped, "").strip().replace("\t", ": ")


def _typical_of(digits: Digits, latents: NDArray[np.float32], space: Latent) -> Typical:
    """What is typical of some of the digits, evenly spread."""
    some = np.linspace(0, len(digits) - 1, min(N_TYPICAL, len(digits))).astype(int)
    return Typical.of_digits(some, space, digits, exact_search(latents))


def open_gallery(directory: str | Path, encoder_sha256: str) -> StoredGallery:
    """The gallery in a folder, verified.

    Raises:
        DataError: there is none, it is unfinished, damaged, or its latents are another encoder's.
    """
    directory = Path(directory)
    manifest = _verify(directory)
    if manifest["encoder"] != encoder_sha256:
        raise DataError(f"the latents in {directory} are another encoder's: {REBUILD}.")
    digits, latents = _open_arrays(directory, manifest["name"], manifest["files"][IMAGES])
    if (held := _hold(directory, shared=True)) is not None:
        weakref.finalize(digits.images, os.close, held)
    collection = f"gallery_{digits.name}_{manifest['files'][LATENTS][:12]}"
    return StoredGallery(digits, latents, Typical.load(directory / TYPICAL), collection)


def _open_arrays(directory: Path, name: str, sha256: str) -> tuple[Digits, NDArray[np.float32]]:
    """The digits in a folder and their latents (n, 32), mapped into memory."""
    images, labels, latents = (
        np.load(directory / file, mmap_mode="r", allow_pickle=False) for file in (IMAGES, LABELS, LATENTS)
    )
    return Digits(_short(name), StoredImages(images), labels, sha256, f"the {len(labels):,} digits of {name}"), latents


def describe(directory: str | Path) -> dict[str, str]:
    """What there is to know of a gallery, finished or not: what to print, by name.

    Raises:
        DataError: there is none, or it is damaged.
    """
    directory = Path(directory)
    if not (directory / artifacts.MANIFEST).is_file() and (directory / PROGRESS).is_file():
        progress = _read_progress(directory)
        return {
            "gallery": f"{directory}, unfinished: repeat its `gallery build` and it goes on",
            "source": progress["source"],
            "read": f"{progress['read']:,}",
            "kept": f"{progress['kept']:,}",
        }
    manifest = _verify(directory)
    labels = np.load(directory / LABELS, mmap_mode="r", allow_pickle=False)
    counts = np.bincount(labels, minlength=UNLABELED + 1).tolist()
    listed = f" (see {directory / SKIPPED})" if manifest["skipped"] else ""
    return {
        "gallery": f"{manifest['name']}, in {directory}",
        "source": manifest["source"],
        "digits": f"{manifest['n']:,}",
        "skipped": f"{manifest['skipped']:,}{listed}",
        "labels": ", ".join(f"{digit}: {counts[digit]:,}" for digit in range(10) if counts[digit]) or "none",
        "unlabeled": f"{counts[UNLABELED]:,}",
        "size": _size(sum(path.stat().st_size for path in directory.iterdir())),
        "encoder": manifest["encoder"],
    }


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"


def names_of(directory: str | Path, indices: Iterable[int]) -> dict[int, str]:
    """Where the digits of some indices come from, in the words of their source.

    Raises:
        DataError: the gallery has no such index.
    """
    wanted = set(indices)
    with open(Path(directory) / FILES, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        names = {index: line.rstrip("\n") for index, line in enumerate(lines) if index in wanted}
    if missing := wanted - set(names):
        raise DataError(f"{directory} has no digit {min(missing)}.")
    return names


def _verify(directory: Path) -> dict[str, Any]:
    """The manifest of a finished gallery, whose files are all as it says; raises DataError where there is none."""
    try:
        finished, unfinished = ((directory / file).is_file() for file in (artifacts.MANIFEST, PROGRESS))
    except PermissionError:
        raise DataError(artifacts.UNREADABLE.format(directory)) from None
    if not finished:
        raise DataError(
            f"The gallery in {directory} is unfinished: repeat its `gallery build`, and it goes on."
            if unfinished
            else f"{directory} holds no gallery: {REBUILD}."
        )
    try:
        return artifacts.verify(directory, required=(IMAGES, LABELS, LATENTS, TYPICAL), repair=REBUILD)
    except artifacts.ArtifactError as error:
        raise DataError(str(error)) from None


def _short(name: str) -> str:
    """A name for the page's address and for Milvus: at most 40 small letters, digits and underscores."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name.lower())
    if plain.strip("_"):
        return plain[:LONGEST_NAME]
    return f"gallery_{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:8]}"


@contextmanager
def _writing_alone(directory: Path) -> Iterator[None]:
    """Hold a folder while it is written to; raises DataError where another build or a search holds it."""
    held = _hold(directory, shared=False)
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


def _hold(directory: Path, *, shared: bool) -> int | None:
    """A folder's descriptor, locked until it is closed or the process ends; None where there are no such locks.

    Many may hold it shared, to read, or one to write.

    Raises:
        DataError: another process holds it.
    """
    if sys.platform == "win32":
        return None
    held = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(held, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise DataError(
            f"{directory} is in use: another build writes to it, or a server searches it. "
            "Wait until it has ended, or name another folder."
        ) from None
    except OSError:  # some disks on a network keep no locks
        os.close(held)
        return None
    return held


def _read_progress(directory: Path) -> dict[str, Any]:
    path = directory / PROGRESS
    try:
        progress = json.loads(path.read_bytes())
        if not progress["read"] >= progress["kept"] >= 0 or set(SAME_BUILD) - set(progress):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path} is damaged: {REBUILD}.") from None
    return progress


def _write(path: Path, progress: dict[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(progress), "utf-8")
    os.replace(new, path)


class _Rows:
    """An .npy file (n, *shape) that grows by rows; when the block is left, its header is told their number.

    NumPy leaves room for that in the header of each such file (`numpy.lib.format`).
    """

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...], n: int) -> None:
        self._dtype, self._shape, self._n = np.dtype(dtype), shape, n
        self._file = open(path, "r+b" if n else "w+b")  # noqa: SIM115, since it is closed when the block is left
        self._write_header()
        end = self._file.tell() + n * self._row_bytes()
        if n and path.stat().st_size < end:
            raise DataError(f"{path} is damaged: {REBUILD}.")
        self._file.truncate(end)
        self._file.seek(end)

    def append(self, rows: ArrayLike) -> None:
        """Write one row, or rows (n, *shape)."""
        rows = np.asarray(rows, self._dtype).reshape(-1, *self._shape)
        self._file.write(rows.tobytes())
        self._n += len(rows)

    def flush(self) -> None:
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write_header()
        self._file.close()

    def _row_bytes(self) -> int:
        return int(np.prod(self._shape, dtype=int)) * self._dtype.itemsize

    def _write_header(self) -> None:
        self._file.seek(0)
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._n, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


class _Lines:
    """A text file that grows by lines, from the n-th on."""

    def __init__(self, path: Path, n: int) -> None:
        self._file = open(path, "r+b" if n else "w+b")  # noqa: SIM115, as above
        for _ in range(n):
            self._file.readline()
        self._file.truncate(self._file.tell())
        self._file.seek(0, os.SEEK_END)

    def append(self, line: str) -> None:
        self._file.write(line.replace("\n", " ").encode(errors="surrogateescape") + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
