"""What the teaching pages show of a gallery, computed once: its map, and how each of its digits fares as a query."""

from dataclasses import dataclass

import numpy as np

from autoencoder.evaluate import hits_at_4, neighbors_at_4, reconstruction_mse
from autoencoder.spaces import PCA

PERPLEXITY = 30
PCA_SIZES = (2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Study:
    """Of each digit of a gallery, the arrays read-only once loaded:

    `positions` float32 (n, 2), its place on the map, each axis in [0, 1]; `neighbors` int64 (n, 4), the gallery indices
    of its nearest in the latent space, itself left out; `hits`, space name -> int64 (n,), how many of its 4 nearest
    there show its digit.
    """

    positions: np.ndarray
    neighbors: np.ndarray
    hits: dict[str, np.ndarray]

    @classmethod
    def of(cls, gallery, spaces, *, seed):
        """The study of a gallery's digits in spaces of which the last is the latent one."""
        neighbors = {space.name: neighbors_at_4(space, gallery) for space in spaces}
        hits = {
            name: (gallery.labels[found] == gallery.labels[:, None]).sum(axis=1) for name, found in neighbors.items()
        }
        latent = spaces[-1]
        return cls(map_positions(latent.transform(gallery.images[:]), seed=seed), neighbors[latent.name], hits)

    @classmethod
    def load(cls, path):
        """The study that `save` has written."""
        with np.load(path, allow_pickle=False) as arrays:
            hits = {name.removeprefix("hits_"): arrays[name] for name in arrays if name.startswith("hits_")}
            positions, neighbors = arrays["positions"], arrays["neighbors"]
        hits = {name: of_space.astype(np.int64) for name, of_space in hits.items()}
        study = cls(positions, neighbors.astype(np.int64), hits)
        for array in (study.positions, study.neighbors, *study.hits.values()):
            array.setflags(write=False)
        return study

    def save(self, path):
        """Write it to a .npz file."""
        hits = {f"hits_{name}": of_space.astype(np.uint8) for name, of_space in self.hits.items()}
        np.savez_compressed(path, positions=self.positions, neighbors=self.neighbors.astype(np.int32), **hits)


def map_positions(latents, *, seed):
    """Places float32 (n, 2) in the unit square for latents float32 (n, 32).

    Neighbours stay near each other, distances do not hold. By t-SNE (van der Maaten and Hinton, "Visualizing Data using
    t-SNE", 2008), as scikit-learn has it.
    """
    from sklearn import manifold

    perplexity = min(PERPLEXITY, (len(latents) - 1) / 3)
    placed = manifold.TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=-1).fit_transform(latents)
    low, high = placed.min(axis=0), placed.max(axis=0)
    return ((placed - low) / (high - low)).astype(np.float32)


def place_on_map(positions, neighbors, distances):
    """The place float64 (2,) of a query on the map: its neighbours' mean, the nearer counting more.

    Args:
        positions: float32 (n, 2), the gallery's.
        neighbors: int (k,), the gallery indices of its nearest.
        distances: float (k,), how far they are in the latent space.
    """
    return np.average(positions[neighbors], axis=0, weights=1 / (distances + 1e-6))


def pca_by_size(training_images, gallery, *, seed):
    """How well principal components do, by their number: {"2": {"precision_at_4": …, "mse": …}, …}.

    Args:
        training_images: float32 (n, 28, 28), what the components are those of.
        gallery: Digits, searched in themselves.
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
