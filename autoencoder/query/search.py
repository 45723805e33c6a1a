"""Exact nearest neighbors by Euclidean distance, in NumPy."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import Rows

QUERIES_AT_ONCE = 256
VECTORS_AT_ONCE = 65_536  # of those that are left in their file
SCORES_AT_ONCE = QUERIES_AT_ONCE * VECTORS_AT_ONCE  # 64 MB
GROUPS_PER_NEIGHBOR = 16  # of scores, whose minima bound the nearest neighbors' scores
Indices = NDArray[np.int64] | int  # one for each query, or that of the only one
EPS, TINY = float(np.finfo(np.float32).eps), float(np.finfo(np.float32).tiny)
LARGEST_IN_MEMORY = 1_000_000  # vectors; more are searched in blocks, where they are
LARGEST = 1e15  # of a vector's values: the squares of larger ones would overflow float32


class SearchError(Exception):
    """A search engine elsewhere does not answer; the message names where it was looked for and says what to do."""


class Searcher(Protocol):
    """Finds the nearest of its `vectors` float32 (n, dim), as `NearestNeighbors` does, here or elsewhere."""

    @property
    def vectors(self) -> Rows: ...

    def kneighbors(
        self, queries: NDArray[np.float32], n_neighbors: int = 4, *, exclude: Indices | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...


class NearestNeighbors:
    """Finds the nearest of a fixed set of vectors, as `sklearn.neighbors.NearestNeighbors` does by brute force.

    The answer is that of a full sort in float64 by (distance, index). To have it fast, ||x||² - 2 x·q, which orders
    the vectors as the distance does, is scored for all of them in float32 by one matrix product, that of [q, 1] and
    [-2x, ||x||²]; the distance itself is computed only for those that may be among the nearest within the rounding
    error of the scores. The vectors are centered first, so that this error is one of their spread, not of their offset.

    Safe to share between threads: a search changes nothing.

    Args:
        vectors: float32 (n, dim), finite, below 1e15 in magnitude.

    Raises:
        ValueError: `vectors` is of another shape or range.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = vectors = _checked_vectors(np.ascontiguousarray(vectors, np.float32))
        _check_range("vectors", vectors)
        self._mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        n, dim = vectors.shape
        self._scorer = np.empty((dim + 1, n), np.float32)  # transposed: one query's product is fastest so
        centered = np.subtract(vectors.T, self._mean[:, None], out=self._scorer[:dim])
        self._scorer[dim] = np.einsum("dn,dn->n", centered, centered, dtype=np.float64)
        self._largest = self._scorer[dim].max()
        centered *= -2

    def kneighbors(
        self, queries: NDArray[np.float32], n_neighbors: int = 4, *, exclude: Indices | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distances and indices of each query's nearest vectors, nearest first, ties by index.

        Args:
            queries: float32 (n_queries, dim).
            n_neighbors: how many, from 1 to n (n - 1 with `exclude`).
            exclude: int (n_queries,), the index that is left out of each query's answer, for queries that are
                themselves among the vectors: by index, since a duplicate at distance 0 is a true neighbor. Of a single
                query an int will do.

        Returns:
            distances float64 (n_queries, n_neighbors) and indices int64 (n_queries, n_neighbors).

        Raises:
            ValueError: shapes do not fit, or there are fewer vectors than `n_neighbors`.

        >>> nearest = NearestNeighbors(np.array([[0, 0], [3, 4], [1, 0]], np.float32))
        >>> distances, indices = nearest.kneighbors(np.array([[0, 0], [3, 3]], np.float32), 2)
        >>> indices.tolist()
        [[0, 2], [1, 2]]
        >>> distances[0].tolist()
        [0.0, 1.0]
        >>> nearest.kneighbors(np.array([[0, 0]], np.float32), 2, exclude=0)[1].tolist()  # itself left out
        [[2, 1]]
        """
        queries, left_out = checked_arguments(self.vectors.shape, queries, n_neighbors, exclude)
        distances = np.empty((len(queries), n_neighbors))
        indices = np.empty((len(queries), n_neighbors), np.int64)
        at_once = max(1, min(QUERIES_AT_ONCE, SCORES_AT_ONCE // self._n_at_once()))
        for start in range(0, len(queries), at_once):
            some = slice(start, start + at_once)
            candidates = self._candidates(queries[some], n_neighbors, None if left_out is None else left_out[some])
            for row, of_row in enumerate(candidates, start):
                distances[row], indices[row] = nearest_of(self.vectors[of_row], of_row, queries[row], n_neighbors)
        return distances, indices

    def _candidates(
        self, queries: NDArray[np.float32], n_neighbors: int, exclude: NDArray[np.int64] | None
    ) -> Iterable[NDArray[np.int64]]:
        """For each query the indices, ascending, of all vectors that may be among its nearest."""
        with_one = np.ones((len(queries), queries.shape[1] + 1), np.float32)
        centered = np.subtract(queries, self._mean, out=with_one[:, :-1])
        scores = with_one @ self._scorer
        if exclude is not None:
            scores[np.arange(len(queries)), exclude] = np.inf
        bounds = _bounds(scores, n_neighbors) + self._rounding(centered)
        return [np.flatnonzero(of_row <= bound) for of_row, bound in zip(scores, bounds, strict=True)]

    def _n_at_once(self) -> int:
        """How many vectors are scored at once."""
        return len(self.vectors)

    def _rounding(self, centered: NDArray[np.float32]) -> NDArray[np.float32]:
        """The most, (n_queries,), by which the difference of two scores can be off.

        A float32 sum of dim + 1 products is off by at most (dim + 1) · eps / 2 of the sum of their magnitudes (Higham,
        "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1), which is at most 2 (||x||² + ||q||²); a
        difference has two scores; 8 more cover the centering, and that terms and bound are rounded themselves.
        """
        n_errors = 2 * (centered.shape[1] + 1) + 8
        return n_errors * EPS * (self._largest + np.vecdot(centered, centered)) + n_errors * TINY


class NearestNeighborsInBlocks(NearestNeighbors):
    """The same for vectors that are too many to copy, such as those of a file that is mapped into memory.

    They are scored where they are, 65,536 at a time. Besides them this takes 4 bytes a vector, and 64 MB. It
    takes more where very many vectors are equally near, because all ties are kept.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self.vectors = _checked_vectors(vectors)
        n = len(vectors)
        self._mean = vectors[:: max(1, n // VECTORS_AT_ONCE)].mean(axis=0, dtype=np.float64).astype(np.float32)
        self._squared_lengths = np.empty(n, np.float32)
        for some in self._blocks():
            _check_range("vectors", vectors[some])
            centered = vectors[some] - self._mean
            self._squared_lengths[some] = np.einsum("nd,nd->n", centered, centered, dtype=np.float64)
        # x·q is taken of vectors as they are, not centered, so it is their own length that its rounding goes by.
        self._largest = (np.sqrt(self._squared_lengths.max(), dtype=np.float64) + np.linalg.norm(self._mean)) ** 2

    def _n_at_once(self) -> int:
        return min(VECTORS_AT_ONCE, len(self.vectors))

    def _blocks(self) -> Iterator[slice]:
        n = len(self.vectors)
        return (slice(start, min(start + VECTORS_AT_ONCE, n)) for start in range(0, n, VECTORS_AT_ONCE))

    def _candidates(
        self, queries: NDArray[np.float32], n_neighbors: int, exclude: NDArray[np.int64] | None
    ) -> Iterable[NDArray[np.int64]]:
        centered = queries - self._mean
        rounding = self._rounding(centered)
        bounds = np.full(len(queries), np.inf, np.float32)
        found: list[list[tuple[NDArray[np.int64], NDArray[np.float32]]]] = [[] for _ in queries]
        for block in self._blocks():
            scores = centered @ self.vectors[block].T
            scores *= -2
            scores += self._squared_lengths[block]
            if exclude is not None:
                here = np.flatnonzero((exclude >= block.start) & (exclude < block.stop))
                scores[here, exclude[here] - block.start] = np.inf
            if scores.shape[1] >= n_neighbors:
                bounds = np.minimum(bounds, _bounds(scores, n_neighbors))
            for row, of_row in enumerate(scores):
                near = np.flatnonzero(of_row <= bounds[row] + rounding[row])
                found[row].append((block.start + near, of_row[near]))
        for row, of_blocks in enumerate(found):
            indices, scores = map(np.concatenate, zip(*of_blocks, strict=True))
            yield indices[(scores <= bounds[row] + rounding[row]) & (scores < np.inf)]


def exact_search(latents: NDArray[np.float32]) -> NearestNeighbors:
    """The exact search, a NearestNeighbors, of latents float32 (n, 32): in memory, or, of many, where they are."""
    if len(latents) <= LARGEST_IN_MEMORY:
        return NearestNeighbors(latents)
    return NearestNeighborsInBlocks(latents)


def checked_arguments(
    shape: tuple[int, ...], queries: NDArray[np.float32], n_neighbors: int, exclude: Indices | None
) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """The `queries` and `exclude` of `kneighbors` as arrays, for vectors of a shape; raises as it says."""
    n, dim = shape
    queries = np.asarray(queries, np.float32)
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise ValueError(f"expected queries (n_queries, {dim}), received {queries.shape}")
    _check_range("queries", queries)
    available = n if exclude is None else n - 1
    if not 1 <= n_neighbors <= available:
        raise ValueError(f"expected n_neighbors from 1 to {available}, received {n_neighbors}")
    if exclude is None:
        return queries, None
    left_out = np.atleast_1d(exclude)
    if left_out.shape != queries.shape[:1] or ((left_out < 0) | (left_out >= n)).any():
        raise ValueError(f"expected exclude ({len(queries)},) of indices below {n}, received {exclude}")
    return queries, left_out


def distances_to(query: NDArray[np.float32], vectors: Rows) -> NDArray[np.float64]:
    """The Euclidean distances float64 (n,) from a query float32 (dim,) to vectors float32 (n, dim), few at a time."""
    starts = range(0, len(vectors), VECTORS_AT_ONCE)
    some = (np.subtract(vectors[start : start + VECTORS_AT_ONCE], query, dtype=np.float64) for start in starts)
    return np.concatenate([np.sqrt(np.vecdot(differences, differences)) for differences in some])


def nearest_of(
    vectors: NDArray[np.float32], indices: NDArray[np.int64], query: NDArray[np.float32], n_neighbors: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The distances and indices of the nearest of some vectors, computed in float64; `indices` ascend."""
    distances = distances_to(query, vectors)
    order = np.argsort(distances, kind="stable")[:n_neighbors]  # stable, and the indices ascend: ties by index
    return distances[order], indices[order]


def _bounds(scores: NDArray[np.float32], n_neighbors: int) -> NDArray[np.float32]:
    """For each row of scores (n_queries, n) a number (n_queries,) that at least `n_neighbors` of them do not exceed.

    That is the n_neighbors-th smallest of the minima of groups: nearly as tight as of the scores, and far faster.
    """
    n = scores.shape[1]
    starts = np.arange(0, n, max(1, n // (GROUPS_PER_NEIGHBOR * n_neighbors)))
    minima = np.minimum.reduceat(scores, starts, axis=1)
    return np.partition(minima, n_neighbors - 1, axis=1)[:, n_neighbors - 1]


def _checked_vectors(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    if vectors.ndim != 2 or not vectors.size:
        raise ValueError(f"expected vectors (n, dim) with n >= 1, received {vectors.shape}")
    return vectors


def _check_range(name: str, values: NDArray[np.float32]) -> None:
    if not (np.abs(values) < LARGEST).all():
        raise ValueError(f"expected finite {name} below {LARGEST:g} in magnitude, received a larger one or NaN")
