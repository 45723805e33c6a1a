"""What the teaching pages show of a gallery, computed once: its map, and how each of its digits fares as a query."""

from dataclasses import dataclass

import numpy as np


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


def place_on_map(positions, neighbors, distances):
    """The place float64 (2,) of a query on the map: its neighbours' mean, the nearer counting more.

    Args:
        positions: float32 (n, 2), the gallery's.
        neighbors: int (k,), the gallery indices of its nearest.
        distances: float (k,), how far they are in the latent space.
    """
    return np.average(positions[neighbors], axis=0, weights=1 / (distances + 1e-6))
