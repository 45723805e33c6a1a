"""Exact nearest neighbours by Euclidean distance, in NumPy."""

import numpy as np

BLOCK = 256  # queries scored at once
LARGEST = 1e15  # of a vector's values: the squares of larger ones would overflow float32


class NearestNeighbors:
    """Finds the nearest of a fixed set of vectors, as `sklearn.neighbors.NearestNeighbors` does by brute force.

    The answer is that of a full sort in float64 by (distance, index). To have it fast, ||x||² - 2 x·q, which orders
    the vectors as the distance does, is scored for all of them in float32 by one matrix product; the distance itself
    is computed only for those that may be among the nearest within the rounding error of the scores. The vectors are
    centred first, so that this error is one of their spread, not of their offset.

    Safe to share between threads: a search changes nothing.

    Args:
        vectors: float32 (n, dim), finite, below 1e15 in magnitude.

    Raises:
        ValueError: `vectors` is of another shape or range.
    """

    def __init__(self, vectors):
        vectors = np.ascontiguousarray(vectors, np.float32)
        if vectors.ndim != 2 or not vectors.size:
            raise ValueError(f"expected vectors (n, dim) with n >= 1, received {vectors.shape}")
        _check_range("vectors", vectors)
        self.vectors = vectors
        self._mean = vectors.mean(axis=0, dtype=np.float64)
        self._centred = (vectors - self._mean).astype(np.float32)
        self._squared_norms = np.einsum("nd,nd->n", self._centred, self._centred)

    def kneighbors(self, queries, n_neighbors=4, *, exclude=None):
        """Distances and indices of each query's nearest vectors, nearest first, ties by index.

        Args:
            queries: float32 (n_queries, dim).
            n_neighbors: how many, from 1 to n (n - 1 with `exclude`).
            exclude: int (n_queries,), the index that is left out of each query's answer, for queries that are
                themselves among the vectors; by index, since a duplicate at distance 0 is a true neighbour.

        Returns:
            distances float64 (n_queries, n_neighbors) and indices int64 (n_queries, n_neighbors).

        Raises:
            ValueError: shapes do not fit, or there are fewer vectors than `n_neighbors`.
        """
        n, dim = self.vectors.shape
        queries = np.asarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != dim:
            raise ValueError(f"expected queries (n_queries, {dim}), received {queries.shape}")
        _check_range("queries", queries)
        available = n if exclude is None else n - 1
        if not 1 <= n_neighbors <= available:
            raise ValueError(f"expected n_neighbors from 1 to {available}, received {n_neighbors}")
        if exclude is not None:
            exclude = np.asarray(exclude)
            if exclude.shape != queries.shape[:1] or ((exclude < 0) | (exclude >= n)).any():
                raise ValueError(f"expected exclude ({len(queries)},) of indices below {n}, received {exclude}")

        distances = np.empty((len(queries), n_neighbors))
        indices = np.empty((len(queries), n_neighbors), np.int64)
        for start in range(0, len(queries), BLOCK):
            block = slice(start, start + BLOCK)
            centred = (queries[block] - self._mean).astype(np.float32)
            scores = self._squared_norms - 2 * (centred @ self._centred.T)
            if exclude is not None:
                scores[np.arange(len(centred)), exclude[block]] = np.inf
            bounds = np.partition(scores, n_neighbors - 1, axis=1)[:, n_neighbors - 1] + self._rounding(centred)
            for row, (row_scores, bound) in enumerate(zip(scores, bounds, strict=True), start):
                candidates = np.flatnonzero(row_scores <= bound)
                distances[row], indices[row] = self._nearest(queries[row], candidates, n_neighbors)
        return distances, indices

    def _rounding(self, centred):
        """The most, (n_queries,), by which the difference of two scores can be off.

        A float32 sum of dim products is off by at most dim · eps / 2 of the sum of their magnitudes (Higham,
        "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1); a score has two such sums, a difference
        two scores; 8 more cover the centring and the terms' own rounding.
        """
        single = np.finfo(np.float32)
        squared_lengths = self._squared_norms.max() + np.einsum("nd,nd->n", centred, centred)
        return (2 * centred.shape[1] + 8) * (single.eps * squared_lengths + single.tiny)

    def _nearest(self, query, candidates, n_neighbors):
        differences = self.vectors[candidates].astype(np.float64) - query
        distances = np.sqrt(np.square(differences).sum(axis=1))
        order = np.argsort(distances, kind="stable")[:n_neighbors]  # stable, and candidates ascend: ties by index
        return distances[order], candidates[order]


def _check_range(name, values):
    if not (np.abs(values) < LARGEST).all():
        raise ValueError(f"expected finite {name} below {LARGEST:g} in magnitude, received a larger one or NaN")
