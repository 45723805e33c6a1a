"""The engine to search with: of a gallery of one's own, of MNIST, or of the bundled digits."""

from autoencoder import artifacts
from autoencoder.data import DataError, load_gallery
from autoencoder.gallery.store import open_gallery
from autoencoder.query.engine import Engine
from autoencoder.query.search import exact_search
from autoencoder.spaces import Latent


def open_engine(directory, *, own=None, milvus=None, wait_s=None):
    """The engine of one's own gallery or, where none is named, of all of MNIST or the bundled digits.

    Args:
        directory: where the artifacts are kept.
        own: the folder of one's own gallery, or None.
        milvus: the address to search it at, or None.
        wait_s: how long to wait for MNIST, as `load_mnist` has it.

    Returns:
        Engine, and why its gallery is not MNIST's where it should be (None if all is well).

    Raises:
        ArtifactError, DataError, SearchError: as `Engine.load` and `open_own` do.
    """
    if own:
        return open_own(own, directory, milvus=milvus), None
    if milvus:
        raise DataError("an address of Milvus needs a gallery of your own: name its folder, as --gallery or GALLERY.")
    gallery, problem = load_gallery(wait_s=wait_s)
    return Engine.load(gallery, directory), problem


def open_own(gallery, directory, *, milvus=None):
    """The engine of one's own gallery, by the encoder of the verified artifacts.

    Args:
        gallery: the folder that the gallery is kept in.
        directory: that of the artifacts.
        milvus: the address to search at; None searches exactly, here.

    Raises:
        ArtifactError, DataError: an artifact or the gallery is missing or damaged, or they do not belong together.
        SearchError: Milvus cannot be reached, or does not have the gallery.
    """
    manifest = artifacts.verify(directory, required=artifacts.NETWORKS)
    own = open_gallery(gallery, manifest["files"][artifacts.NETWORKS[0]])
    if milvus:
        from autoencoder.gallery.milvus import MilvusNearestNeighbors  # here, for it is not installed everywhere

        nearest = MilvusNearestNeighbors(milvus, own.latents, own.collection)
    else:
        nearest = exact_search(own.latents)
    return Engine(own.digits, nearest, own.typical, Latent.load(directory))
