"""Exact nearest neighbours by Euclidean distance, in NumPy."""

import numpy as np

BLOCK = 256  # queries scored at once
GROUPS_PER_NEIGHBOR = 64  # of scores, whose minima bound the nearest neighbours' scores
FLOAT32 = np.finfo(np.float32)
LARGEST = 1e15  # of a vector's values: the squares of larger ones would overflow float32


class NearestNeighbors:
    """Finds the nearest of a fixed set of vectors, as `sklearn.neighbors.NearestNeighbors` does by brute force.

    The answer is that of a full sort in float64 by (distance, index). To have it fast, ||x||² - 2 x·q, which orders
    the vectors as the distance does, is scored for all of them in float32 by one matrix product, that of [q, 1] and
    [-2x, ||x||²]; the distance itself is computed only for those that may be among the nearest within the rounding
    error of the scores. The vectors are centred first, so that this error is one of their spread, not of their offset.

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
        self._mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        n, dim = vectors.shape
        self._scorer = np.empty((dim + 1, n), np.float32)  # transposed: one query's product is fastest so
        centred = np.subtract(vectors.T, self._mean[:, None], out=self._scorer[:dim])
        self._scorer[dim] = np.einsum("dn,dn->n", centred, centred, dtype=np.float64)
        self._largest = self._scorer[dim].max()
        centred *= -2

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
            with_one = np.ones((len(queries[block]), dim + 1), np.float32)
            centred = np.subtract(queries[block], self._mean, out=with_one[:, :dim])
            scores = with_one @ self._scorer
            if exclude is not None:
                scores[np.arange(len(centred)), exclude[block]] = np.inf
            bounds = _bounds(scores, n_neighbors) + self._rounding(centred)
            for row, (row_scores, bound) in enumerate(zip(scores, bounds, strict=True), start):
                candidates = np.flatnonzero(row_scores <= bound)
                distances[row], indices[row] = self._nearest(queries[row], candidates, n_neighbors)
        return distances, indices

    def _rounding(self, centred):
        """The most, (n_queries,), by which the difference of two scores can be off.

        A float32 sum of dim + 1 products is off by at most (dim + 1) · eps / 2 of the sum of their magnitudes (Higham,
        "Accuracy and Stability of Numerical Algorithms", 2002, section 3.1), which is at most 2 (||x||² + ||q||²); a
        difference has two scores; 8 more cover the centring and the terms' own rounding.
        """
        squared_lengths = self._largest + np.einsum("nd,nd->n", centred, centred, dtype=np.float64)
        return (2 * len(self._scorer) + 8) * (FLOAT32.eps * squared_lengths + FLOAT32.tiny)

    def _nearest(self, query, candidates, n_neighbors):
        differences = np.subtract(self.vectors[candidates], query, dtype=np.float64)
        distances = np.sqrt(np.einsum("nd,nd->n", differences, differences))
        order = np.argsort(distances, kind="stable")[:n_neighbors]  # stable, and candidates ascend: ties by index
        return distances[order], candidates[order]


def _bounds(scores, n_neighbors):
    """For each row of scores (n_queries, n) a number (n_queries,) that at least `n_neighbors` of them do not exceed.

    That is the n_neighbors-th smallest of the minima of groups: nearly as tight as of the scores, and far faster.
    """
    n = scores.shape[1]
    starts = np.arange(0, n, max(1, n // (GROUPS_PER_NEIGHBOR * n_neighbors)))
    minima = np.minimum.reduceat(scores, starts, axis=1)
    return np.partition(minima, n_neighbors - 1, axis=1)[:, n_neighbors - 1]


def _check_range(name, values):
    if not (np.abs(values) < LARGEST).all():
        raise ValueError(f"expected finite {name} below {LARGEST:g} in magnitude, received a larger one or NaN")
