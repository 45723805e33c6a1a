"""Makes a gallery's `Study`, and measures principal components by their number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autoencoder.build.evaluate import count_hits, hits_at_4, neighbors_at_4, reconstruction_mse
from autoencoder.data import Digits
from autoencoder.spaces import PCA, Space
from autoencoder.study import Study

PERPLEXITY = 30
PCA_SIZES = (2, 4, 8, 16, 32, 64, 128)


def study_gallery(gallery: Digits, spaces: Sequence[Space], *, seed: int) -> Study:
    """The Study of a gallery's digits in spaces of which the last is the latent one; the `seed` is that of the map."""
    neighbors = {space.name: neighbors_at_4(space, gallery) for space in spaces}
    hits = {name: count_hits(gallery, found, gallery.labels) for name, found in neighbors.items()}
    latent = spaces[-1]
    return Study(map_positions(latent.transform(gallery.images[:]), seed=seed), neighbors[latent.name], hits)


def map_positions(latents: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """Places float32 (n, 2) in the unit square for latents float32 (n, 32).

    Neighbors stay near each other, distances do not hold. By t-SNE (van der Maaten and Hinton, "Visualizing Data using
    t-SNE", 2008), as scikit-learn has it.
    """
    from sklearn import manifold

    perplexity = min(PERPLEXITY, (len(latents) - 1) / 3)
    placed = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=-1).fit_transform(latents)
    low, high = placed.min(axis=0), placed.max(axis=0)
    return ((placed - low) / (high - low)).astype(np.float32)


def pca_by_size(training_images: NDArray[np.float32], gallery: Digits, *, seed: int) -> dict[str, dict[str, float]]:
    """How well principal components do, by their number: {"2": {"precision_at_4": …, "mse": …}, …}.

    Args:
        training_images: float32 (n, 28, 28), from which the components are computed.
        gallery: Digits, each searched for among the others.
        seed: of the computation.
    """
    largest = PCA.fit(training_images, n_components=PCA_SIZES[-1], seed=seed)
    spaces = {size: PCA(largest.mean, largest.components[:size]) for size in PCA_SIZES}
    return {
        str(size): {
            "precision_at_4": float(hits_at_4(space, gallery).mean() / 4),
            "mse": reconstruction_mse(space, gallery.images[:]),
        }
        for size, space in spaces.items()
    }
