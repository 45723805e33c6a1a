"""The build: train on MNIST's training images, encode the galleries, measure, leave the artifacts."""

import shutil
import sys
from contextlib import redirect_stdout

import keras
import numpy as np
import tensorflow as tf
from sklearn import neighbors

from autoencoder import artifacts
from autoencoder.build.evaluate import evaluate_all
from autoencoder.build.model import (
    ContentAndPose,
    absorb,
    build_decoder,
    build_encoder,
    build_textbook_autoencoder,
    look_map,
    whitening,
)
from autoencoder.build.study import pca_by_size, study_gallery
from autoencoder.build.warp import add_noise, random_warp
from autoencoder.data import load_bundled, load_mnist, unseen_part
from autoencoder.query.search import NearestNeighbors
from autoencoder.query.typical import Traits, Typical
from autoencoder.spaces import PCA, Latent, Pixels

BATCH = 128
LEARNING_RATE = 2e-3
TEACHER_WIDTH = 32
WARMUP_STEPS = 300
N_PARTNERS = 4
WARPED_AT_ONCE = 10_000
CHECKPOINTS = artifacts.DIRECTORY.parent / ".checkpoints"


def train(*, epochs, decoder_epochs, seed, drawn=None, not_digits=None, directory, checkpoints=CHECKPOINTS):
    """Train the autoencoder and write every artifact; returns what was measured, as `evaluate_all` does.

    Stopped and called again in the same way, it goes on from the last whole epoch.

    Args:
        epochs: passes over the training images for the encoder, at least 3.
        decoder_epochs: passes for the decoder, after that.
        seed: of the weights, the order and the warps.
        drawn: Digits to measure drawings with, or None.
        not_digits: Digits without labels, characters to measure with what is told to be no digit, or None.

    Raises:
        DataError: MNIST is not to be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("all"), load_bundled())
    options = {"epochs": epochs, "decoder_epochs": decoder_epochs, "seed": seed}
    checkpoints = checkpoints / "-".join(f"{name}-{value}" for name, value in options.items())
    latent = fit(training.images, checkpoints=checkpoints, **options)
    pca = PCA.fit(training.images, seed=seed)
    spaces = Pixels(), pca, latent
    measured = evaluate_all(spaces, galleries, drawn, not_digits)
    with artifacts.replacing(directory, data=_sources(galleries), **options) as folder:
        for network, name in zip((latent.encoder, latent.decoder), artifacts.NETWORKS, strict=True):
            network.save(folder / name)
        pca.save(folder)
        _save_galleries(spaces, galleries, folder, seed)
        artifacts.save_metrics(measured | _pca_by_size(training, unseen_part(galleries[0]), seed), directory, folder)
    shutil.rmtree(checkpoints)
    return measured


def train_textbook(*, epochs, seed, drawn=None, directory):
    """Train the textbooks' dense autoencoder and add its figures, which are all that is kept, to the metrics.

    Raises:
        DataError: MNIST is not to be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("all"), load_bundled())
    keras.utils.set_random_seed(seed)
    encoder, decoder = build_textbook_autoencoder()

    def batch_of(indices):
        images = tf.gather(training.images, indices)
        return images, images

    run = {"epochs": epochs, "seed": seed, "name": "textbook", "checkpoints": None, "loss": "mse"}
    _fit(keras.Sequential([encoder, decoder]), batch_of, n=len(training), **run)
    measured = evaluate_all([Latent(encoder, decoder, "textbook")], galleries, drawn)
    with artifacts.replacing(directory) as folder:
        artifacts.save_metrics(measured, directory, folder)
    return measured


def encode(*, directory):
    """Compute anew, with the encoder that is there, what the pages need of the galleries: latents, map, figures of PCA.

    Raises:
        ArtifactError: there is no encoder, or it is damaged.
        DataError: MNIST is not to be had.
    """
    seed = artifacts.verify(directory, required=(*artifacts.NETWORKS, artifacts.PCA))["seed"]
    spaces = Pixels(), PCA.load(directory), Latent.load(directory)
    training, galleries = load_mnist("train"), (load_mnist("all"), load_bundled())
    measured = _pca_by_size(training, unseen_part(galleries[0]), seed)
    with artifacts.replacing(directory, data=_sources(galleries)) as folder:
        _save_galleries(spaces, galleries, folder, seed)
        artifacts.save_metrics(measured, directory, folder)


def fit(images, *, epochs, decoder_epochs, seed, checkpoints):
    """The latent space of an encoder and a decoder trained on images float32 (n, 28, 28); labels play no part.

    First the encoder, with a smaller decoder to teach it; then, for the latents that it gives, the decoder that stays.
    """
    taught = fit_content_and_pose(images, epochs=epochs, seed=seed, checkpoints=checkpoints)
    absorb(taught.encoder, whitening_by_warps(taught, images, seed=seed))
    absorb(taught.encoder, look_map(Latent(taught.encoder, None).transform(images), images))
    return fit_decoder(taught.encoder, images, epochs=decoder_epochs, seed=seed, checkpoints=checkpoints)


def fit_decoder(encoder, images, *, epochs, seed, checkpoints):
    """The latent space of a trained encoder and a decoder trained for it on images float32 (n, 28, 28)."""
    latents = Latent(encoder, None).transform(images)
    decoder = build_decoder()
    model = keras.Sequential([decoder])  # what compiling adds is not saved with the decoder itself
    model.build(latents.shape)

    def batch_of(indices):
        return tf.gather(latents, indices), tf.gather(images, indices)

    run = {"n": len(images), "seed": seed, "checkpoints": checkpoints}
    _fit(model, batch_of, epochs=epochs, name="decoder", loss="mse", **run)
    return Latent(encoder, decoder)


def fit_content_and_pose(images, *, epochs, seed, checkpoints=None, n_partners=N_PARTNERS, **objective):
    """A ContentAndPose trained on images float32 (n, 28, 28).

    In the first third of the epochs an image's partner is the image itself. In the second and the last it is the image
    or one of those that are nearest to it by then. Each third has a learning rate schedule of its own.

    Args:
        images: float32 (n, 28, 28) in [0, 1].
        epochs: passes over the images, at least 3.
        seed: of the weights, the order and the warps.
        checkpoints: the folder to keep progress in, or None.
        n_partners: how many of the nearest images may be partners.
        objective: as ContentAndPose takes it.
    """
    if epochs < 3:
        raise ValueError(f"expected at least 3 epochs, one a third, received {epochs}")
    keras.utils.set_random_seed(seed)
    model = ContentAndPose(build_encoder(), build_decoder(TEACHER_WIDTH), seed=seed, **objective)
    model(images[:1])  # builds it
    run = {"n": len(images), "seed": seed, "checkpoints": checkpoints}

    def batch_with(partners):
        return lambda indices: ((tf.gather(images, indices), tf.gather(images, tf.gather(partners, indices))),)

    partners = itself = np.arange(len(images))[:, None]
    for third, epochs_of_it in (("first", epochs - 2 * (epochs // 3)), ("second", epochs // 3), ("last", epochs // 3)):
        if third != "first":
            matrix = whitening_by_warps(model, images[:WARPED_AT_ONCE], seed=seed)  # close enough to find partners by
            latents = Latent(model.encoder, None).transform(images) @ matrix
            partners = np.hstack([itself, _nearest_others(latents, n_partners)])
        _fit(model, batch_with(partners), epochs=epochs_of_it, name=f"encoder, {third} third", **run)
    return model


def _nearest_others(vectors, n):
    """The indices int64 (len(vectors), n) of each one's n nearest others.

    By scikit-learn: `search` is made for few queries at a time.
    """
    if not n:
        return np.empty((len(vectors), 0), int)
    return neighbors.NearestNeighbors(n_neighbors=n, algorithm="brute").fit(vectors).kneighbors(return_distance=False)


def whitening_by_warps(model, images, *, seed):
    """The linear map float32 (32, 32) that whitens a ContentAndPose's latents by a warp of each image."""
    space = Latent(model.encoder, None)
    differences = []
    for number, start in enumerate(range(0, len(images), WARPED_AT_ONCE), 1):
        some = images[start : start + WARPED_AT_ONCE]
        warped = random_warp(some, model.strength, seed=[seed, 2 * number])
        noisy = add_noise(warped, model.noise, seed=[seed, 2 * number + 1])
        differences.append(space.transform(noisy.numpy()) - space.transform(some))
    return whitening(np.concatenate(differences))


def _fit(model, batch_of, *, n, epochs, seed, name, checkpoints, loss=None):
    """Train with Adam, the learning rate warmed up and then lowered along a cosine, going on from a checkpoint.

    Args:
        model: a built Keras model.
        batch_of: gives what the model is fed for the examples of some indices, int64 (BATCH,) from 0 to n - 1.
        n: how many examples there are.
        epochs: passes over them.
        seed: of their order.
        name: what is trained; the progress is shown and kept under it.
        checkpoints: the folder to keep progress in, or None.
        loss: as Keras has it; None where the model adds its own.
    """
    steps = epochs * (n // BATCH)
    warmup = min(WARMUP_STEPS, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), loss, jit_compile=False)
    callbacks = []
    if checkpoints:
        keep = keras.callbacks.BackupAndRestore
        callbacks.append(keep(checkpoints / name, double_checkpoint=True, delete_checkpoint=False))
    model._initial_epoch = None  # where an earlier part went on from its checkpoint; Keras keeps it on the model
    indices = tf.data.Dataset.range(n).shuffle(n, seed=seed).batch(BATCH, drop_remainder=True)
    print(f"Training: {name}", file=sys.stderr)
    with redirect_stdout(sys.stderr):  # Keras' progress bar; results alone go to standard output
        model.fit(indices.map(batch_of).prefetch(2), epochs=epochs, shuffle=False, callbacks=callbacks)


def _pca_by_size(training, gallery, seed):
    return {"pca_by_size": pca_by_size(training.images, gallery, seed=seed)}


def _save_galleries(spaces, galleries, folder, seed):
    """What the app needs of each gallery: latents, what is Typical, and a Study.

    Typical and studied are digits that the network has not seen, for a visitor's digits are such: of MNIST those of the
    test set, which may also be searched by themselves.
    """
    latent = spaces[-1]
    for gallery in galleries:
        latents = latent.transform(gallery.images)
        artifacts.save_latents(latents, gallery.name, folder)
        part = unseen_part(gallery)
        unseen = part or gallery
        for searched in filter(None, (gallery, part)):
            nearest, own = NearestNeighbors(latents[: len(searched)]), np.arange(len(unseen))
            typical = Typical.of(Traits.searched(unseen.images[:], latent, searched, nearest, exclude=own))
            typical.save(artifacts.typical_path(gallery.name, folder, unseen=searched is part))
        study_gallery(unseen, spaces, seed=seed).save(artifacts.study_path(gallery.name, folder))


def _sources(galleries):
    return {gallery.name: gallery.sha256 for gallery in galleries}
