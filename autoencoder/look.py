"""How alike digits look: the difference of their pixels, and how thick and how slanted their strokes are."""

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import Digits

INK = 0.5  # from here on a pixel belongs to the stroke
TINY = 1e-9


def likeness(
    images: NDArray[np.float32], labels: NDArray[np.uint8], gallery: Digits, indices: NDArray[np.int64]
) -> dict[str, float | None]:
    """How much the neighbors of digits look like them.

    Args:
        images: (n, 28, 28), the queries.
        labels: (n,), theirs.
        gallery: what was searched.
        indices: (n, k), there, of each query's neighbors.

    Returns:
        `look`: the mean squared difference of a pixel between query and neighbor, 0 where they are the same.
        `thickness` and `slant`: the correlation of the query's with the mean of its neighbors', each less the mean of
        its digit. It is 1 where they agree within each digit, None where there is nothing to correlate.
    """
    neighbors = [gallery.images[of_rank] for of_rank in indices.T]  # k of (n, 28, 28)
    differences = [np.square(of_rank - images).mean(axis=(1, 2)) for of_rank in neighbors]
    results: dict[str, float | None] = {"look": float(np.mean(differences))}
    of_neighbors = gallery.labels[indices]  # (n, k)
    for name, measure in (("thickness", thickness), ("slant", slant)):
        queries = _less_mean_of_digit(measure(images), labels)
        found = _less_mean_of_digit(np.stack([measure(of_rank) for of_rank in neighbors], axis=1), of_neighbors)
        results[name] = _correlation(queries, found.mean(axis=1))
    return results


def thickness(images: NDArray[np.float32]) -> NDArray[np.floating]:
    """How thick the strokes of images (n, 28, 28) are, (n,): the number of their pixels for each one at an edge."""
    stroke = images > INK
    padded = np.pad(stroke, ((0, 0), (1, 1), (1, 1)))
    inside = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return stroke.sum(axis=(1, 2)) / np.maximum((stroke & ~inside).sum(axis=(1, 2)), 1)


def slant(images: NDArray[np.float32]) -> NDArray[np.floating]:
    """How far the strokes of images (n, 28, 28) lean to the right, (n,): columns a row upward."""
    ink = np.maximum(images.sum(axis=(1, 2)), TINY)
    places = np.arange(images.shape[1])
    rows = places - (images.sum(axis=2) @ places / ink)[:, None]  # from the center of mass, (n, 28)
    columns = places - (images.sum(axis=1) @ places / ink)[:, None]
    leaning = np.einsum("nij,ni,nj->n", images, rows, columns)
    return -leaning / np.maximum(np.einsum("nij,ni->n", images, rows**2), TINY)


def _less_mean_of_digit(values: NDArray[np.floating], labels: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Values less the mean of all that have the same label."""
    sums = np.bincount(labels.ravel(), values.ravel())
    return values - (sums / np.maximum(np.bincount(labels.ravel()), 1))[labels]


def _correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float | None:
    if not (one.std() and other.std()):
        return None
    return float(np.corrcoef(one, other)[0, 1])
