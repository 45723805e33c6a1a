"""Three spaces to search in: images to vectors in which Euclidean distance is to mean "looks like"."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autoencoder import artifacts

BATCH = 1000
LATENT_DIM = 32


class Space(Protocol):
    """Turns images float32 (n, 28, 28) into vectors float32 (n, dim); `name` tells it from the others."""

    @property
    def name(self) -> str: ...

    def transform(self, images: NDArray[np.float32]) -> NDArray[np.float32]: ...


class Pixels:
    """The raw pixels: 784 numbers."""

    name = "pixels"

    def transform(self, images):
        """Images float32 (n, 28, 28) as vectors float32 (n, 784)."""
        return images.reshape(len(images), -1)


@dataclass(frozen=True)
class PCA:
    """The 32 principal components of MNIST's training images: the best linear autoencoder.

    `mean` float32 (784,), `components` float32 (32, 784), orthonormal rows.
    """

    mean: np.ndarray
    components: np.ndarray
    name = "pca"

    @classmethod
    def fit(cls, images, *, n_components=LATENT_DIM, seed):
        """The principal components of images float32 (n, 28, 28)."""
        from sklearn import decomposition

        fitted = decomposition.PCA(n_components, random_state=seed).fit(images.reshape(len(images), -1))
        return cls(fitted.mean_, fitted.components_)

    @classmethod
    def load(cls, directory=artifacts.DIRECTORY):
        """The components that the build has kept."""
        with np.load(directory / artifacts.PCA, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["components"])

    def save(self, directory):
        np.savez(directory / artifacts.PCA, mean=self.mean, components=self.components)

    def transform(self, images):
        """Images float32 (n, 28, 28) as vectors float32 (n, 32)."""
        return (images.reshape(len(images), -1) - self.mean) @ self.components.T

    def inverse_transform(self, vectors):
        """The images float32 (n, 28, 28) that vectors float32 (n, 32) stand for; may leave [0, 1] a little."""
        return (vectors @ self.components + self.mean).reshape(-1, 28, 28)


@dataclass(frozen=True)
class Latent:
    """An autoencoder's 32 numbers, by its Keras `encoder` and `decoder`."""

    encoder: object
    decoder: object
    name: str = "latent"

    @classmethod
    def load(cls, directory=artifacts.DIRECTORY):
        """The networks that the build has kept; call `artifacts.verify` first."""
        import keras

        return cls(*(keras.saving.load_model(directory / network) for network in artifacts.NETWORKS))

    def transform(self, images):
        """Images float32 (n, 28, 28) as latents float32 (n, 32)."""
        return _in_batches(self._encode, images)

    def inverse_transform(self, latents):
        """Reconstructions float32 (n, 28, 28) in [0, 1] from latents float32 (n, 32)."""
        return _in_batches(self._decode, latents)

    def encode_and_decode(self, digit):
        """The latent float32 (32,) of a digit float32 (28, 28) and its reconstruction float32 (28, 28), at once."""
        return tuple(tensor.numpy()[0] for tensor in self._encode_and_decode(digit[None]))

    @cached_property
    def _encode_and_decode(self):
        import tensorflow as tf

        @tf.function(input_signature=[tf.TensorSpec((1, 28, 28), tf.float32)], jit_compile=False)
        def encode_and_decode(images):
            latents = self.encoder(images, training=False)
            return latents, self.decoder(latents, training=False)

        return encode_and_decode.get_concrete_function()

    @cached_property
    def _encode(self):
        return _graph(self.encoder, (28, 28))

    @cached_property
    def _decode(self):
        return _graph(self.decoder, (32,))


def _graph(model, shape):
    """A Keras model as one graph for inputs float32 (n, *shape): faster than layer by layer, and than its `predict`."""
    import tensorflow as tf  # here, for pixels and PCA do without

    signature = [tf.TensorSpec((None, *shape), tf.float32)]
    graph = tf.function(lambda inputs: model(inputs, training=False), input_signature=signature, jit_compile=False)
    return graph.get_concrete_function()


def _in_batches(graph, inputs):
    import tensorflow as tf

    starts = range(0, len(inputs), BATCH)
    return np.concatenate([graph(tf.constant(inputs[i : i + BATCH], tf.float32)).numpy() for i in starts])
