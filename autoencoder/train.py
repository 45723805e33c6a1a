"""The build: train on MNIST's training images, encode the galleries, measure, leave the artifacts."""

import json
import shutil
import sys
from contextlib import redirect_stdout

import keras
import numpy as np
import tensorflow as tf

from autoencoder import artifacts
from autoencoder.data import load_bundled, load_mnist
from autoencoder.evaluate import evaluate_all
from autoencoder.model import ContentAndPose, build_decoder, build_encoder, load_latent_space, whiten
from autoencoder.spaces import PCA, Latent, Pixels
from autoencoder.warp import random_warp

BATCH = 128
LEARNING_RATE = 2e-3
TEACHER_WIDTH = 32
WARMUP_STEPS = 300
WHITENING_IMAGES = 10_000
CHECKPOINTS = artifacts.DIRECTORY.parent / ".checkpoints"


def train(*, epochs, decoder_epochs, seed, directory=artifacts.DIRECTORY, checkpoints=CHECKPOINTS):
    """Train the autoencoder and write every artifact; returns the metrics, as metrics.json has them.

    Stopped and called again in the same way, it goes on from the last whole epoch.

    Raises:
        DataError: MNIST is not to be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("test"), load_bundled())
    options = {"epochs": epochs, "decoder_epochs": decoder_epochs, "seed": seed}
    checkpoints = checkpoints / "-".join(f"{name}-{value}" for name, value in options.items())
    with redirect_stdout(sys.stderr):  # Keras' progress bar; results alone go to standard output
        latent = fit(training.images, checkpoints=checkpoints, **options)
    pca = PCA.fit(training.images, seed=seed)
    metrics = evaluate_all([Pixels(), pca, latent], galleries)
    with artifacts.replacing(directory, data=_sources(galleries), **options) as folder:
        latent.encoder.save(folder / "encoder.keras")
        latent.decoder.save(folder / "decoder.keras")
        pca.save(folder)
        _save_latents(latent, galleries, folder)
        (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", "utf-8")
    shutil.rmtree(checkpoints)
    return metrics


def encode(*, directory=artifacts.DIRECTORY):
    """Compute the galleries' latents anew with the encoder that is there.

    Raises:
        ArtifactError: there is no encoder, or it is damaged.
        DataError: MNIST is not to be had.
    """
    artifacts.verify(directory)
    latent = load_latent_space(directory)
    galleries = load_mnist("test"), load_bundled()
    with artifacts.replacing(directory, data=_sources(galleries)) as folder:
        _save_latents(latent, galleries, folder)


def fit(images, *, epochs, decoder_epochs, seed, checkpoints):
    """The latent space of an encoder and a decoder trained on images float32 (n, 28, 28); labels play no part.

    First the encoder, with a small decoder to teach it; then, for the latents that it gives, the decoder that stays.
    """
    keras.utils.set_random_seed(seed)
    encoder = _fit_encoder(images, epochs, seed, checkpoints / "encoder")
    decoder = _fit_decoder(encoder, images, decoder_epochs, seed, checkpoints / "decoder")
    return Latent(encoder, decoder)


def _fit_encoder(images, epochs, seed, checkpoint):
    model = ContentAndPose(build_encoder(), build_decoder(TEACHER_WIDTH), seed=seed)
    _fit(model, (images,), epochs, seed, checkpoint)
    sample = images[:WHITENING_IMAGES]
    warped = random_warp(sample, seed=[seed, epochs]).numpy()
    space = Latent(model.encoder, None)
    whiten(model.encoder, space.transform(warped) - space.transform(sample))
    return model.encoder


def _fit_decoder(encoder, images, epochs, seed, checkpoint):
    decoder = build_decoder()
    latents = Latent(encoder, None).transform(images)
    _fit(keras.Sequential([decoder]), (latents, images), epochs, seed, checkpoint, loss="mse")
    return decoder


def _fit(model, arrays, epochs, seed, checkpoint, loss=None):
    """Train with Adam, the learning rate warmed up and then lowered along a cosine, going on from a checkpoint."""
    steps = epochs * (len(arrays[0]) // BATCH)
    warmup = min(WARMUP_STEPS, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), loss, jit_compile=False)
    model(arrays[0][:1])  # builds it, as the checkpoint's weights need
    batches = tf.data.Dataset.from_tensor_slices(arrays).shuffle(len(arrays[0]), seed=seed)
    model.fit(
        batches.batch(BATCH, drop_remainder=True).prefetch(2),
        epochs=epochs,
        shuffle=False,
        callbacks=[keras.callbacks.BackupAndRestore(checkpoint, double_checkpoint=True, delete_checkpoint=False)],
    )


def _save_latents(latent, galleries, folder):
    for gallery in galleries:
        np.save(artifacts.latents_path(gallery.name, folder), latent.transform(gallery.images))


def _sources(galleries):
    return {gallery.name: gallery.sha256 for gallery in galleries}
