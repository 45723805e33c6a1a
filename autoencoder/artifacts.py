"""What the build leaves behind: written atomically, verified when loaded."""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIRECTORY = Path(__file__).resolve().parent.parent / "artifacts"
MANIFEST = "manifest.json"
METRICS = "metrics.json"
READY = ".ready"  # holds a whole build while its files take their places
NETWORKS = "encoder.keras", "decoder.keras"
PCA = "pca.npz"
HISTORY = "history.npz"
UNREADABLE = "{} cannot be read: give this user the right to read it."
REPAIR = "restore it with `git checkout artifacts`, or rebuild it with `python -m autoencoder train`"


class ArtifactError(Exception):
    """An artifact is missing, damaged or foreign; the message names it and the command that repairs it."""


def verify(directory: Path = DIRECTORY, *, required: Iterable[str] = (), repair: str = REPAIR) -> dict[str, Any]:
    """The manifest, once every file that it lists has been found to be the one that was written.

    This may change the folder: if a build was killed while its files took their places, they first take them now.

    Args:
        directory: where the artifacts are kept.
        required: names of files that the manifest must list.
        repair: what an error tells the reader to do.

    Returns:
        `files` (name -> SHA-256 in hex), `versions`, `seed`, `data` (gallery -> SHA-256).

    Raises:
        ArtifactError: the manifest or a listed file is missing, damaged or another.
    """
    try:
        _put_in_place(directory)
    except OSError as error:
        ready = directory / READY
        raise ArtifactError(f"{ready} cannot take its place ({error}): delete it, and {repair}.") from None
    manifest = _read_manifest(directory / MANIFEST, required, repair)
    for name, sha256 in manifest["files"].items():
        _verify_file(directory / name, sha256, _repair_of(name, repair))
    return manifest


def latents_path(gallery_name: str, directory: Path = DIRECTORY) -> Path:
    """Where the latents of a gallery are kept."""
    return directory / f"{gallery_name}_latents.npy"


def load_latents(gallery_name: str, directory: Path = DIRECTORY) -> NDArray[np.float32]:
    """A gallery's latents (n, latent_dim), read-only; call `verify` first."""
    latents = np.load(latents_path(gallery_name, directory), allow_pickle=False).astype(np.float32)
    latents.setflags(write=False)
    return latents


def save_latents(latents: NDArray[np.float32], gallery_name: str, folder: Path) -> None:
    """Write a gallery's latents (n, latent_dim) as float16: half the size, and mostly the same neighbors."""
    np.save(latents_path(gallery_name, folder), latents.astype(np.float16))


def typical_path(gallery_name: str, directory: Path = DIRECTORY, *, unseen: bool = False) -> Path:
    """Where the `Typical` of a gallery is kept, or of the part of it that the network has not seen."""
    return directory / f"{gallery_name}{'_unseen' if unseen else ''}_typical.npz"


def study_path(gallery_name: str, directory: Path = DIRECTORY) -> Path:
    """Where the `Study` of a gallery is kept."""
    return directory / f"{gallery_name}_study.npz"


def load_metrics(directory: Path = DIRECTORY) -> dict[str, Any]:
    """What the build has measured; empty where there is nothing yet, or nothing that can be read."""
    return _read_json(directory / METRICS)


def save_metrics(measured: Mapping[str, dict[str, Any]], directory: Path, folder: Path) -> None:
    """Write new figures and the ones that `directory` has already into a folder that `replacing` has given.

    Args:
        measured: {what: {…}}; of each `what` the keys that are given are replaced and the others stay.
    """
    metrics = load_metrics(directory)
    metrics |= {what: metrics.get(what, {}) | figures for what, figures in measured.items()}
    (folder / METRICS).write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")


@contextmanager
def replacing(directory: Path = DIRECTORY, **about: Any) -> Iterator[Path]:
    """A folder to write new artifacts into; they take their places when the block has ended well.

    The manifest lists them beside those that stay. If the block raises, or the process is killed at any moment, the
    artifacts are either all the old ones or all the new ones: one renaming puts the whole build aside, and from there
    each file takes its place, now or when the artifacts are next verified.

    Args:
        directory: where the artifacts are kept; made if need be.
        about: what else the manifest is to say (`seed`, `data`); keys not given keep what they said.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _put_in_place(directory)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=directory))
    try:
        yield staging
        written = {path.name: sha256_of(path) for path in sorted(staging.iterdir())}
        manifest = {"data": {}} | _read_json(directory / MANIFEST) | about
        kept = {name: sha256 for name, sha256 in manifest.get("files", {}).items() if (directory / name).is_file()}
        write_manifest(staging, manifest | {"files": kept | written})
        _put_in_place(directory)  # another build may have ended meanwhile
        os.replace(staging, directory / READY)
        _put_in_place(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest with at least `files` and `data`, add the versions and seal it; whole or not at all."""
    complete = {**manifest, "files": dict(sorted(manifest["files"].items())), "versions": _versions()}
    complete.pop("sha256", None)
    complete["sha256"] = _seal(complete)
    new = folder / f"{MANIFEST}.new"
    new.write_text(json.dumps(complete, indent=2) + "\n", "utf-8")
    os.replace(new, folder / MANIFEST)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path, required: Iterable[str], repair: str) -> dict[str, Any]:
    """The manifest without its seal; raises ArtifactError unless it is as it was written and lists what is required."""
    try:
        manifest = dict(json.loads(path.read_bytes()))
        seal, listed = manifest.pop("sha256"), set(dict(manifest["files"]))
        elsewhere = [name for name in listed if Path(name).name != name]
        if seal != _seal(manifest) or set(required) - listed or elsewhere:
            raise ValueError
        dict(manifest["data"])
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing: {repair}.") from None
    except PermissionError:
        raise ArtifactError(UNREADABLE.format(path)) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ArtifactError(f"{path} is damaged: {repair}.") from None
    return manifest


def _verify_file(path: Path, sha256: str, repair: str) -> None:
    try:
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: {repair}.")
        is_whole = sha256_of(path) == sha256
    except PermissionError:
        raise ArtifactError(UNREADABLE.format(path)) from None
    if not is_whole:
        raise ArtifactError(f"{path} is damaged, or of another run than {MANIFEST}: {repair}.")


def _repair_of(name: str, repair: str) -> str:
    """What repairs a file: the history is made by a verb of its own."""
    return repair.replace("autoencoder train", "autoencoder history") if name == HISTORY else repair


def _put_in_place(directory: Path) -> None:
    """Move what is ready to its place, the manifest last."""
    ready = directory / READY
    if not os.path.isdir(ready):  # Path.is_dir would raise where it may not look
        return
    for path in sorted(ready.iterdir(), key=lambda path: path.name == MANIFEST):
        with suppress(FileNotFoundError):  # another process does the same
            os.replace(path, directory / path.name)
    with suppress(FileNotFoundError):
        ready.rmdir()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def _versions() -> dict[str, str]:
    installed = packages_distributions()  # TensorFlow comes under more than one name
    packages = ("tensorflow", "keras", "numpy", "sklearn", "PIL")
    return {"python": platform.python_version()} | {package: version(installed[package][0]) for package in packages}


def _seal(manifest: dict[str, Any]) -> str:
    """The SHA-256 of what a manifest says: it shows when the manifest itself is damaged."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
