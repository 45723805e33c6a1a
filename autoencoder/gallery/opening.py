"""The engine to search with: of a gallery of one's own, of MNIST, or of the bundled digits."""

import argparse
import os
from pathlib import Path

from autoencoder import artifacts
from autoencoder.data import DataError, load_gallery
from autoencoder.gallery.store import StoredGallery, open_gallery
from autoencoder.query.engine import Engine
from autoencoder.query.search import Searcher, exact_search
from autoencoder.spaces import Latent


def add_gallery_options(parser: argparse.ArgumentParser) -> None:
    """Let a command line name a gallery and a Milvus server, as --gallery and --milvus.

    Where an option is not given, the environment's GALLERY or MILVUS is taken, and None where that is not set either.
    """
    # Given in this way, the defaults are not printed by a help that shows defaults: "(default: None)" says nothing.
    parser.set_defaults(gallery=os.environ.get("GALLERY"), milvus=os.environ.get("MILVUS"))
    parser.add_argument(
        "--gallery",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="a gallery of your own (or GALLERY is set to it)",
    )
    parser.add_argument(
        "--milvus",
        metavar="ADDRESS",
        default=argparse.SUPPRESS,
        help="where to search it (or MILVUS is set to it)",
    )


def open_engine(
    directory: Path, *, own: str | Path | None = None, milvus: str | None = None, wait_s: float | None = None
) -> tuple[Engine, str | None]:
    """The engine of one's own gallery or, where none is named, of all of MNIST or the bundled digits.

    Args:
        directory: where the artifacts are kept.
        own: the folder of one's own gallery, or None.
        milvus: the Milvus server or file to search it at, or None.
        wait_s: how long to wait for MNIST, as `load_mnist` has it.

    Returns:
        Engine, and why its gallery is not MNIST's where it should be (None if all is well).

    Raises:
        ArtifactError, DataError, SearchError: as `Engine.load` and `open_own` do.
    """
    if own:
        return open_own(own, directory, milvus=milvus), None
    if milvus:
        raise DataError("Milvus needs a gallery of your own: name its folder with --gallery or GALLERY.")
    gallery, problem = load_gallery(wait_s=wait_s)
    return Engine.load(gallery, directory), problem


def open_own(gallery: str | Path, directory: Path, *, milvus: str | None = None) -> Engine:
    """The engine of one's own gallery, by the encoder of the verified artifacts.

    Args:
        gallery: the folder that the gallery is kept in.
        directory: that of the artifacts.
        milvus: the Milvus server or file to search at; None searches exactly, here.

    Raises:
        ArtifactError, DataError: an artifact or the gallery is missing or damaged, or they do not belong together.
        SearchError: Milvus cannot be reached, or does not have the gallery.
    """
    manifest = artifacts.verify(directory, required=artifacts.NETWORKS)
    own = open_gallery(gallery, manifest["files"][artifacts.NETWORKS[0]])
    return Engine(own.digits, _searcher_of(own, milvus), own.typical, Latent.load(directory))


def _searcher_of(own: StoredGallery, server: str | None) -> Searcher:
    """The search by Milvus where a server is named, else the exact one."""
    if not server:
        return exact_search(own.latents)
    from autoencoder.gallery.milvus import MilvusNearestNeighbors  # here, since it is not installed everywhere

    return MilvusNearestNeighbors(server, own.latents, own.collection)
