"""The whole way of a query behind one call: digit, latent, reconstruction, neighbours."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from autoencoder import artifacts
from autoencoder.data import DataError, load_gallery
from autoencoder.gallery import exact_search, open_gallery
from autoencoder.model import NETWORKS, load_latent_space
from autoencoder.search import NearestNeighbors
from autoencoder.spaces import Latent

UNLIKE_QUANTILE = 0.99  # of the gallery's own digits: a query beyond it is unlike any


@dataclass(frozen=True)
class Neighbor:
    """A digit of the gallery: its place in it, its label if it has one, and its distance from the query in the latent
    space."""

    index: int
    label: int | None
    distance: float


@dataclass(frozen=True)
class SearchResult:
    """What one query gives; the arrays are read-only.

    `query` float32 (28, 28), `latent` float32 (32,), `reconstruction` float32 (28, 28) in [0, 1], `neighbors` nearest
    first. `reconstruction_mse` is the mean squared error a pixel, and `error_rank` the share of the gallery's own
    digits, in [0, 1], that are reconstructed better. `unlike` is true where both this error and the distance to the
    nearest neighbor are larger than for 99 % of the gallery's own digits.
    """

    query: np.ndarray
    latent: np.ndarray
    reconstruction: np.ndarray
    neighbors: tuple[Neighbor, ...]
    reconstruction_mse: float
    error_rank: float
    unlike: bool


class Engine:
    """Answers queries about one gallery; holds no state but what it was made of, so any thread may use it.

    Args:
        gallery: Digits to search in.
        nearest: the NearestNeighbors, of whichever kind, of their latents float32 (n, 32), in order.
        distances, errors: float32, of its digits, or of some, the distance to the nearest other and the MSE a pixel of
            the reconstruction: what is typical.
        encoder, decoder: Keras models, (n, 28, 28) to (n, 32) and back.

    `gallery` and `nearest` are those, `space` is the latent space.
    """

    def __init__(self, gallery, nearest, distances, errors, encoder, decoder):
        if len(nearest.vectors) != len(gallery):
            raise ValueError(f"expected {len(gallery)} latents, one a digit, received {len(nearest.vectors)}")
        self.gallery = gallery
        self.nearest = nearest
        self.space = Latent(encoder, decoder)
        self._typical_errors = np.sort(errors)
        self._far, self._bad = np.quantile(distances, UNLIKE_QUANTILE), np.quantile(errors, UNLIKE_QUANTILE)

        @tf.function(input_signature=[tf.TensorSpec((1, 28, 28), tf.float32)], jit_compile=False)
        def encode_and_decode(images):
            latent = encoder(images, training=False)
            return latent, decoder(latent, training=False)

        self._encode_and_decode = encode_and_decode.get_concrete_function()
        self.search(gallery.images[0], n_neighbors=1)  # the first call is the slow one: not a visitor's
        self.space.inverse_transform(self.space.transform(gallery.images[:1]))

    @classmethod
    def load(cls, gallery, directory):
        """The engine of the verified artifacts for a gallery.

        Raises:
            ArtifactError: an artifact is missing or damaged, or the latents are not this gallery's.
        """
        paths = artifacts.latents_path, artifacts.typical_path, artifacts.study_path
        manifest = artifacts.verify(
            directory, required=(*NETWORKS, artifacts.PCA, *(path(gallery.name).name for path in paths))
        )
        if manifest["data"].get(gallery.name) != gallery.sha256:
            raise artifacts.ArtifactError(
                f"the latents in {directory} are not of this {gallery.name} gallery: "
                "compute them with `python -m autoencoder encode`."
            )
        latent = load_latent_space(directory)
        latents, typical = (
            artifacts.load_latents(gallery.name, directory),
            artifacts.load_typical(gallery.name, directory),
        )
        return cls(gallery, NearestNeighbors(latents), *typical, latent.encoder, latent.decoder)

    @classmethod
    def open_own(cls, gallery, directory, *, milvus=None):
        """The engine of one's own gallery, by the encoder of the verified artifacts.

        Args:
            gallery: the folder that the gallery is kept in.
            directory: that of the artifacts.
            milvus: the address to search at; None searches exactly, here.

        Raises:
            ArtifactError, DataError: an artifact or the gallery is missing or damaged, or they do not belong together.
            SearchError: Milvus cannot be reached, or does not have the gallery.
        """
        manifest = artifacts.verify(directory, required=NETWORKS)
        own = open_gallery(gallery, manifest["files"][NETWORKS[0]])
        if milvus:
            from autoencoder.milvus import MilvusNearestNeighbors  # here, for it is not installed everywhere

            nearest = MilvusNearestNeighbors(milvus, own.latents, own.collection)
        else:
            nearest = exact_search(own.latents)
        latent = load_latent_space(directory)
        return cls(own.digits, nearest, own.distances, own.errors, latent.encoder, latent.decoder)

    def search(self, digit, n_neighbors=4, exclude=None):
        """The latent, the reconstruction and the nearest digits of the gallery.

        Args:
            digit: float32 (28, 28) in [0, 1], ink bright, as `preprocess` makes it.
            n_neighbors: how many, from 1 to the gallery's size (less one with `exclude`).
            exclude: the gallery index of the query, where it comes from there, to leave it out of its own answer.

        Returns:
            SearchResult.

        Raises:
            ValueError: `digit` is of another shape or range, or the gallery has fewer digits.
        """
        digit = np.array(digit, np.float32)
        if digit.shape != (28, 28):
            raise ValueError(f"expected a digit (28, 28), received {digit.shape}")
        if not ((digit >= 0) & (digit <= 1)).all():
            raise ValueError(f"expected a digit in [0, 1], received [{digit.min():g}, {digit.max():g}]")
        latent, reconstruction = (tensor.numpy() for tensor in self._encode_and_decode(tf.constant(digit[None])))
        distances, indices = self.nearest.kneighbors(
            latent, n_neighbors, exclude=None if exclude is None else np.array([exclude])
        )
        neighbors = tuple(
            Neighbor(int(index), self.gallery.label(index), float(distance))
            for index, distance in zip(indices[0], distances[0], strict=True)
        )
        for array in (digit, latent, reconstruction):
            array.setflags(write=False)
        error = float(np.square(reconstruction[0] - digit).mean())
        return SearchResult(
            digit,
            latent[0],
            reconstruction[0],
            neighbors,
            reconstruction_mse=error,
            error_rank=float(np.searchsorted(self._typical_errors, error) / len(self._typical_errors)),
            unlike=bool(error > self._bad and distances[0, 0] > self._far),
        )


def open_engine(directory, *, own=None, milvus=None, wait_s=None):
    """The engine of one's own gallery or, where none is named, of MNIST's test digits or the bundled ones.

    Args:
        directory: where the artifacts are kept.
        own: the folder of one's own gallery, or None.
        milvus: the address to search it at, or None.
        wait_s: how long to wait for MNIST, as `load_mnist` has it.

    Returns:
        Engine, and why its gallery is not MNIST's where it should be (None if all is well).

    Raises:
        ArtifactError, DataError, SearchError: as `Engine.load` and `Engine.open_own` do.
    """
    if own:
        return Engine.open_own(own, directory, milvus=milvus), None
    if milvus:
        raise DataError("an address of Milvus needs a gallery of your own: name its folder, as --gallery or GALLERY.")
    gallery, problem = load_gallery(wait_s=wait_s)
    return Engine.load(gallery, directory), problem
