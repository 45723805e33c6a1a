"""What a search has to answer, by sorting everything."""

import numpy as np


def full_sort(vectors, query, n_neighbors, exclude=None):
    """Indices and distances by (distance, index), in float64."""
    distances = np.sqrt(np.square(vectors.astype(np.float64) - query.astype(np.float64)).sum(axis=1))
    order = [index for index in np.lexsort((np.arange(len(vectors)), distances)) if index != exclude][:n_neighbors]
    return distances[order], np.array(order)
