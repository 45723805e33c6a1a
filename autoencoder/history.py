"""What a training looks like from one moment of it to the next, as the About page shows it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class History:
    """What was measured at m moments of one training, in their order; arrays are read-only once loaded.

    `n_training`, how many images it was trained on; `n_searched`, how many others it was measured with; `seed`.

    At each moment: `epochs` float64 (m,), the passes over the training images until then, 0 for the untrained network;
    `precision_at_4` float64 (m,), of the others searched in themselves; `mse` float64 (m,), the mean squared error a
    pixel of their reconstructions; `redrawn` uint8 (m, n, 28, 28), the reconstructions of some of them, `digits` uint8
    (n, 28, 28); `positions` float32 (m, n_placed, 2), a map of some, each axis in [0, 1], and their `labels` uint8
    (n_placed,) from 0 to 9.
    """

    n_training: int
    n_searched: int
    seed: int
    epochs: NDArray[np.float64]
    precision_at_4: NDArray[np.float64]
    mse: NDArray[np.float64]
    digits: NDArray[np.uint8]
    redrawn: NDArray[np.uint8]
    positions: NDArray[np.float32]
    labels: NDArray[np.uint8]

    @classmethod
    def load(cls, path: Path) -> Self:
        """The history that `save` has written."""
        with np.load(path, allow_pickle=False) as arrays:
            kept = {name: arrays[name] for name in arrays}
        numbers = {name: array.item() for name, array in kept.items() if not array.ndim}
        kept["positions"] = kept["positions"].astype(np.float32)
        for array in kept.values():
            array.setflags(write=False)
        return cls(**(kept | numbers))

    def save(self, path: Path) -> None:
        """Write it to a .npz file, the positions as float16."""
        np.savez_compressed(path, **(asdict(self) | {"positions": self.positions.astype(np.float16)}))
