"""The build: train on MNIST's training images, encode the galleries, measure, leave the artifacts."""

import shutil
import sys
from contextlib import redirect_stdout

import keras
import numpy as np
import tensorflow as tf

from autoencoder import artifacts
from autoencoder.data import load_bundled, load_mnist
from autoencoder.evaluate import evaluate_all
from autoencoder.model import (
    NETWORKS,
    ContentAndPose,
    build_decoder,
    build_encoder,
    build_textbook_autoencoder,
    load_latent_space,
    whiten,
)
from autoencoder.spaces import PCA, Latent, Pixels
from autoencoder.warp import random_warp

BATCH = 128
LEARNING_RATE = 2e-3
TEACHER_WIDTH = 32
WARMUP_STEPS = 300
WHITENING_IMAGES = 10_000
CHECKPOINTS = artifacts.DIRECTORY.parent / ".checkpoints"


def train(*, epochs, decoder_epochs, seed, drawn=None, directory, checkpoints=CHECKPOINTS):
    """Train the autoencoder and write every artifact; returns what was measured, as `evaluate_all` does.

    Stopped and called again in the same way, it goes on from the last whole epoch.

    Args:
        epochs: passes over the training images for the encoder.
        decoder_epochs: passes for the decoder, after that.
        seed: of the weights, the order and the warps.
        drawn: Digits to measure drawings with, or None.

    Raises:
        DataError: MNIST is not to be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("test"), load_bundled())
    options = {"epochs": epochs, "decoder_epochs": decoder_epochs, "seed": seed}
    checkpoints = checkpoints / "-".join(f"{name}-{value}" for name, value in options.items())
    latent = fit(training.images, checkpoints=checkpoints, **options)
    pca = PCA.fit(training.images, seed=seed)
    measured = evaluate_all([Pixels(), pca, latent], galleries, drawn)
    with artifacts.replacing(directory, data=_sources(galleries), **options) as folder:
        for network, name in zip((latent.encoder, latent.decoder), NETWORKS, strict=True):
            network.save(folder / name)
        pca.save(folder)
        _save_latents(latent, galleries, folder)
        artifacts.save_metrics(measured, directory, folder)
    shutil.rmtree(checkpoints)
    return measured


def train_textbook(*, epochs, seed, drawn=None, directory):
    """Train the textbooks' dense autoencoder and add its figures, which are all that is kept, to the metrics.

    Raises:
        DataError: MNIST is not to be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("test"), load_bundled())
    keras.utils.set_random_seed(seed)
    encoder, decoder = build_textbook_autoencoder()
    _fit(keras.Sequential([encoder, decoder]), (training.images, training.images), epochs, seed, loss="mse")
    measured = evaluate_all([Latent(encoder, decoder, "textbook")], galleries, drawn)
    with artifacts.replacing(directory) as folder:
        artifacts.save_metrics(measured, directory, folder)
    return measured


def encode(*, directory):
    """Compute the galleries' latents anew with the encoder that is there.

    Raises:
        ArtifactError: there is no encoder, or it is damaged.
        DataError: MNIST is not to be had.
    """
    artifacts.verify(directory, required=NETWORKS)
    latent = load_latent_space(directory)
    galleries = load_mnist("test"), load_bundled()
    with artifacts.replacing(directory, data=_sources(galleries)) as folder:
        _save_latents(latent, galleries, folder)


def fit(images, *, epochs, decoder_epochs, seed, checkpoints):
    """The latent space of an encoder and a decoder trained on images float32 (n, 28, 28); labels play no part.

    First the encoder, with a smaller decoder to teach it; then, for the latents that it gives, the decoder that stays.
    """
    taught = fit_content_and_pose(images, epochs=epochs, seed=seed, checkpoint=checkpoints / "encoder")
    whiten_by_warps(taught, images, seed=[seed, epochs])
    decoder = build_decoder()
    latents = Latent(taught.encoder, None).transform(images)
    _fit(keras.Sequential([decoder]), (latents, images), decoder_epochs, seed, checkpoints / "decoder", loss="mse")
    return Latent(taught.encoder, decoder)


def fit_content_and_pose(images, *, epochs, seed, checkpoint=None, **objective):
    """A ContentAndPose, trained on images float32 (n, 28, 28); `objective` changes its weights or its warps."""
    keras.utils.set_random_seed(seed)
    model = ContentAndPose(build_encoder(), build_decoder(TEACHER_WIDTH), seed=seed, **objective)
    _fit(model, (images,), epochs, seed, checkpoint)
    return model


def whiten_by_warps(model, images, *, seed):
    """Whiten a ContentAndPose's encoder by warps, `seed` int (2,), of some images; its decoder no longer fits it."""
    sample = images[:WHITENING_IMAGES]
    warped = random_warp(sample, model.strength, seed=seed).numpy()
    space = Latent(model.encoder, None)
    whiten(model.encoder, space.transform(warped) - space.transform(sample))


def _fit(model, arrays, epochs, seed, checkpoint=None, loss=None):
    """Train with Adam, the learning rate warmed up and then lowered along a cosine, going on from a checkpoint."""
    steps = epochs * (len(arrays[0]) // BATCH)
    warmup = min(WARMUP_STEPS, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), loss, jit_compile=False)
    model(arrays[0][:1])  # builds it, as the checkpoint's weights need
    backup = checkpoint and keras.callbacks.BackupAndRestore(
        checkpoint, double_checkpoint=True, delete_checkpoint=False
    )
    batches = tf.data.Dataset.from_tensor_slices(arrays).shuffle(len(arrays[0]), seed=seed)
    with redirect_stdout(sys.stderr):  # Keras' progress bar; results alone go to standard output
        model.fit(
            batches.batch(BATCH, drop_remainder=True).prefetch(2),
            epochs=epochs,
            shuffle=False,
            callbacks=[backup] if backup else [],
        )


def _save_latents(latent, galleries, folder):
    for gallery in galleries:
        np.save(artifacts.latents_path(gallery.name, folder), latent.transform(gallery.images))


def _sources(galleries):
    return {gallery.name: gallery.sha256 for gallery in galleries}
