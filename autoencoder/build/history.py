"""Makes a `History`: trains anew, by the recipe of the encoder that ships, and measures on the way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn import manifold

from autoencoder.build.evaluate import count_hits
from autoencoder.build.model import ContentAndPose, look_map
from autoencoder.build.study import PERPLEXITY
from autoencoder.build.train import BATCH, WARPED_AT_ONCE, fit_content_and_pose, whitening_by_warps
from autoencoder.data import Digits
from autoencoder.history import History
from autoencoder.ink.preprocess import to_bytes
from autoencoder.query.search import NearestNeighbors
from autoencoder.spaces import Latent

EARLY_EPOCHS = 0, 0.1, 0.3  # most is learned before the first pass ends
N_LATER = 6  # moments from the first epoch's end to the last's, closer at the beginning
N_OF_EACH = 2  # digits of each kind to be redrawn
N_PLACED = 1000  # digits on the map


@dataclass(frozen=True)
class Moment:
    """What was measured at one moment of a training.

    `precision_at_4` and `mse`, of all test digits; `redrawn` uint8 (n, 28, 28), some of them; `latents` float32
    (n_placed, 32), of those that are placed on the map.
    """

    precision_at_4: float
    mse: float
    redrawn: NDArray[np.uint8]
    latents: NDArray[np.float32]


def record_history(training: Digits, test: Digits, *, epochs: int, seed: int) -> History:
    """The History of a training of `fit_content_and_pose`.

    Each moment's latents are whitened and looked at as those of a finished encoder, so P@4 is what the search would be
    like if the training had ended there. The reconstructions are those of the decoder that teaches the encoder.

    Args:
        training: Digits to train on; their labels play no part.
        test: Digits to measure with, searched in themselves; their labels count right neighbors and choose the digits
            to be redrawn.
        epochs: passes over the training images, at least 3.
        seed: of the weights, the order, the warps, the map and the choice of what is placed on it.
    """
    images, steps_an_epoch = training.images[:], len(training) // BATCH
    steps = sorted({round(moment * steps_an_epoch) for moment in moments(epochs)})
    shown = first_of_each(test.labels)
    placed = np.sort(np.random.default_rng(seed).permutation(len(test))[:N_PLACED])
    watch = _Watch(steps, images[:WARPED_AT_ONCE], test, shown, placed, seed=seed)
    fit_content_and_pose(images, epochs=epochs, seed=seed, callbacks=[watch])
    return History(
        n_training=len(training),
        n_searched=len(test),
        seed=seed,
        epochs=np.array(steps) / steps_an_epoch,
        precision_at_4=np.array([moment.precision_at_4 for moment in watch.moments]),
        mse=np.array([moment.mse for moment in watch.moments]),
        digits=to_bytes(test.images[shown]),
        redrawn=np.stack([moment.redrawn for moment in watch.moments]),
        positions=place_one_after_another([moment.latents for moment in watch.moments], seed=seed),
        labels=test.labels[placed],
    )


def moments(epochs: int) -> list[float]:
    """When to measure, in epochs, ascending; the first is 0 and the last the end.

    >>> moments(15)
    [0, 0.1, 0.3, 1, 2, 3, 5, 9, 15]
    """
    later = np.geomspace(1, epochs, N_LATER).round().astype(int)
    return [*EARLY_EPOCHS, *np.unique(later).tolist()]


def first_of_each(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The indices int64 (20,) of the first two digits of each kind, in the order of the kinds."""
    return np.concatenate([np.flatnonzero(labels == digit)[:N_OF_EACH] for digit in range(10)])


def place_one_after_another(latents: Sequence[NDArray[np.float32]], *, seed: int) -> NDArray[np.float32]:
    """Maps float32 (m, n, 2) in the unit square of the same digits' latents, m times float32 (n, 32).

    By t-SNE, as `map_positions` of `autoencoder/build/study.py`. Each map starts from the one before, so that a digit
    moves no farther than it has to, and all have one scale.
    """
    perplexity = min(PERPLEXITY, (len(latents[0]) - 1) / 3)
    placed: list[NDArray[np.float32]] = []
    for of_moment in latents:
        start: Any = placed[-1] if placed else "pca"
        found = manifold.TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(of_moment)
        placed.append(found - (found.min(axis=0) + found.max(axis=0)) / 2)
    maps = np.stack(placed)
    return (maps / np.abs(maps).max() / 2 + 0.5).astype(np.float32)


class _Watch(keras.callbacks.Callback):
    """Measures a ContentAndPose after some of its steps, which are counted through all thirds; 0 is before the first.

    Args:
        steps: after which to measure.
        images: float32 (n, 28, 28), training images to compute the whitening and the look map from.
        test: Digits to measure with.
        shown: indices of those to be redrawn.
        placed: indices of those to be placed on the map.
        seed: of the whitening's warps.
    """

    def __init__(
        self,
        steps: Collection[int],
        images: NDArray[np.float32],
        test: Digits,
        shown: NDArray[np.int64],
        placed: NDArray[np.int64],
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.steps = steps
        self.images = images
        self.test = test
        self.shown = shown
        self.placed = placed
        self.seed = seed
        self.n_done = 0
        self.moments: list[Moment] = []

    def on_train_begin(self, logs: Any = None) -> None:
        if self.n_done == 0:
            self._look()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.n_done += 1
        self._look()

    def _look(self) -> None:
        if self.n_done in self.steps:
            self.moments.append(self._measure(self.model))

    def _measure(self, model: ContentAndPose) -> Moment:
        space = Latent(model.encoder, model.decoder)
        latents = space.transform(self.test.images)  # (n, 32)
        redrawn = space.inverse_transform(latents)  # (n, 28, 28)
        vectors = latents @ _finishing_map(model, self.images, seed=self.seed)  # (n, 32)
        found = NearestNeighbors(vectors).kneighbors(vectors, 4, exclude=np.arange(len(vectors)))[1]
        return Moment(
            precision_at_4=float(count_hits(self.test, found, self.test.labels).mean() / 4),
            mse=float(np.square(redrawn - self.test.images[:]).mean()),
            redrawn=to_bytes(redrawn[self.shown]),
            latents=vectors[self.placed],
        )


def _finishing_map(model: ContentAndPose, images: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """The linear map float32 (32, 32) that a finished encoder takes up, the whitening and then the look map."""
    matrix = whitening_by_warps(model, images, seed=seed)
    return matrix @ look_map(Latent(model.encoder, None).transform(images) @ matrix, images)
