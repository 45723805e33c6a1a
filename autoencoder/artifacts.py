"""What the build leaves behind: written atomically, verified when loaded."""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager, suppress
from importlib.metadata import packages_distributions, version
from pathlib import Path

import numpy as np

DIRECTORY = Path(__file__).resolve().parent.parent / "artifacts"
MANIFEST = "manifest.json"
METRICS = "metrics.json"
READY = ".ready"  # holds a build that is whole while its files take their places
NETWORKS = "encoder.keras", "decoder.keras"
PCA = "pca.npz"
UNREADABLE = "{} cannot be read: give this user the right to."
REPAIR = "restore it with `git checkout artifacts`, or rebuild it with `python -m autoencoder train`"


class ArtifactError(Exception):
    """An artifact is missing, damaged or foreign; the message names it and the command that repairs it."""


def verify(directory=DIRECTORY, *, required=(), repair=REPAIR):
    """The manifest, once every file that it lists has been found to be the one that was written.

    This may change the folder: a build that was cut short while its files took their places is put there first.

    Args:
        directory: where the artifacts are kept.
        required: names of files that it must list.
        repair: what an error says is to be done.

    Returns:
        dict: `files` (name -> SHA-256 in hex), `versions`, `seed`, `data` (gallery -> SHA-256).

    Raises:
        ArtifactError: the manifest or a listed file is missing, damaged or another.
    """
    path = Path(directory) / MANIFEST
    try:
        _put_in_place(path.parent)
    except OSError as error:
        ready = path.parent / READY
        raise ArtifactError(f"{ready} cannot take its place ({error}): delete it, and {repair}.") from None
    try:
        manifest = dict(json.loads(path.read_bytes()))
        seal, expected = manifest.pop("sha256"), dict(manifest["files"])
        elsewhere = [name for name in expected if Path(name).name != name]
        if seal != _seal(manifest) or set(required) - set(expected) or elsewhere:
            raise ValueError
        dict(manifest["data"])
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing: {repair}.") from None
    except PermissionError:
        raise ArtifactError(UNREADABLE.format(path)) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ArtifactError(f"{path} is damaged: {repair}.") from None
    for name, sha256 in expected.items():
        artifact = path.with_name(name)
        try:
            if not artifact.is_file():
                raise ArtifactError(f"{artifact} is missing: {repair}.")
            is_whole = sha256_of(artifact) == sha256
        except PermissionError:
            raise ArtifactError(UNREADABLE.format(artifact)) from None
        if not is_whole:
            raise ArtifactError(f"{artifact} is damaged, or of another run than {MANIFEST}: {repair}.")
    return manifest


def latents_path(gallery_name, directory=DIRECTORY):
    """Where the latents of a gallery are kept."""
    return Path(directory) / f"{gallery_name}_latents.npy"


def load_latents(gallery_name, directory=DIRECTORY):
    """A gallery's latents, float32 (n, latent_dim), read-only; call `verify` first."""
    latents = np.load(latents_path(gallery_name, directory), allow_pickle=False).astype(np.float32)
    latents.setflags(write=False)
    return latents


def save_latents(latents, gallery_name, folder):
    """Write a gallery's latents, float32 (n, latent_dim), as float16: half the size, and mostly the same neighbors."""
    np.save(latents_path(gallery_name, folder), latents.astype(np.float16))


def typical_path(gallery_name, directory=DIRECTORY, *, unseen=False):
    """Where what is `Typical` of a gallery is kept, or of the part of it that the network has not seen."""
    return Path(directory) / f"{gallery_name}{'_unseen' if unseen else ''}_typical.npz"


def study_path(gallery_name, directory=DIRECTORY):
    """Where the `Study` of a gallery is kept."""
    return Path(directory) / f"{gallery_name}_study.npz"


def load_metrics(directory=DIRECTORY):
    """What the build has measured, as a dict; empty where there is nothing yet, or nothing that can be read."""
    return _read_json(Path(directory) / METRICS)


def save_metrics(measured, directory, folder):
    """Write what was measured into a folder that `replacing` has given, over the metrics that `directory` has.

    Args:
        measured: {what: {…}}; of each `what` the keys that are given are replaced and the others stay.
    """
    metrics = load_metrics(directory)
    metrics |= {what: metrics.get(what, {}) | figures for what, figures in measured.items()}
    (folder / METRICS).write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")


@contextmanager
def replacing(directory=DIRECTORY, **about):
    """A folder to write new artifacts into, which take their place when the block has ended well.

    The manifest lists them beside those that stay. Where the block raises, or the process is killed at any moment, the
    artifacts are either all as they were or all as they are to be: what is whole is put aside by one renaming, and from
    there each file takes its place, now or when the artifacts are next verified.

    Args:
        directory: where the artifacts are kept; made if need be.
        about: what else the manifest is to say (`seed`, `data`); keys not given keep what they said.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    _put_in_place(directory)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=directory))
    try:
        yield staging
        written = {path.name: sha256_of(path) for path in sorted(staging.iterdir())}
        manifest = {"data": {}} | _read_json(directory / MANIFEST) | about
        kept = {name: sha256 for name, sha256 in manifest.get("files", {}).items() if (directory / name).is_file()}
        write_manifest(staging, manifest | {"files": kept | written})
        _put_in_place(directory)  # of another build, that has ended meanwhile
        os.replace(staging, directory / READY)
        _put_in_place(directory)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_manifest(folder, manifest):
    """Write a manifest, a dict with at least `files` and `data`, sealed and with the versions, whole or not at all."""
    manifest = manifest | {"files": dict(sorted(manifest["files"].items())), "versions": _versions()}
    manifest.pop("sha256", None)
    manifest["sha256"] = _seal(manifest)
    new = folder / f"{MANIFEST}.new"
    new.write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    os.replace(new, folder / MANIFEST)


def sha256_of(path):
    """The SHA-256 of a file's bytes, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put_in_place(directory):
    """Move what is ready to its place, the manifest last."""
    ready = directory / READY
    if not os.path.isdir(ready):  # Path.is_dir would raise where it may not look
        return
    for path in sorted(ready.iterdir(), key=lambda path: path.name == MANIFEST):
        with suppress(FileNotFoundError):  # another process does the same
            os.replace(path, directory / path.name)
    with suppress(FileNotFoundError):
        ready.rmdir()


def _read_json(path):
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def _versions():
    installed = packages_distributions()  # TensorFlow comes under more than one name
    packages = ("tensorflow", "keras", "numpy", "sklearn", "PIL")
    return {"python": platform.python_version()} | {package: version(installed[package][0]) for package in packages}


def _seal(manifest):
    """The SHA-256 of what a manifest says, by which damage of its own is found."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
