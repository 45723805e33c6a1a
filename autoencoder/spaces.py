"""Three spaces to search in: images to vectors in which Euclidean distance is to mean "looks like"."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from autoencoder import artifacts
from autoencoder.data import Rows

if TYPE_CHECKING:  # pixels and PCA do without
    import keras
    import tensorflow as tf

BATCH = 1000
LATENT_DIM = 32


class Space(Protocol):
    """Turns images (n, 28, 28) into vectors (n, dim); `name` tells it from the others."""

    @property
    def name(self) -> str: ...

    def transform(self, images: NDArray[np.float32]) -> NDArray[np.float32]: ...


class Pixels:
    """The raw pixels: 784 numbers."""

    name = "pixels"

    def transform(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Images (n, 28, 28) as vectors (n, 784)."""
        return images.reshape(len(images), -1)


@dataclass(frozen=True)
class PCA:
    """The 32 principal components of MNIST's training images: the best linear autoencoder.

    `mean` (784,), `components` (32, 784), orthonormal rows.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    name = "pca"

    @classmethod
    def fit(cls, images: NDArray[np.float32], *, n_components: int = LATENT_DIM, seed: int) -> Self:
        """The principal components of images (n, 28, 28)."""
        from sklearn import decomposition

        fitted = decomposition.PCA(n_components, random_state=seed).fit(images.reshape(len(images), -1))
        return cls(fitted.mean_, fitted.components_)

    @classmethod
    def load(cls, directory: Path = artifacts.DIRECTORY) -> Self:
        """The components that the build has kept."""
        with np.load(directory / artifacts.PCA, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["components"])

    def save(self, directory: Path) -> None:
        np.savez(directory / artifacts.PCA, mean=self.mean, components=self.components)

    def transform(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Images (n, 28, 28) as vectors (n, 32)."""
        centered: NDArray[np.float32] = images.reshape(len(images), -1) - self.mean  # (n, 784)
        return centered @ self.components.T

    def inverse_transform(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The images (n, 28, 28) that vectors (n, 32) stand for; may leave [0, 1] a little."""
        pixels = vectors @ self.components + self.mean  # (n, 784)
        return pixels.reshape(-1, 28, 28)


@dataclass(frozen=True)
class Latent:
    """An autoencoder's 32 numbers, by its Keras `encoder` and `decoder`; without a decoder it can only `transform`."""

    encoder: "keras.Model"
    decoder: "keras.Model | None"
    name: str = "latent"

    @classmethod
    def load(cls, directory: Path = artifacts.DIRECTORY) -> Self:
        """The networks that the build has kept; call `artifacts.verify` first."""
        import keras

        encoder, decoder = (keras.saving.load_model(directory / network) for network in artifacts.NETWORKS)
        return cls(encoder, decoder)

    def transform(self, images: Rows) -> NDArray[np.float32]:
        """Images (n, 28, 28) as latents (n, 32)."""
        return _in_batches(self._encode, images)

    def inverse_transform(self, latents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Reconstructions (n, 28, 28) in [0, 1] from latents (n, 32)."""
        return _in_batches(self._decode, latents)

    def encode_and_decode(self, digit: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The latent (32,) of a digit (28, 28) and its reconstruction (28, 28), at once."""
        latents, reconstructions = self._encode_and_decode(digit[None])  # (1, 32), (1, 28, 28)
        return latents.numpy()[0], reconstructions.numpy()[0]

    @cached_property
    def _encode(self) -> "Callable[[tf.Tensor], tf.Tensor]":
        return _graph(self._apply_encoder, (None, 28, 28))

    @cached_property
    def _decode(self) -> "Callable[[tf.Tensor], tf.Tensor]":
        return _graph(self._apply_decoder, (None, LATENT_DIM))

    @cached_property
    def _encode_and_decode(self) -> "Callable[[NDArray[np.float32]], tuple[tf.Tensor, tf.Tensor]]":
        def encode_and_decode(images: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
            latents = self._apply_encoder(images)  # (1, 32)
            return latents, self._apply_decoder(latents)

        return _graph(encode_and_decode, (1, 28, 28))

    def _apply_encoder(self, images: "tf.Tensor") -> "tf.Tensor":
        return self.encoder(images, training=False)

    def _apply_decoder(self, latents: "tf.Tensor") -> "tf.Tensor":
        if self.decoder is None:
            raise ValueError("expected a decoder, this latent space has only an encoder")
        return self.decoder(latents, training=False)


def _graph(function: Callable[..., Any], shape: tuple[int | None, ...]) -> Callable[..., Any]:
    """A function of a float32 tensor of a shape as one graph: faster than layer by layer, and than Keras' `predict`."""
    import tensorflow as tf

    signature = [tf.TensorSpec(shape, tf.float32)]
    return tf.function(function, input_signature=signature, jit_compile=False).get_concrete_function()


def _in_batches(graph: "Callable[[tf.Tensor], tf.Tensor]", inputs: Rows) -> NDArray[np.float32]:
    import tensorflow as tf

    starts = range(0, len(inputs), BATCH)
    return np.concatenate([graph(tf.constant(inputs[i : i + BATCH], tf.float32)).numpy() for i in starts])
