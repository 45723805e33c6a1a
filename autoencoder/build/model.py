"""The encoder, the decoder, and what they are trained for."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from autoencoder.build.warp import DEFAULT_STRENGTH, add_noise, random_warp
from autoencoder.spaces import LATENT_DIM

CONTENT_DIM = 24  # the first 24 of the 32 numbers say what the digit is, the last 8 how it stands
AGREEMENT_WEIGHT = 0.03
NOISE = 0.4  # standard deviation of the strongest
LOOK_WEIGHT = 1.0  # of a difference that can be seen, beside one in the whitened latents
UNCHANGED = 0.5  # of the inputs are the image itself, the others a warp of it


def build_encoder(width=32):
    """Images float32 (n, 28, 28) in [0, 1] to latents float32 (n, 32), unbounded."""
    images = keras.Input((28, 28), name="images")
    x = layers.Reshape((28, 28, 1))(images)
    for filters, strides in ((width, 2), (2 * width, 2), (2 * width, 1), (4 * width, 2)):  # 28 -> 14 -> 7 -> 7 -> 4
        x = _normalized(layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x))
    x = layers.Flatten()(x)
    return keras.Model(images, layers.Dense(LATENT_DIM, name="latents")(x), name="encoder")


def build_decoder(width=48):
    """Latents float32 (n, 32) to images float32 (n, 28, 28) in [0, 1]."""
    latents = keras.Input((LATENT_DIM,), name="latents")
    x = layers.Dense(7 * 7 * 2 * width, use_bias=False)(latents)
    x = _normalized(x)
    x = layers.Reshape((7, 7, 2 * width))(x)
    x = _normalized(layers.Conv2D(2 * width, 3, padding="same", use_bias=False)(x))
    x = _normalized(layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)(x))
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid")(x)
    return keras.Model(latents, layers.Reshape((28, 28))(x), name="decoder")


def _normalized(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))


def build_textbook_autoencoder():
    """The encoder and decoder of the textbooks, for comparison: one dense layer each, 784-32-784."""
    images, latents = keras.Input((28, 28)), keras.Input((LATENT_DIM,))
    code = layers.Dense(LATENT_DIM, activation="relu")(layers.Flatten()(images))
    pixels = layers.Dense(784, activation="sigmoid")(latents)
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
    """

    def __init__(
        self,
        encoder,
        decoder,
        *,
        seed,
        agreement_weight=AGREEMENT_WEIGHT,
        strength=DEFAULT_STRENGTH,
        noise=NOISE,
    ):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.seeds = keras.random.SeedGenerator(seed)
        self.agreement_weight = agreement_weight
        self.strength = strength
        self.noise = noise

    def call(self, images, training=False):
        """Reconstructions of images float32 (n, 28, 28).

        In training, `images` is a pair: x, and (n, k, 28, 28) of which one a row is taken as x'. Adds the loss.
        """
        if not training:
            return self.decoder(self.encoder(images))
        x, alike = images
        unchanged = keras.random.uniform((tf.shape(x)[0], 1, 1), seed=self.seeds) < UNCHANGED
        x1 = tf.where(unchanged, x, self._warp(x))
        taken = keras.random.randint((tf.shape(x)[0],), 0, tf.shape(alike)[1], seed=self.seeds)
        x2 = self._warp(tf.gather(alike, taken, batch_dims=1))
        noisy = add_noise(tf.concat([x1, x2], 0), self.noise, seed=self._seed())
        z1, z2 = tf.split(self.encoder(noisy, training=True), 2)
        reconstructed = self.decoder(z1, training=True)
        self.add_loss(mse(reconstructed, x1))
        self.add_loss(self.agreement_weight * agreement(content(z1), content(z2)))
        return reconstructed

    def _warp(self, x):
        return random_warp(x, self.strength, seed=self._seed())

    def _seed(self):
        return tf.cast(self.seeds.next(), tf.int32)


def content(latents):
    """The first 24 numbers of latents float32 (n, 32)."""
    return latents[:, :CONTENT_DIM]


def mse(images, targets):
    """The mean squared error a pixel, a scalar."""
    return tf.reduce_mean(tf.square(images - targets))


def agreement(a, b):
    """How badly each row of `a` float32 (n, dim) is told to belong to the same row of `b`, in nats, both ways.

    The odds of a row of `b` are 1 / (1 + d²), d its Euclidean distance: a digit pays little for being far from others
    of its kind that happen to be in the batch.
    """
    squared_norms = tf.reduce_sum(a**2, 1)[:, None] + tf.reduce_sum(b**2, 1)
    squared_distances = tf.nn.relu(squared_norms - 2 * tf.matmul(a, b, transpose_b=True))
    logits = -tf.math.log1p(squared_distances)
    own = tf.range(tf.shape(a)[0])
    there = tf.nn.sparse_softmax_cross_entropy_with_logits(own, logits)
    back = tf.nn.sparse_softmax_cross_entropy_with_logits(own, tf.transpose(logits))
    return tf.reduce_mean(there + back) / 2


def whitening(differences):
    """The linear map float32 (32, 32) after which a random warp moves a latent equally far in every direction.

    Directions in which the same digit varies from warp to warp shrink, those in which it does not grow (relevant
    component analysis; Bar-Hillel, Hertz, Shental and Weinshall, "Learning Distance Functions Using Equivalence
    Relations", 2003).

    Args:
        differences: float32 (n, 32), latents of warped images less those of the images.
    """
    variances, directions = np.linalg.eigh(differences.T @ differences / len(differences))
    return directions / np.sqrt(variances)


def look_map(latents, images, *, weight=LOOK_WEIGHT):
    """The linear map float32 (32, 32) after which latents are also as far apart as their images look different.

    With A (32, 784) the least-squares map from centered latents to centered pixels, the square of the distance between
    latents a and b becomes

        |a - b|² + weight² |(a - b) A|²

    The metric is I + weight² A Aᵀ; its Cholesky factor L is the map, for |(a - b) L|² is the same.

    Args:
        latents: float32 (n, 32).
        images: float32 (n, 28, 28), what they are the latents of.
        weight: how much a difference of pixels counts.
    """
    centered = latents - latents.mean(axis=0)
    pixels = images.reshape(len(images), -1)
    redrawn = np.linalg.lstsq(centered, pixels - pixels.mean(axis=0))[0].astype(np.float64)
    metric = np.eye(latents.shape[1]) + weight**2 * redrawn @ redrawn.T
    return np.linalg.cholesky(metric).astype(np.float32)


def absorb(encoder, matrix):
    """Have the encoder's last layer, which is changed in place, apply a linear map float32 (32, 32) to its latents."""
    last = encoder.get_layer("latents")
    last.set_weights([weights @ matrix for weights in last.get_weights()])
