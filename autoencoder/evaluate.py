"""How good a space is to search in: how many of the neighbours show the query's digit."""

import numpy as np

from autoencoder.search import NearestNeighbors


def hits_at_4(space, gallery, queries=None):
    """How many of each query's 4 nearest neighbours show its digit, int64 (n_queries,) from 0 to 4.

    Args:
        space: has `transform`, images to vectors.
        gallery: Digits that are searched.
        queries: Digits that are searched for; None for the gallery's own, each left out of its own answer.
    """
    vectors = space.transform(gallery.images)
    nearest = NearestNeighbors(vectors)
    if queries is None:
        _, indices = nearest.kneighbors(vectors, 4, exclude=np.arange(len(vectors)))
        labels = gallery.labels
    else:
        _, indices = nearest.kneighbors(space.transform(queries.images), 4)
        labels = queries.labels
    return (gallery.labels[indices] == labels[:, None]).sum(axis=1)


def summarize(hits):
    """P@4 and the shares of queries with at least 3 and with all 4 neighbours right, as a dict of floats in [0, 1]."""
    return {
        "precision_at_4": float(hits.mean() / 4),
        "at_least_3_of_4": float((hits >= 3).mean()),
        "all_4": float((hits == 4).mean()),
    }


def reconstruction_mse(space, images):
    """The mean squared error a pixel of images float32 (n, 28, 28) taken through the space and back."""
    return float(np.square(space.inverse_transform(space.transform(images)) - images).mean())


def evaluate(spaces, gallery):
    """Every space on a gallery searched for its own digits: space -> P@4, at_least_3_of_4, all_4, mse if it has one."""
    results = {}
    for space in spaces:
        results[space.name] = summarize(hits_at_4(space, gallery))
        if hasattr(space, "inverse_transform"):
            results[space.name]["mse"] = reconstruction_mse(space, gallery.images)
    return results
