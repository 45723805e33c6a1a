"""What is typical of a gallery's own digits, and how far a picture is beyond it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import Digits
from autoencoder.query.search import Searcher
from autoencoder.spaces import Latent

N_NEAREST = 32  # neighbors that a picture is compared with
ENOUGH = 10_000  # digits, to say by any oddity of a picture that it is none
FALSE_ALARMS = 0.009  # the share of a gallery's own digits that are said to be unlike it
FAR = 0.99  # of the digits have a nearer one than what is far
RIDGE = 0.3  # that keeps a picture from being pieced together with huge weights, of the neighbors' mean variance
EMPTY_INK = 0.25  # a column without more ink than this in any pixel is empty
LEAST_SHARE = 0.2  # of all ink: what has less is no shape by itself
TINY = 1e-9


@dataclass(frozen=True)
class Traits:
    """Of n pictures what tells digits from other things, float64.

    `distances` (n, k) to their nearest digits in the gallery, nearest first; `errors` (n,), the mean squared error a
    pixel of their reconstructions; `log_errors` (n,), the logarithm of the same of differences that are blurred a
    little first; `pieced` (n,), how badly they are pieced together from their neighbors; `log_ink` (n, 3), 1 and the
    logarithms of their ink and of their squared ink, which is less the softer the edges are.
    """

    distances: NDArray[np.float64]
    errors: NDArray[np.float64]
    log_errors: NDArray[np.float64]
    pieced: NDArray[np.float64]
    log_ink: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        images: NDArray[np.float32],
        reconstructions: NDArray[np.float32],
        gallery: Digits,
        distances: NDArray[np.float64],
        indices: NDArray[np.int64],
    ) -> Self:
        """The traits of pictures.

        Args:
            images: float32 (n, 28, 28).
            reconstructions: theirs, float32 (n, 28, 28).
            gallery: Digits.
            distances, indices: float and int (n, k), there, of the nearest to each picture.
        """
        differences = reconstructions - images
        pieced = [
            _piece_together(image, gallery.images[neighbors]) for image, neighbors in zip(images, indices, strict=True)
        ]
        return cls(
            distances,
            np.square(differences).mean(axis=(1, 2), dtype=np.float64),
            # Blurred: a stroke that is redrawn half a pixel beside its place is better than one that is not redrawn.
            np.log(np.square(_blurred(differences)).mean(axis=(1, 2), dtype=np.float64) + TINY),
            np.array(pieced),
            _log_ink(images),
        )

    @classmethod
    def searched(
        cls,
        images: NDArray[np.float32],
        space: Latent,
        gallery: Digits,
        nearest: Searcher,
        *,
        exclude: NDArray[np.int64] | None = None,
    ) -> Self:
        """The traits of images float32 (n, 28, 28) in a Latent space.

        `gallery` are Digits, `nearest` is the NearestNeighbors of their latents, and `exclude` is as that has it.
        """
        latents = space.transform(images)
        n_nearest = min(N_NEAREST, len(gallery) - 1)
        found = nearest.kneighbors(latents, n_nearest, exclude=exclude)
        return cls.of(images, space.inverse_transform(latents), gallery, *found)


@dataclass(frozen=True)
class Typical:
    """What is typical of a gallery, by some of its digits, n of them, as float32.

    `distances` (n,) to the nearest other; `errors` (n,), of the reconstructions, the mean squared error a pixel;
    `oddities` (n, 3), what `_oddities` gives for them by `expected` float64 (3, 2): the linear functions of the
    logarithms of the ink that the logarithms of distance and error are expected to be.
    """

    distances: NDArray[np.float32]
    errors: NDArray[np.float32]
    oddities: NDArray[np.float32]
    expected: NDArray[np.float64]

    @classmethod
    def of(cls, traits: Traits) -> Self:
        """What is typical of digits with these Traits.

        Bold digits are farther from each other than thin ones and are redrawn worse, and so are those with sharp edges.
        That is no sign of being no digit, so distance and error are compared with those of as much ink.
        """
        logs = np.stack([np.log(traits.distances[:, 0] + TINY), traits.log_errors], axis=1)
        expected = np.linalg.lstsq(traits.log_ink, logs)[0]
        oddities = _oddities(traits, expected).astype(np.float32)
        return cls(traits.distances[:, 0].astype(np.float32), traits.errors.astype(np.float32), oddities, expected)

    @classmethod
    def of_digits(cls, indices: NDArray[np.int64], space: Latent, gallery: Digits, nearest: Searcher) -> Self:
        """What is typical of a gallery, by those of its digits that have these indices."""
        return cls.of(Traits.searched(gallery.images[indices], space, gallery, nearest, exclude=indices))

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` has written."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(*(arrays[name] for name in ("distances", "errors", "oddities", "expected")))

    def save(self, path: Path) -> None:
        """Write it to a .npz file."""
        np.savez(path, distances=self.distances, errors=self.errors, oddities=self.oddities, expected=self.expected)

    def error_rank(self, error: float) -> float:
        """The share of the digits, in [0, 1], that are redrawn with a smaller error."""
        return float(np.searchsorted(self._sorted_errors, error) / len(self._sorted_errors))

    def closer_than(self, distance: float) -> float:
        """The share of the digits, in [0, 1], whose nearest is farther than a distance."""
        n = len(self._sorted_distances)
        return float((n - np.searchsorted(self._sorted_distances, distance, side="right")) / n)

    def fullness(self, distance: float) -> float:
        """How full a bar is to be that shows a distance, in [0, 1]: 1 where nearly all digits have a nearer one."""
        return min(distance / self._far, 1.0) if self._far else 0.0

    def strangeness(self, traits: Traits) -> NDArray[np.float64]:
        """How unlike the gallery's digits pictures with these Traits are, float64 (n,): the larger, the less.

        The share of digits that are at least as odd in one way is a tail probability. The sum of -log of the three is
        the score (Fisher, "Statistical Methods for Research Workers", 1925). What is odder than all digits in one way
        counts twice there, so that this alone is enough.

        By fewer than 10,000 digits less can be said: a visitor's pen is another than theirs, so that a drawing is badly
        pieced together from them, and often far off. There the score is -log of the larger of the first two
        tail probabilities: a picture has to be odd in both ways.
        """
        return self._score(_oddities(traits, self.expected))

    @cached_property
    def strange(self) -> float:
        """The strangeness above which a picture is unlike the gallery: few of its own digits reach it."""
        if len(self.oddities) < ENOUGH:
            return float(-np.log(FALSE_ALARMS))
        return float(np.quantile(self._score(self.oddities), 1 - FALSE_ALARMS))

    def _score(self, oddities: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(self.oddities)
        ways = zip(self._sorted_oddities, oddities.T, strict=True)
        n_as_odd = np.stack([n - np.searchsorted(own, of_pictures) for own, of_pictures in ways])
        scores = -np.log((n_as_odd + 1) / (n + 1))
        if n < ENOUGH:
            return scores[:2].min(axis=0)
        return np.where(n_as_odd, scores, 2 * scores).sum(axis=0)

    @cached_property
    def _far(self) -> float:
        return float(np.quantile(self._sorted_distances, FAR))

    @cached_property
    def _sorted_errors(self) -> NDArray[np.float32]:
        return np.sort(self.errors)

    @cached_property
    def _sorted_distances(self) -> NDArray[np.float32]:
        return np.sort(self.distances)

    @cached_property
    def _sorted_oddities(self) -> NDArray[np.float32]:
        return np.sort(self.oddities, axis=0).T


def are_two_shapes(images: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether pictures float32 (n, 28, 28) show two shapes beside each other, as "11" or "10" do; bool (n,).

    An empty column parts them, and each has at least a fifth of the ink.
    """
    ink = images.sum(axis=1)
    share = ink.cumsum(axis=1) / np.maximum(ink.sum(axis=1, keepdims=True), TINY)
    parts = (images.max(axis=1) <= EMPTY_INK) & (share >= LEAST_SHARE) & (share <= 1 - LEAST_SHARE)
    return parts.any(axis=1)


def _oddities(traits: Traits, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """How odd pictures are, (n, 3): how far off for their ink, how badly redrawn for it, how badly pieced together."""
    far, badly_redrawn = (traits.log_ink @ expected).T
    return np.stack([np.log(traits.distances[:, 0] + TINY) - far, traits.log_errors - badly_redrawn, traits.pieced], 1)


def _piece_together(image: NDArray[np.float32], neighbors: NDArray[np.float32]) -> float:
    """The mean squared error a pixel of the weighted mean of neighbors (k, 28, 28) that is nearest to an image.

    The weights are those of locally linear embedding (Roweis and Saul, 2000).
    """
    mean = neighbors.mean(axis=0)
    directions, wanted = (neighbors - mean).reshape(len(neighbors), -1), (image - mean).ravel()
    products = directions @ directions.T
    products[np.diag_indices(len(products))] += RIDGE * products.trace() / len(products) + TINY
    weights = np.linalg.solve(products, directions @ wanted)
    return np.square(wanted - weights @ directions).mean()


def _blurred(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (n, 28, 28) with [1, 2, 1] / 4 along rows and columns."""
    for axis in (1, 2):
        lines = np.moveaxis(images, axis, 0)
        padded = np.pad(lines, ((1, 1), (0, 0), (0, 0)))
        images = np.moveaxis((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / np.float32(4), 0, axis)
    return images


def _log_ink(images: NDArray[np.float32]) -> NDArray[np.float64]:
    inks = images.sum(axis=(1, 2), dtype=np.float64), np.square(images).sum(axis=(1, 2), dtype=np.float64)
    return np.stack([np.ones(len(images)), *(np.log(ink + TINY) for ink in inks)], axis=1)
