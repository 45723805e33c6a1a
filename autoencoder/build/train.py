"""The build: train on MNIST's training images, encode the galleries, measure, leave the artifacts."""

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
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
from autoencoder.data import Digits, load_bundled, load_mnist, unseen_part
from autoencoder.query.search import NearestNeighbors
from autoencoder.query.typical import Typical
from autoencoder.spaces import PCA, Latent, Pixels

BATCH = 128
LEARNING_RATE = 2e-3
TEACHER_WIDTH = 32  # of the decoder that only teaches the encoder
WARMUP_STEPS = 300
N_PARTNERS = 4  # so many of the nearest images may be an image's partner
WARPED_AT_ONCE = 10_000


def train(
    *,
    epochs: int,
    decoder_epochs: int,
    seed: int,
    drawn: Digits | None = None,
    not_digits: Digits | None = None,
    directory: Path,
    checkpoints: Path,
) -> dict[str, dict[str, Any]]:
    """Train the autoencoder and write every artifact; returns what was measured, as `evaluate_all` does.

    Stopped and called again with the same options, it goes on from the last whole epoch.

    Args:
        epochs: passes over the training images for the encoder, at least 3.
        decoder_epochs: passes for the decoder, after that.
        seed: of the weights, the order and the warps.
        drawn: Digits to measure drawings with, or None.
        not_digits: characters that are no digits, to measure how many of them are recognized as such, or None.
        directory: the folder to write to; made if need be.
        checkpoints: the folder to keep progress in until the training is done.

    Raises:
        DataError: MNIST cannot be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("all"), load_bundled())
    options = {"epochs": epochs, "decoder_epochs": decoder_epochs, "seed": seed}
    progress = checkpoints / "-".join(f"{name}-{value}" for name, value in options.items())
    latent = fit(training.images[:], checkpoints=progress, **options)
    pca = PCA.fit(training.images[:], seed=seed)
    spaces = Pixels(), pca, latent
    measured = evaluate_all(spaces, galleries, drawn, not_digits)
    with artifacts.replacing(directory, data=_sources(galleries), **options) as folder:
        for network, name in zip((latent.encoder, latent.decoder), artifacts.NETWORKS, strict=True):
            network.save(folder / name)
        pca.save(folder)
        _save_galleries(spaces, galleries, folder, seed)
        artifacts.save_metrics(measured | _pca_by_size(training, galleries[0], seed), directory, folder)
    shutil.rmtree(progress)
    return measured


def train_textbook(
    *, epochs: int, seed: int, drawn: Digits | None = None, directory: Path
) -> dict[str, dict[str, Any]]:
    """Train the textbooks' dense autoencoder and add its figures to the metrics; the network itself is not kept.

    Returns what was measured, as `evaluate_all` does. The arguments are those of `train`.

    Raises:
        DataError: MNIST cannot be had.
    """
    training, galleries = load_mnist("train"), (load_mnist("all"), load_bundled())
    keras.utils.set_random_seed(seed)
    encoder, decoder = build_textbook_autoencoder()

    def batch_of(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        images = tf.gather(training.images, indices)
        return images, images

    model = keras.Sequential([encoder, decoder])
    _fit(model, batch_of, n=len(training), epochs=epochs, seed=seed, name="textbook", checkpoints=None, loss="mse")
    measured = evaluate_all([Latent(encoder, decoder, "textbook")], galleries, drawn)
    with artifacts.replacing(directory) as folder:
        artifacts.save_metrics(measured, directory, folder)
    return measured


def encode(*, directory: Path) -> None:
    """Compute anew what the pages need of the galleries, by the encoder in `directory`: latents, map, figures of PCA.

    Raises:
        ArtifactError: there is no encoder, or it is damaged.
        DataError: MNIST cannot be had.
    """
    seed = artifacts.verify(directory, required=(*artifacts.NETWORKS, artifacts.PCA))["seed"]
    spaces = Pixels(), PCA.load(directory), Latent.load(directory)
    training, galleries = load_mnist("train"), (load_mnist("all"), load_bundled())
    measured = _pca_by_size(training, galleries[0], seed)
    with artifacts.replacing(directory, data=_sources(galleries)) as folder:
        _save_galleries(spaces, galleries, folder, seed)
        artifacts.save_metrics(measured, directory, folder)


def fit(
    images: NDArray[np.float32], *, epochs: int, decoder_epochs: int, seed: int, checkpoints: Path | None
) -> Latent:
    """The latent space of an encoder and a decoder trained on images float32 (n, 28, 28); labels play no part.

    First the encoder, with a smaller decoder to teach it; then, for the latents that it gives, the decoder that stays.
    """
    taught = fit_content_and_pose(images, epochs=epochs, seed=seed, checkpoints=checkpoints)
    absorb(taught.encoder, whitening_by_warps(taught, images, seed=seed))
    absorb(taught.encoder, look_map(Latent(taught.encoder, None).transform(images), images))
    return fit_decoder(taught.encoder, images, epochs=decoder_epochs, seed=seed, checkpoints=checkpoints)


def fit_decoder(
    encoder: keras.Model, images: NDArray[np.float32], *, epochs: int, seed: int, checkpoints: Path | None
) -> Latent:
    """The latent space of a trained encoder and a decoder trained for it on images float32 (n, 28, 28)."""
    latents = Latent(encoder, None).transform(images)  # (n, 32)
    decoder = build_decoder()
    model = keras.Sequential([decoder])  # what compiling adds is not saved with the decoder itself
    model.build(latents.shape)

    def batch_of(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.gather(latents, indices), tf.gather(images, indices)

    _fit(model, batch_of, n=len(images), epochs=epochs, seed=seed, name="decoder", checkpoints=checkpoints, loss="mse")
    return Latent(encoder, decoder)


def fit_content_and_pose(
    images: NDArray[np.float32],
    *,
    epochs: int,
    seed: int,
    checkpoints: Path | None = None,
    n_partners: int = N_PARTNERS,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **objective: Any,
) -> ContentAndPose:
    """A ContentAndPose trained on images float32 (n, 28, 28).

    In the first third of the epochs an image's partner is the image itself. In the second and the last it is the image
    or one of those that are nearest to it by then. Each third has a learning rate schedule of its own.

    Args:
        images: float32 (n, 28, 28) in [0, 1].
        epochs: passes over the images, at least 3.
        seed: of the weights, the order and the warps.
        checkpoints: the folder to keep progress in, or None.
        n_partners: how many of the nearest images may be partners.
        callbacks: what Keras is to call besides as the training goes on, in each third anew.
        objective: `agreement_weight`, `strength` and `most_noise`, as ContentAndPose takes them.
    """
    if epochs < 3:
        raise ValueError(f"expected at least 3 epochs, one for each third, received {epochs}")
    keras.utils.set_random_seed(seed)
    model = ContentAndPose(build_encoder(), build_decoder(TEACHER_WIDTH), seed=seed, **objective)
    model(images[:1])  # builds it

    def batch_with(partners: NDArray[np.int64]) -> Callable[[tf.Tensor], tuple[tuple[tf.Tensor, tf.Tensor]]]:
        def batch_of(indices: tf.Tensor) -> tuple[tuple[tf.Tensor, tf.Tensor]]:
            x = tf.gather(images, indices)  # (BATCH, 28, 28)
            alike = tf.gather(images, tf.gather(partners, indices))  # (BATCH, k, 28, 28)
            return ((x, alike),)

        return batch_of

    partners = itself = np.arange(len(images))[:, None]  # (n, 1)
    for third, epochs_of_it in (("first", epochs - 2 * (epochs // 3)), ("second", epochs // 3), ("last", epochs // 3)):
        if third != "first":
            matrix = whitening_by_warps(model, images[:WARPED_AT_ONCE], seed=seed)  # enough images to find partners by
            latents = Latent(model.encoder, None).transform(images) @ matrix  # (n, 32)
            partners = np.hstack([itself, _nearest_others(latents, n_partners)])  # (n, 1 + n_partners)
        _fit(
            model,
            batch_with(partners),
            n=len(images),
            epochs=epochs_of_it,
            seed=seed,
            name=f"encoder, {third} third",
            checkpoints=checkpoints,
            callbacks=callbacks,
        )
    return model


def _nearest_others(vectors: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    """The indices int64 (len(vectors), n) of each one's n nearest others.

    By scikit-learn: `search` is made for few queries at a time.
    """
    if not n:
        return np.empty((len(vectors), 0), int)
    return neighbors.NearestNeighbors(n_neighbors=n, algorithm="brute").fit(vectors).kneighbors(return_distance=False)


def whitening_by_warps(model: ContentAndPose, images: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """The linear map float32 (32, 32) that whitens a model's latents by a warp of each image float32 (n, 28, 28)."""
    space = Latent(model.encoder, None)
    differences = []
    for number, start in enumerate(range(0, len(images), WARPED_AT_ONCE), 1):
        some = images[start : start + WARPED_AT_ONCE]
        warped = random_warp(some, model.strength, seed=[seed, 2 * number])
        noisy = add_noise(warped, model.most_noise, seed=[seed, 2 * number + 1])
        differences.append(space.transform(noisy.numpy()) - space.transform(some))
    return whitening(np.concatenate(differences))


def _fit(
    model: keras.Model,
    batch_of: Callable[[tf.Tensor], tuple[Any, ...]],
    *,
    n: int,
    epochs: int,
    seed: int,
    name: str,
    checkpoints: Path | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    loss: str | None = None,
) -> None:
    """Train with Adam, the learning rate warmed up and then lowered along a cosine, going on from a checkpoint.

    Args:
        model: a built Keras model.
        batch_of: gives what the model is fed for the examples of some indices, int64 (BATCH,) from 0 to n - 1.
        n: how many examples there are.
        epochs: passes over them.
        seed: of their order.
        name: what is trained; the progress is shown and kept under it.
        checkpoints: the folder to keep progress in, or None.
        callbacks: what Keras is to call besides.
        loss: as Keras takes it; None where the model adds its own.
    """
    steps = epochs * (n // BATCH)
    warmup = min(WARMUP_STEPS, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), loss, jit_compile=False)
    called = [*callbacks]
    if checkpoints:
        keep = keras.callbacks.BackupAndRestore
        called.append(keep(checkpoints / name, double_checkpoint=True, delete_checkpoint=False))
    model._initial_epoch = None  # Keras keeps here the epoch that an earlier third went on from
    indices = tf.data.Dataset.range(n).shuffle(n, seed=seed).batch(BATCH, drop_remainder=True)
    print(f"Training: {name}", file=sys.stderr)
    with redirect_stdout(sys.stderr):  # Keras' progress bar: results alone go to standard output
        model.fit(indices.map(batch_of).prefetch(2), epochs=epochs, shuffle=False, callbacks=called)


def _pca_by_size(training: Digits, mnist: Digits, seed: int) -> dict[str, dict[str, Any]]:
    return {"pca_by_size": pca_by_size(training.images[:], unseen_part(mnist) or mnist, seed=seed)}


def _save_galleries(spaces: tuple[Pixels, PCA, Latent], galleries: Sequence[Digits], folder: Path, seed: int) -> None:
    """Write what the app needs of each gallery: latents, what is Typical, and a Study.

    Typical and studied are digits that the network has not seen, since a visitor's digits are unseen, too: of MNIST
    those of the test set, which may also be searched by themselves.
    """
    latent = spaces[-1]
    for gallery in galleries:
        latents = latent.transform(gallery.images)
        artifacts.save_latents(latents, gallery.name, folder)
        part = unseen_part(gallery)
        unseen = part or gallery
        for searched in filter(None, (gallery, part)):
            nearest, those = NearestNeighbors(latents[: len(searched)]), np.arange(len(unseen))
            typical = Typical.of_digits(those, latent, searched, nearest)
            typical.save(artifacts.typical_path(gallery.name, folder, unseen=searched is part))
        study_gallery(unseen, spaces, seed=seed).save(artifacts.study_path(gallery.name, folder))


def _sources(galleries: Sequence[Digits]) -> dict[str, str]:
    """The SHA-256 of each gallery by its name."""
    return {gallery.name: gallery.sha256 for gallery in galleries}
