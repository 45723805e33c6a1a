"""The whole way of a query behind one call: digit, latent, reconstruction, neighbors."""

from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autoencoder import artifacts
from autoencoder.data import Digits, unseen_part
from autoencoder.query.growing import Added, JoinedNeighbors, join
from autoencoder.query.search import NearestNeighbors, Searcher, distances_to
from autoencoder.query.typical import N_NEAREST, Traits, Typical, are_two_shapes
from autoencoder.spaces import Latent


@dataclass(frozen=True)
class Neighbor:
    """A digit of the gallery: its place in it, its label if it has one, and its distance from the query in the latent
    space. `is_added` is true for those that were added to the gallery, as `Engine.joined_with` does."""

    index: int
    label: int | None
    distance: float
    is_added: bool = False


@dataclass(frozen=True)
class SearchResult:
    """What one query gives; the arrays are read-only.

    `query` float32 (28, 28), `latent` float32 (32,), `reconstruction` float32 (28, 28) in [0, 1], `neighbors` nearest
    first. `reconstruction_mse` is the mean squared error a pixel, and `error_rank` the share of the gallery's own
    digits, in [0, 1], that are reconstructed better. `unlike` is true where the query is stranger than nearly all of
    the gallery's own digits, as `Typical` has it, and `two_shapes` where it also shows two shapes side by side.
    """

    query: NDArray[np.float32]
    latent: NDArray[np.float32]
    reconstruction: NDArray[np.float32]
    neighbors: tuple[Neighbor, ...]
    reconstruction_mse: float
    error_rank: float
    unlike: bool
    two_shapes: bool


class Engine:
    """Answers queries about one gallery; holds no state but what it was made of, so any thread may use it.

    Args:
        gallery: Digits to search in.
        nearest: the Searcher of their latents float32 (n, 32), in order.
        typical: the Typical of them.
        space: the Latent space.
        unseen: the Engine of the gallery's part that the network has not seen; None where that is all of it.

    The arguments are kept as attributes; `unseen` is the engine itself where None was given. `own` is how many of the
    gallery's digits are its own; others may have been added.
    """

    def __init__(
        self, gallery: Digits, nearest: Searcher, typical: Typical, space: Latent, unseen: "Engine | None" = None
    ) -> None:
        if len(nearest.vectors) != len(gallery):
            raise ValueError(f"expected {len(gallery)} latents, one a digit, received {len(nearest.vectors)}")
        self.gallery = gallery
        self.nearest = nearest
        self.typical = typical
        self.space = space
        self.unseen = unseen or self
        self.own = len(gallery)
        self.search(gallery.images[0], n_neighbors=1)  # the first call is the slow one: not a visitor's
        self.space.inverse_transform(self.space.transform(gallery.images[:1]))

    @classmethod
    def load(cls, gallery: Digits, directory: Path) -> "Engine":
        """The engine of the verified artifacts for a gallery.

        Raises:
            ArtifactError: an artifact is missing or damaged, or the latents are not this gallery's.
        """
        part = unseen_part(gallery)
        paths = [path(gallery.name) for path in (artifacts.latents_path, artifacts.typical_path)]
        if part:
            paths.append(artifacts.typical_path(gallery.name, unseen=True))
        manifest = artifacts.verify(
            directory, required=(*artifacts.NETWORKS, artifacts.PCA, *(path.name for path in paths))
        )
        if manifest["data"].get(gallery.name) != gallery.sha256:
            raise artifacts.ArtifactError(
                f"the latents in {directory} are not of this {gallery.name} gallery: "
                "compute them with `python -m autoencoder encode`."
            )
        space, latents = Latent.load(directory), artifacts.load_latents(gallery.name, directory)

        def engine(digits: Digits, *, is_part: bool = False, unseen: Engine | None = None) -> Engine:
            typical = Typical.load(artifacts.typical_path(gallery.name, directory, unseen=is_part))
            return cls(digits, NearestNeighbors(latents[: len(digits)]), typical, space, unseen)

        return engine(gallery, unseen=engine(part, is_part=True) if part else None)

    def joined_with(self, added: Added, title: str) -> "Engine":
        """The engine of the gallery's digits and, after them, of those that were added; it shares everything else.

        What is typical, and what is unseen, remains that of the gallery's own. `title` says what the digits are.
        """
        joined = copy(self)
        joined.gallery = join(self.gallery, added, title)
        joined.nearest = JoinedNeighbors(self.nearest, added.latents)
        return joined

    def search(self, digit: NDArray[np.float32], n_neighbors: int = 4, exclude: int | None = None) -> SearchResult:
        """The latent, the reconstruction and the nearest digits of the gallery.

        Args:
            digit: float32 (28, 28) in [0, 1], ink bright, as `preprocess` makes it.
            n_neighbors: how many, from 1 to the gallery's size (less one with `exclude`).
            exclude: the gallery index of the query, where it comes from there, to leave it out of its own answer.

        Returns:
            SearchResult.

        Raises:
            ValueError: `digit` is of another shape or range, or the gallery has fewer digits.

        >>> from autoencoder.data import load_bundled
        >>> engine = Engine.load(load_bundled(), artifacts.DIRECTORY)
        >>> result = engine.search(engine.gallery.images[7], exclude=7)
        >>> [neighbor.label for neighbor in result.neighbors]
        [7, 7, 7, 7]
        >>> result.latent.shape, result.reconstruction.shape
        ((32,), (28, 28))
        """
        digit = np.array(digit, np.float32)
        if digit.shape != (28, 28):
            raise ValueError(f"expected a digit (28, 28), received {digit.shape}")
        if not ((digit >= 0) & (digit <= 1)).all():
            raise ValueError(f"expected a digit in [0, 1], received [{digit.min():g}, {digit.max():g}]")
        latent, reconstruction = self.space.encode_and_decode(digit)
        available = len(self.gallery) if exclude is None else len(self.gallery) - 1
        n_found = max(n_neighbors, min(N_NEAREST, available))
        distances, indices = self.nearest.kneighbors(latent[None], n_found, exclude=exclude)
        of_nearest = distances[:, :N_NEAREST], indices[:, :N_NEAREST]
        traits = Traits.of(digit[None], reconstruction[None], self.gallery, *of_nearest)
        for array in (digit, latent, reconstruction):
            array.setflags(write=False)
        error, unlike = float(traits.errors[0]), bool(self.typical.strangeness(traits)[0] > self.typical.strange)
        return SearchResult(
            digit,
            latent,
            reconstruction,
            tuple(self._neighbor(*found) for found in zip(indices[0, :n_neighbors], distances[0], strict=False)),
            reconstruction_mse=error,
            error_rank=self.typical.error_rank(error),
            unlike=unlike,
            two_shapes=unlike and bool(are_two_shapes(digit[None])[0]),
        )

    def find_nearest_of(self, label: int, result: SearchResult, exclude: int | None = None) -> tuple[int, Neighbor]:
        """The nearest digit of a label to a query that was searched for: its rank from 1, and the Neighbor.

        Args:
            label: int, from 0 to 9, of a digit in the gallery.
            result: SearchResult, the query's.
            exclude: as `search` has it.

        Raises:
            ValueError: the gallery has no digit of the label.
        """
        distances = distances_to(result.latent, self.nearest.vectors)
        if exclude is not None:
            distances[exclude] = np.inf
        of_label = np.flatnonzero(self.gallery.labels == label)
        if not len(of_label):
            raise ValueError(f"expected a label of {self.gallery.title}, received {label}")
        index = of_label[distances[of_label].argmin()]
        nearer = (distances < distances[index]).sum() + (distances[:index] == distances[index]).sum()
        return int(nearer) + 1, self._neighbor(index, distances[index])

    def _neighbor(self, index: int, distance: float) -> Neighbor:
        return Neighbor(int(index), self.gallery.label(index), float(distance), is_added=bool(index >= self.own))
