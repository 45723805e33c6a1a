"""What the teaching pages show of a gallery, computed once: its map, and how each of its digits fares as a query."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Study:
    """Arrays with one entry for each digit of a gallery, read-only once loaded.

    `positions` (n, 2): its place on the map, each axis in [0, 1]. `neighbors` (n, 4): the gallery indices of its
    nearest in the latent space, itself left out. `hits`, space name -> (n,): how many of its 4 nearest there show its
    digit.
    """

    positions: NDArray[np.float32]
    neighbors: NDArray[np.int64]
    hits: dict[str, NDArray[np.int64]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """The study that `save` has written."""
        with np.load(path, allow_pickle=False) as arrays:
            names = [name.removeprefix("hits_") for name in arrays if name.startswith("hits_")]
            hits = {name: arrays[f"hits_{name}"].astype(np.int64) for name in names}
            positions, neighbors = arrays["positions"], arrays["neighbors"].astype(np.int64)
        for array in (positions, neighbors, *hits.values()):
            array.setflags(write=False)
        return cls(positions, neighbors, hits)

    def save(self, path: Path) -> None:
        """Write it to a .npz file."""
        arrays: dict[str, Any] = {"positions": self.positions, "neighbors": self.neighbors.astype(np.int32)}
        arrays |= {f"hits_{name}": of_space.astype(np.uint8) for name, of_space in self.hits.items()}
        np.savez_compressed(path, **arrays)


def place_on_map(
    positions: NDArray[np.float32], neighbors: NDArray[np.int64], distances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The place (2,) of a query on the map: the mean of its neighbors' places, the nearer counting more.

    Args:
        positions: (n, 2), the gallery's.
        neighbors: (k,), the gallery indices of its nearest.
        distances: (k,), how far they are in the latent space.
    """
    return np.average(positions[neighbors], axis=0, weights=1 / (distances + 1e-6))
