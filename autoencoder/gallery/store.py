"""One's own gallery: built from any source of digits, kept in a folder, opened without being read into memory."""

import hashlib
import json
import os
import weakref
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from autoencoder import artifacts
from autoencoder.data import UNLABELLED, DataError, Digits, StoredImages
from autoencoder.ink.preprocess import SIDE_PX, NoDigitError, digit_from_gray
from autoencoder.query.search import exact_search
from autoencoder.query.typical import Traits, Typical
from autoencoder.spaces import LATENT_DIM

try:
    import fcntl
except ImportError:  # none on Windows: it lets nobody overwrite a file that is mapped into memory
    fcntl = None

BATCH = 1000
FEWEST = 5  # digits: one to ask, and four to find
N_TYPICAL = 2000  # digits of the gallery that what is typical of it is taken from
IMAGES, LABELS, LATENTS, TYPICAL = "images.npy", "labels.npy", "latents.npy", "typical.npz"
FILES, SKIPPED, PROGRESS = "files.txt", "skipped.txt", "progress.json"
PROGRESS_OF = "source", "name", "as_is", "encoder"  # what a build must have in common with that which it goes on
TAKEN = "mnist", "digits", "strokes", "png", "drawn"  # names that addresses and figures have for something else
LONGEST_NAME = 40
REBUILD = "build it anew, in another folder, with `python -m autoencoder gallery build`"


@dataclass(frozen=True)
class StoredGallery:
    """A gallery as it is kept: its `digits`, with StoredImages; `latents` float32 (n, 32), mapped into memory; what is
    `typical` of some of its digits; the name of the `collection` that the latents have in Milvus, by which they are
    told from others."""

    digits: Digits
    latents: np.ndarray
    typical: Typical
    collection: str


def build(source, directory, space, encoder_sha256, *, name=None, as_is=False):
    """Prepare the images of a source as MNIST's are, encode them, and keep both in a folder.

    What holds no digit, or cannot be read, is left out and listed in skipped.txt. Memory does not grow with the
    source. Stopped, and called again in the same way, it goes on from the last whole batch.

    Args:
        source: as `open_source` gives it.
        directory: the folder, new or that of the same build.
        space: the Latent space to encode by.
        encoder_sha256: of the file that its encoder comes from, by which latents of another are told.
        name: a short name for the gallery; None takes the folder's.
        as_is: whether the images are 28 × 28 and prepared as MNIST's already.

    Returns:
        dict: the manifest.

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


def _finished(directory, build_of):
    """The manifest of a build that was done before, None if there is none; raises DataError if it is another's."""
    if not (directory / artifacts.MANIFEST).is_file():
        return None
    manifest = _verify(directory)
    if other := _difference(manifest, build_of):
        raise DataError(f"{directory} holds another gallery, {other}: name another folder.")
    return manifest


def _build(source, directory, space, build_of):
    progress = _progress_of(directory, build_of)
    _encode_all(source, directory, space, progress)
    n = progress["kept"]
    if n < FEWEST:
        with open(directory / SKIPPED, encoding="utf-8", errors="surrogateescape") as skipped:
            first = next(skipped, "").strip().replace("\t", ": ")
        for file in (IMAGES, LABELS, LATENTS, FILES, SKIPPED, PROGRESS):
            (directory / file).unlink()
        left_out = f" Left out: {progress['read'] - n:,}, the first {first}" if first else ""
        raise DataError(f"the source holds {n} digits, at least {FEWEST} are needed.{left_out}")
    digits, latents = _open_arrays(directory, build_of["name"], "")
    _typical_of(digits, latents, space).save(directory / TYPICAL)
    files = [IMAGES, LABELS, LATENTS, TYPICAL, FILES, SKIPPED]
    manifest = build_of | {
        "n": n,
        "skipped": progress["read"] - n,
        "data": {},
        "files": {file: artifacts.sha256_of(directory / file) for file in files},
    }
    artifacts.write_manifest(directory, manifest)
    (directory / PROGRESS).unlink()
    return manifest


def open_gallery(directory, encoder_sha256):
    """The StoredGallery in a folder, verified.

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


def describe(directory):
    """What there is to be known of a gallery, finished or not: a dict of names and what to print for them.

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
    counts = np.bincount(labels, minlength=UNLABELLED + 1)
    shown = {digit: int(count) for digit, count in enumerate(counts) if count and digit != UNLABELLED}
    return {
        "gallery": f"{manifest['name']}, in {directory}",
        "source": manifest["source"],
        "digits": f"{manifest['n']:,}",
        "skipped": f"{manifest['skipped']:,}" + f" (see {directory / SKIPPED})" * bool(manifest["skipped"]),
        "labels": ", ".join(f"{digit}: {count:,}" for digit, count in shown.items()) or "none",
        "unlabelled": f"{counts[UNLABELLED]:,}",
        "size": f"{sum(path.stat().st_size for path in directory.iterdir()) / 1e6:,.1f} MB",
        "encoder": manifest["encoder"],
    }


def names_of(directory, indices):
    """Where the digits of some indices come from, in the words of their source: {index: name}.

    Raises:
        DataError: the gallery has no such index.
    """
    wanted = set(indices)
    with open(Path(directory) / FILES, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        names = {index: line.rstrip("\n") for index, line in enumerate(lines) if index in wanted}
    if missing := wanted - set(names):
        raise DataError(f"{directory} has no digit {min(missing)}.")
    return names


def _encode_all(source, directory, space, progress):
    """Read what is left of the source, a batch at a time; `progress` is updated, in memory and in the folder."""
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
                    labels.append(np.uint8(item.label))
            if not n_read:
                raise DataError("the source has become shorter while it was read.")
            if digits:
                images.append(np.round(np.stack(digits) * 255).astype(np.uint8))
                latents.append(space.transform(np.stack(digits)))
            for file in (images, labels, latents, files, skipped):
                file.flush()
            progress["read"] += n_read
            progress["kept"] += len(digits)
            _write(directory / PROGRESS, progress)
            bar.update(n_read)


def _prepared(item, *, as_is):
    if item.gray is None:
        raise NoDigitError(item.problem)
    if not as_is:
        return digit_from_gray(item.gray)
    if item.gray.shape != (SIDE_PX, SIDE_PX):
        raise NoDigitError(f"It is {item.gray.shape}, not (28, 28), so it is not prepared already.")
    return item.gray


def _typical_of(digits, latents, space):
    """The Typical of some of the digits, evenly spread."""
    some = np.linspace(0, len(digits) - 1, min(N_TYPICAL, len(digits))).astype(int)
    return Typical.of(Traits.searched(digits.images[some], space, digits, exact_search(latents), exclude=some))


def _open_arrays(directory, name, sha256):
    images, labels, latents = (
        np.load(directory / file, mmap_mode="r", allow_pickle=False) for file in (IMAGES, LABELS, LATENTS)
    )
    return Digits(_short(name), StoredImages(images), labels, sha256, f"the {len(labels):,} digits of {name}"), latents


@contextmanager
def _writing_alone(directory):
    """Hold a folder while it is written to; raises DataError where another build or a search holds it."""
    held = _hold(directory, shared=False)
    try:
        yield
    finally:
        if held is not None:
            os.close(held)


def _hold(directory, *, shared):
    """A folder's descriptor that is locked until it is closed or the process ends; None where there are no such locks.

    Many may hold it shared, to read, or one to write.

    Raises:
        DataError: another process holds it.
    """
    if not fcntl:
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


def _short(name):
    """A name as addresses can bear it: at most 40 small letters, digits and underscores."""
    plain = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name.lower())
    if any(letter not in "_" for letter in plain):
        return plain[:LONGEST_NAME]
    return f"gallery_{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:8]}"


def _verify(directory):
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


def _progress_of(directory, build_of):
    """How far the build in a folder has come, from the start where there is none."""
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
            f"{directory} holds another unfinished build, {other}: "
            "name another folder, or delete this one if it holds nothing else."
        )
    return progress


def _difference(found, build_of):
    """In words, what of `build_of` is another in what was found; None where nothing is."""
    for key in PROGRESS_OF:
        if found.get(key) != build_of[key]:
            return f"of {key.replace('_', '-')} {found.get(key)}, not {build_of[key]}"
    return None


def _read_progress(directory):
    path = directory / PROGRESS
    try:
        progress = json.loads(path.read_bytes())
        if not progress["read"] >= progress["kept"] >= 0 or set(PROGRESS_OF) - set(progress):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{path} is damaged: {REBUILD}.") from None
    return progress


def _write(path, progress):
    """Write JSON, whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(progress), "utf-8")
    os.replace(new, path)


class _Rows:
    """An .npy file that grows by rows float or int (n, *shape); leaving the block tells it their number.

    NumPy leaves room for that in the header of each such file (`numpy.lib.format`).
    """

    def __init__(self, path, dtype, shape, n):
        self._dtype, self._shape, self._n = np.dtype(dtype), shape, n
        self._file = open(path, "r+b" if n else "w+b")  # noqa: SIM115, for it is closed when the block is left
        self._write_header()
        end = self._file.tell() + n * self._row_bytes()
        if n and path.stat().st_size < end:
            raise DataError(f"{path} is damaged: {REBUILD}.")
        self._file.truncate(end)
        self._file.seek(end)

    def append(self, rows):
        rows = np.asarray(rows, self._dtype).reshape(-1, *self._shape)
        self._file.write(rows.tobytes())
        self._n += len(rows)

    def flush(self):
        self._file.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._write_header()
        self._file.close()

    def _row_bytes(self):
        return int(np.prod(self._shape, dtype=int)) * self._dtype.itemsize

    def _write_header(self):
        self._file.seek(0)
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._n, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


class _Lines:
    """A text file that grows by lines, from the n-th on."""

    def __init__(self, path, n):
        self._file = open(path, "r+b" if n else "w+b")  # noqa: SIM115, as above
        for _ in range(n):
            self._file.readline()
        self._file.truncate(self._file.tell())
        self._file.seek(0, os.SEEK_END)

    def append(self, line):
        self._file.write(line.replace("\n", " ").encode(errors="surrogateescape") + b"\n")

    def flush(self):
        self._file.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
