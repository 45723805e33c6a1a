"""The encoder, the decoder, and what they are trained for."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from autoencoder.build.warp import DEFAULT_STRENGTH, WarpStrength, add_noise, random_warp
from autoencoder.spaces import LATENT_DIM

CONTENT_DIM = 24  # the first 24 of the 32 numbers say what the digit is, the last 8 how it stands
AGREEMENT_WEIGHT = 0.03
MOST_NOISE = 0.4  # the standard deviation of the strongest noise in training
LOOK_WEIGHT = 1.0  # how much a difference that can be seen counts, beside one in the whitened latents
UNCHANGED = 0.5  # the share of inputs that are the image itself; the others are a warp of it


def build_encoder(width: int = 32) -> keras.Model:
    """Images float32 (n, 28, 28) in [0, 1] to latents float32 (n, 32), unbounded. The shapes are those of width 32."""
    images = keras.Input((28, 28), name="images")
    x = layers.Reshape((28, 28, 1))(images)  # (n, 28, 28, 1)
    x = _convolved(x, width, strides=2)  # (n, 14, 14, 32)
    x = _convolved(x, 2 * width, strides=2)  # (n, 7, 7, 64)
    x = _convolved(x, 2 * width)  # (n, 7, 7, 64)
    x = _convolved(x, 4 * width, strides=2)  # (n, 4, 4, 128)
    x = layers.Flatten()(x)  # (n, 2048)
    latents = layers.Dense(LATENT_DIM, name="latents")(x)  # (n, 32)
    return keras.Model(images, latents, name="encoder")


def build_decoder(width: int = 48) -> keras.Model:
    """Latents float32 (n, 32) to images float32 (n, 28, 28) in [0, 1]. The shapes are those of width 48."""
    latents = keras.Input((LATENT_DIM,), name="latents")
    x = _normalized(layers.Dense(7 * 7 * 2 * width, use_bias=False)(latents))  # (n, 4704)
    x = layers.Reshape((7, 7, 2 * width))(x)  # (n, 7, 7, 96)
    x = _convolved(x, 2 * width)  # (n, 7, 7, 96)
    x = _normalized(layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)(x))  # (n, 14, 14, 48)
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid")(x)  # (n, 28, 28, 1)
    images = layers.Reshape((28, 28))(x)  # (n, 28, 28)
    return keras.Model(latents, images, name="decoder")


def _convolved(x: keras.KerasTensor, filters: int, *, strides: int = 1) -> keras.KerasTensor:
    """(n, h, w, channels) to (n, h / strides, w / strides, filters), rounded up."""
    return _normalized(layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x))


def _normalized(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))


def build_textbook_autoencoder() -> tuple[keras.Model, keras.Model]:
    """The encoder and decoder of the textbooks, for comparison: one dense layer each, 784-32-784."""
    images, latents = keras.Input((28, 28)), keras.Input((LATENT_DIM,))
    code = layers.Dense(LATENT_DIM, activation="relu")(layers.Flatten()(images))  # (n, 32)
    pixels = layers.Dense(784, activation="sigmoid")(latents)  # (n, 784)
    return keras.Model(images, code), keras.Model(latents, layers.Reshape((28, 28))(pixels))


class ContentAndPose(keras.Model):
    """An encoder and a decoder, trained so that images of the same digit get nearby latents.

    Of an image x, x1 is x itself or, half the time at random, a warp of it. x' is x or, once its nearest neighbors are
    known, x or one of them; x2 is a random warp of x'. The encoder sees them with noise on half of them, as ~x1 and
    ~x2. With `content` the first 24 of the latent's 32 numbers:

        loss =        mse(decode(encode(~x1)), x1)           all 32 numbers give back the input, without its noise
             + 0.03 · agreement(content(~x1), content(~x2))  the content tells x's partner from other digits'

    The agreement is the cross-entropy of picking x's own partner among the batch (InfoNCE; van den Oord, Li and
    Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018), by Euclidean distance and with the
    heavy tail of t-SNE (Böhm, Berens and Kobak, "Unsupervised Visualization of Image Datasets using Contrastive
    Learning", 2023). Neighbors as partners: Dwibedi et al., "With a Little Help from My Friends", 2021.

    Args:
        encoder: as `build_encoder` makes it.
        decoder: as `build_decoder` makes it.
        seed: of the warps, the noise and the choice of partners.
        agreement_weight: how much the agreement counts in the loss.
        strength: how far the warps go.
        most_noise: the standard deviation of the strongest noise.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        seed: int,
        agreement_weight: float = AGREEMENT_WEIGHT,
        strength: WarpStrength = DEFAULT_STRENGTH,
        most_noise: float = MOST_NOISE,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.seeds = keras.random.SeedGenerator(seed)
        self.agreement_weight = agreement_weight
        self.strength = strength
        self.most_noise = most_noise

    def call(self, images: tf.Tensor | tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Reconstructions of images float32 (n, 28, 28).

        In training, `images` is a pair: x, and (n, k, 28, 28) of which one a row is taken as x'. Adds the loss.
        """
        if not training:
            return self.decoder(self.encoder(images))
        x, alike = images  # (n, 28, 28) and (n, k, 28, 28)
        unchanged = keras.random.uniform((tf.shape(x)[0], 1, 1), seed=self.seeds) < UNCHANGED  # (n, 1, 1)
        x1 = tf.where(unchanged, x, self._warp(x))  # (n, 28, 28)
        taken = keras.random.randint((tf.shape(x)[0],), 0, tf.shape(alike)[1], seed=self.seeds)  # (n,) from 0 to k - 1
        x2 = self._warp(tf.gather(alike, taken, batch_dims=1))  # (n, 28, 28)
        noisy = add_noise(tf.concat([x1, x2], 0), self.most_noise, seed=self._seed())  # (2n, 28, 28)
        z1, z2 = tf.split(self.encoder(noisy, training=True), 2)  # (n, 32) each
        reconstructed = self.decoder(z1, training=True)  # (n, 28, 28)
        self.add_loss(mse(reconstructed, x1))
        self.add_loss(self.agreement_weight * agreement(content(z1), content(z2)))
        return reconstructed

    def _warp(self, x: tf.Tensor) -> tf.Tensor:
        return random_warp(x, self.strength, seed=self._seed())

    def _seed(self) -> tf.Tensor:
        return tf.cast(self.seeds.next(), tf.int32)  # (2,)


def content(latents: tf.Tensor) -> tf.Tensor:
    """The first 24 numbers of latents float32 (n, 32)."""
    return latents[:, :CONTENT_DIM]


def mse(images: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """The mean squared error a pixel, a scalar."""
    return tf.reduce_mean(tf.square(images - targets))


def agreement(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The mean cross-entropy, a scalar in nats, of finding row i of `b` by row i of `a`, and the other way round.

    The odds of a row of `b` are 1 / (1 + d²), d its Euclidean distance: a digit pays little for being far from others
    of its kind that happen to be in the batch.

    Args:
        a, b: float32 (n, dim).
    """
    squared_norms = tf.reduce_sum(a**2, 1)[:, None] + tf.reduce_sum(b**2, 1)  # (n, n)
    squared_distances = tf.nn.relu(squared_norms - 2 * tf.matmul(a, b, transpose_b=True))  # (n, n)
    logits = -tf.math.log1p(squared_distances)  # (n, n)
    own = tf.range(tf.shape(a)[0])  # (n,): row i belongs to row i
    there = tf.nn.sparse_softmax_cross_entropy_with_logits(own, logits)  # (n,)
    back = tf.nn.sparse_softmax_cross_entropy_with_logits(own, tf.transpose(logits))  # (n,)
    return tf.reduce_mean(there + back) / 2


def whitening(differences: NDArray[np.float32]) -> NDArray[np.float32]:
    """The linear map float32 (32, 32) after which a random warp moves a latent equally far in every direction.

    Directions in which the same digit varies from warp to warp shrink, those in which it does not grow (relevant
    component analysis; Bar-Hillel, Hertz, Shental and Weinshall, "Learning Distance Functions Using Equivalence
    Relations", 2003).

    Args:
        differences: float32 (n, 32), latents of warped images less those of the images.
    """
    scatter = differences.T @ differences / len(differences)  # (32, 32)
    variances, directions = np.linalg.eigh(scatter)  # (32,), and (32, 32) with a direction in each column
    return directions / np.sqrt(variances)


def look_map(
    latents: NDArray[np.float32], images: NDArray[np.float32], *, weight: float = LOOK_WEIGHT
) -> NDArray[np.float32]:
    """The linear map float32 (32, 32) after which latents are also as far apart as their images look different.

    With A (32, 784) the least-squares map from centered latents to centered pixels, the square of the distance between
    latents a and b becomes

        |a - b|² + weight² |(a - b) A|²

    The metric is I + weight² A Aᵀ; its Cholesky factor L is the map, for |(a - b) L|² is the same.

    Args:
        latents: float32 (n, 32).
        images: float32 (n, 28, 28), the images that these latents are of.
        weight: how much a difference of pixels counts.
    """
    pixels = images.reshape(len(images), -1)  # (n, 784)
    centered_latents, centered_pixels = latents - latents.mean(axis=0), pixels - pixels.mean(axis=0)
    redrawn = np.linalg.lstsq(centered_latents, centered_pixels)[0].astype(np.float64)  # A (32, 784)
    metric = np.eye(latents.shape[1]) + weight**2 * redrawn @ redrawn.T  # (32, 32)
    return np.linalg.cholesky(metric).astype(np.float32)  # L (32, 32)


def absorb(encoder: keras.Model, matrix: NDArray[np.float32]) -> None:
    """Have the encoder's last layer, which is changed in place, apply a linear map float32 (32, 32) to its latents."""
    last = encoder.get_layer("latents")
    last.set_weights([weights @ matrix for weights in last.get_weights()])  # (2048, 32) and (32,)
