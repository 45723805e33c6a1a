"""A gallery that grows while it is searched: its own digits, and after them those that are added."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import UNLABELED, Digits, Joined, StoredImages
from autoencoder.query.search import Indices, Searcher, checked_arguments, nearest_of
from autoencoder.spaces import LATENT_DIM

MOST_ADDED = 10_000


@dataclass(frozen=True)
class Added:
    """Digits that were added to a gallery, at one moment, read-only: n of them, in the order in which they came.

    `images` uint8 (n, 28, 28), `labels` uint8 (n,), `latents` float32 (n, 32).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    latents: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)


class Growing:
    """Takes up to 10,000 digits; whoever has been given those that were `added` keeps them as they were.

    A digit is written behind all those that readers have been given, so nothing is copied and nobody waits.
    """

    def __init__(self) -> None:
        self._images = np.empty((MOST_ADDED, 28, 28), np.uint8)  # room that takes memory only when it is written to
        self._labels = np.full(MOST_ADDED, UNLABELED, np.uint8)
        self._latents = np.empty((MOST_ADDED, LATENT_DIM), np.float32)
        self._writing = threading.Lock()
        self._n = 0

    def add(self, images: NDArray[np.uint8], labels: NDArray[np.uint8], latents: NDArray[np.float32]) -> None:
        """Add digits uint8 (n, 28, 28), with labels uint8 (n,) and latents float32 (n, 32).

        Raises:
            ValueError: there would be more than 10,000.
        """
        with self._writing:
            start, stop = self._n, self._n + len(images)
            if stop > MOST_ADDED:
                raise ValueError(f"expected at most {MOST_ADDED} digits, received {stop}")
            self._images[start:stop], self._labels[start:stop], self._latents[start:stop] = images, labels, latents
            self._n = stop  # last: from here on there are readers

    def cut(self, n: int) -> None:
        """Forget the digits from the n-th on; no reader may have been given them."""
        with self._writing:
            self._n = min(n, self._n)

    @property
    def added(self) -> Added:
        """The digits that were added until now."""
        n = self._n
        parts = self._images[:n], self._labels[:n], self._latents[:n]
        for part in parts:
            part.setflags(write=False)
        return Added(*parts)


class JoinedNeighbors:
    """Finds the nearest of a searcher's vectors and of others, float32 (n, dim), that come after them.

    The others are few: all their distances are computed, so that adding one needs no preparation. The answer is exact
    where the searcher's is, ordered by (distance, index).

    >>> from autoencoder.query.search import NearestNeighbors
    >>> nearest = NearestNeighbors(np.array([[0, 0], [3, 4]], np.float32))
    >>> joined = JoinedNeighbors(nearest, np.array([[1, 0]], np.float32))
    >>> joined.kneighbors(np.array([[0, 0]], np.float32), 3)[1].tolist()
    [[0, 2, 1]]
    """

    def __init__(self, first: Searcher, others: NDArray[np.float32]) -> None:
        self._first, self._others = first, others
        self.vectors = Joined(first.vectors, others)

    def kneighbors(
        self, queries: NDArray[np.float32], n_neighbors: int = 4, *, exclude: Indices | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distances and indices, as `NearestNeighbors.kneighbors` has them."""
        queries, left_out = checked_arguments(self.vectors.shape, queries, n_neighbors, exclude)
        if not len(self._others):
            return self._first.kneighbors(queries, n_neighbors, exclude=exclude)
        n_first = len(self._first.vectors)
        n_wanted = n_neighbors if left_out is None else n_neighbors + 1  # one of them may be left out
        of_first = self._first.kneighbors(queries, min(n_wanted, n_first))
        own_indices = np.arange(len(self._others))
        distances = np.empty((len(queries), n_neighbors))
        indices = np.empty((len(queries), n_neighbors), np.int64)
        for row, query in enumerate(queries):
            others, places = nearest_of(self._others, own_indices, query, n_wanted)
            found = np.concatenate([of_first[0][row], others])
            where = np.concatenate([of_first[1][row], places + n_first])
            if left_out is not None:
                found[where == left_out[row]] = np.inf
            order = np.lexsort((where, found))[:n_neighbors]
            distances[row], indices[row] = found[order], where[order]
        return distances, indices


def join(gallery: Digits, added: Added, title: str) -> Digits:
    """The digits of a gallery, and after them those that were added to it; `title` says in words what they are."""
    labels = np.concatenate([gallery.labels, added.labels])
    return Digits(gallery.name, Joined(gallery.images, StoredImages(added.images)), labels, gallery.sha256, title)
