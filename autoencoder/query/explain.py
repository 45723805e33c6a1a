"""Why a neighbor is near: which of the 32 numbers and which ink hold it there, and how another digit differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import UNLABELED
from autoencoder.query.search import distances_to
from autoencoder.spaces import Space

CONTENT_DIM = 24  # of the latent's numbers, as many as the network was trained to tell what a digit is by
PATCH_PX, STRIDE_PX = 6, 2  # each pixel is in 9 patches, or in 3 x 3
LEAST_INK = 1.0  # of a patch that is erased: as much as in one pixel full of ink
CLEAR_INK = 4.0  # of a difference that is named: as much as in four pixels full of ink
LEAST_HEAT = 0.1  # of the distance: a smaller change of it is not named, and does not get the full color
MOST_PLACES = 2  # that a sentence names
TINY = 1e-9
# MNIST's ink is 20 px high or wide around (14, 14): these parts hold a third of that each.
PARTS = (slice(0, 11), slice(11, 17), slice(17, 28))
PLACES = (
    ("at the top left", "at the top", "at the top right"),
    ("on the left", "in the middle", "on the right"),
    ("at the bottom left", "at the bottom", "at the bottom right"),
)


@dataclass(frozen=True)
class Contributions:
    """What each number adds to the squared distance between two latents, the largest first.

    `numbers` int64 (dim,), from 0; `squares` float64 (dim,), in their order.
    """

    numbers: NDArray[np.int64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, query: NDArray[np.float32], neighbor: NDArray[np.float32]) -> "Contributions":
        """Those of two latents float32 (dim,); of equal ones the lower number comes first.

        >>> found = Contributions.of(np.array([1, 5], np.float32), np.array([0, 2], np.float32))
        >>> found.numbers.tolist(), found.squares.tolist()
        ([1, 0], [9.0, 1.0])
        """
        squares = np.square(np.subtract(query, neighbor, dtype=np.float64))
        numbers = np.argsort(-squares, kind="stable")
        return cls(numbers, squares[numbers])

    @property
    def shares(self) -> NDArray[np.float64]:
        """The same as shares of the squared distance, float64 (dim,); zeros where that is 0."""
        return self.squares / (self.squares.sum() or 1)

    @property
    def n_of_half(self) -> int:
        """How many numbers, the largest first, add at least half of the squared distance; 0 where that is 0."""
        total = self.squares.sum()
        return int(np.searchsorted(self.squares.cumsum(), total / 2)) + 1 if total else 0


def kind_shares(latents: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """How far each number goes by the kind of digit: its correlation ratio, float64 (dim,) in [0, 1].

    That is the variance of the kinds' means as a share of the number's whole variance (Fisher, "Statistical Methods
    for Research Workers", 1925, section 45). It is 1 where all digits of a kind have the same number, 0 where all kinds
    have the same mean. Digits without a label do not count.

    Args:
        latents: float32 (n, dim).
        labels: (n,), from 0 to 9, or UNLABELED.

    Returns:
        The shares; None where fewer than two kinds are labeled.
    """
    known = labels != UNLABELED
    kinds, of_digits, counts = np.unique(labels[known], return_inverse=True, return_counts=True)
    if len(kinds) < 2:
        return None
    vectors = latents[known].astype(np.float64)
    vectors -= vectors.mean(axis=0)
    means = np.stack([vectors[of_digits == kind].mean(axis=0) for kind in range(len(kinds))])
    between, whole = counts @ np.square(means), np.square(vectors).sum(axis=0)
    return np.divide(between, whole, out=np.zeros_like(whole), where=whole > 0)


def tell_kind(latents: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Which of the numbers tell the kind of a digit, bool (dim,); the others tell its pose. None without labels.

    The network was trained with 24 numbers for what a digit is and 8 for how it stands. The linear maps that the
    build applies afterwards (whitening, look map) mix the two, so that no number of the shipped encoder is of one sort
    alone. So the split is measured: the 24 numbers that go most by the kind, as `kind_shares` has it.
    """
    shares = kind_shares(latents, labels)
    if shares is None:
        return None
    is_kind = np.zeros(len(shares), bool)
    is_kind[np.argsort(-shares, kind="stable")[:CONTENT_DIM]] = True
    return is_kind


@dataclass(frozen=True)
class Knobs:
    """What is known of the 32 numbers by the gallery: how far each goes, and which tell the kind of a digit.

    `low` and `high` float32 (32,); `is_kind` bool (32,), None where the gallery has no labels; `order` int64 (32,): the
    numbers, those first that tell most of the kind.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]
    is_kind: NDArray[np.bool_] | None
    order: NDArray[np.int64]

    @classmethod
    def of(cls, latents: NDArray[np.float32], labels: NDArray[np.uint8]) -> "Knobs":
        """Those of latents float32 (n, 32) and their labels (n,)."""
        shares = kind_shares(latents, labels)
        order = np.arange(latents.shape[1]) if shares is None else np.argsort(-shares, kind="stable")
        return cls(latents.min(axis=0), latents.max(axis=0), tell_kind(latents, labels), order)

    def turn(self, latent: NDArray[np.float32], number: int, percent: int) -> NDArray[np.float32]:
        """A latent (32,) with one of its numbers, from 0, turned from where it is: by 100 to the high end, by -100 to
        the low one. Where it is beyond an end, it stays."""
        own = latent[number]
        end = max(self.high[number], own) if percent > 0 else min(self.low[number], own)
        turned = latent.copy()
        turned[number] = own + abs(percent) / 100 * (end - own)
        return turned

    @property
    def sorts(self) -> list[tuple[str, slice]]:
        """The sorts of numbers: a title, and which places they have in `order`."""
        if self.is_kind is None:
            return [("All", slice(None))]
        n_kind = int(self.is_kind.sum())
        return [("Kind of digit", slice(n_kind)), ("Pose: how it stands", slice(n_kind, None))]

    def name(self, number: int) -> str:
        """What a number, from 0, is called on the page, where numbers begin with 1."""
        if self.is_kind is None:
            return f"Number {number + 1}"
        return f"Number {number + 1} ({'kind' if self.is_kind[number] else 'pose'})"


@dataclass(frozen=True)
class Erased:
    """What becomes of the distance between a digit and a neighbor when the digit's ink is erased, patch by patch.

    `digit` float32 (28, 28); `corners` int64 (n, 2), the patches' first row and column, which may lie outside the
    picture; `changes` float64 (n,): how much farther the neighbor is without the patch's ink, negative where it is
    nearer. `distance` is that of the whole digit.
    """

    digit: NDArray[np.float32]
    corners: NDArray[np.int64]
    changes: NDArray[np.float64]
    distance: float

    @cached_property
    def heat(self) -> NDArray[np.float64]:
        """How much each pixel's ink holds the neighbor near, float64 (28, 28): the mean change of its patches.

        0 where no patch was erased.
        """
        sums, counts = np.zeros((2, 28, 28))
        for corner, change in zip(self.corners.tolist(), self.changes, strict=True):
            sums[_patch(*corner)] += change
            counts[_patch(*corner)] += 1
        return sums / np.maximum(counts, 1)

    def place(self, number: int) -> str:
        """Where most of a patch's ink is, in words."""
        ink = np.zeros_like(self.digit)
        patch = _patch(*self.corners[number].tolist())
        ink[patch] = self.digit[patch]
        row, column = divmod(int(ink_by_part(ink).argmax()), 3)
        return PLACES[row][column]


@dataclass(frozen=True)
class ErasedLatents:
    """The latents of a digit float32 (28, 28): of the whole digit, `whole` (dim,), and without the ink of each patch.

    `corners` int64 (n, 2) and `without` float32 (n, dim), patch by patch.
    """

    digit: NDArray[np.float32]
    corners: NDArray[np.int64]
    whole: NDArray[np.float32]
    without: NDArray[np.float32]

    @classmethod
    def of(cls, digit: NDArray[np.float32], space: Space) -> "ErasedLatents":
        """Those of all patches of 6 x 6 pixels, 2 pixels apart, that have ink; encoded at once.

        The patches reach beyond the picture, so that each of its pixels is in 9.
        """
        starts = range(STRIDE_PX - PATCH_PX, 28, STRIDE_PX)
        patches = [(row, column) for row in starts for column in starts]
        corners = [corner for corner in patches if digit[_patch(*corner)].sum() >= LEAST_INK]
        pictures = np.repeat(digit[None], len(corners) + 1, axis=0)
        for picture, corner in zip(pictures[1:], corners, strict=True):
            picture[_patch(*corner)] = 0
        latents = space.transform(pictures)
        return cls(digit, np.array(corners, np.int64).reshape(-1, 2), latents[0], latents[1:])

    def against(self, neighbor: NDArray[np.float32]) -> Erased:
        """How the distance to a neighbor's latent (dim,) changes."""
        distance = float(np.linalg.norm(np.subtract(self.whole, neighbor, dtype=np.float64)))
        changes = distances_to(neighbor, self.without) - distance if len(self.without) else np.zeros(0)
        return Erased(self.digit, self.corners, changes, distance)


def _patch(row: int, column: int) -> tuple[slice, slice]:
    return slice(max(row, 0), row + PATCH_PX), slice(max(column, 0), column + PATCH_PX)


def ink_by_part(ink: NDArray[np.floating]) -> NDArray[np.float64]:
    """The sums float64 (3, 3) of a picture (28, 28) by its nine parts, as PLACES names them."""
    return np.array([[ink[rows, columns].sum(dtype=np.float64) for columns in PARTS] for rows in PARTS])


def places(amounts: NDArray[np.float64]) -> list[str]:
    """Where amounts (3, 3) are clear, in words, the largest first, two at most; at least half of the largest each."""
    least = max(CLEAR_INK, amounts.max() / 2)
    largest = np.argsort(-amounts, axis=None, kind="stable")[:MOST_PLACES].tolist()
    return [PLACES[part // 3][part % 3] for part in largest if amounts.flat[part] >= least]


@dataclass(frozen=True)
class Found:
    """A digit that a query is compared with: `what` it is called in a sentence, its `rank` from 1 among the
    look-alikes, its `distance`, and its `latent` float32 (dim,) and `picture` float32 (28, 28)."""

    what: str
    rank: int
    distance: float
    latent: NDArray[np.float32]
    picture: NDArray[np.float32]


@dataclass(frozen=True)
class Votes:
    """How the numbers of a query decide between two digits.

    `n_for` numbers are nearer to the first and `n_against` to the second. `kind` and `pose` are what the numbers of
    either sort add to the squared distance of the second less that of the first; both are 0 where the sorts are not
    known.
    """

    n_for: int
    n_against: int
    kind: float
    pose: float

    @classmethod
    def of(
        cls,
        query: NDArray[np.float32],
        first: NDArray[np.float32],
        second: NDArray[np.float32],
        is_kind: NDArray[np.bool_] | None,
    ) -> "Votes":
        """Those of a query's latent (dim,) between the latents (dim,) of two digits; `is_kind` as of `tell_kind`."""
        to_first, to_second = (np.square(np.subtract(query, other, dtype=np.float64)) for other in (first, second))
        gaps = to_second - to_first
        kind, pose = (0.0, 0.0) if is_kind is None else (float(gaps[is_kind].sum()), float(gaps[~is_kind].sum()))
        return cls(int((gaps > 0).sum()), int((gaps < 0).sum()), kind, pose)


@dataclass(frozen=True)
class Redrawn:
    """A query with one part of its picture drawn as in another digit: where that `place` is, in words, and how far it
    is then `to_other` and `to_rival`."""

    place: str
    to_other: float
    to_rival: float


def redraw_best_part(digit: NDArray[np.float32], other: Found, rival: Found, space: Space) -> Redrawn:
    """The one of nine parts of a digit (28, 28) that, drawn as in the `other`, brings it nearest to that.

    Nearest means: with the smallest distance to the other less that to the rival. All nine are encoded at once.
    """
    pictures = np.repeat(digit[None], 9, axis=0)
    parts = [(rows, columns) for rows in PARTS for columns in PARTS]
    for picture, part in zip(pictures, parts, strict=True):
        picture[part] = other.picture[part]
    latents = space.transform(pictures)
    to_other, to_rival = distances_to(other.latent, latents), distances_to(rival.latent, latents)
    best = int((to_other - to_rival).argmin())
    return Redrawn(PLACES[best // 3][best % 3], float(to_other[best]), float(to_rival[best]))


def describe_numbers(contributions: Contributions, is_kind: NDArray[np.bool_] | None) -> str:
    """How many of the numbers make half of the difference, and how much of it tells the kind of digit."""
    n_half = contributions.n_of_half
    if not n_half:
        return f"All {len(contributions.numbers)} numbers are the same."
    makes = "makes" if n_half == 1 else "make"
    sentence = f"{n_half} of the {len(contributions.numbers)} numbers {makes} half of the difference."
    if is_kind is None:
        return sentence
    kind = contributions.shares[is_kind[contributions.numbers]].sum()
    return f"{sentence} Kind makes {kind:.0%} of it, pose {1 - kind:.0%}."


def describe_heat(erased: Erased) -> list[str]:
    """What erasing a patch of ink changes most, a sentence for each way in which it clearly changes the distance.

    Where both patches are in the same place, only the larger change is told.
    """
    if not len(erased.changes):
        return []
    changes, least = erased.changes, max(LEAST_HEAT * erased.distance, TINY)
    farthest, nearest = int(changes.argmax()), int(changes.argmin())
    clear = [farthest] if changes[farthest] >= least else []
    if changes[nearest] <= -least:
        clear.append(nearest)
    if len({erased.place(number) for number in clear}) < len(clear):
        clear = [max(clear, key=lambda number: abs(changes[number]))]
    return [_describe_patch(erased, number) for number in clear]


def _describe_patch(erased: Erased, number: int) -> str:
    change = erased.changes[number]
    return (
        f"Without the ink {erased.place(number)} the look-alike is {erased.distance + change:.2f} away: "
        f"that ink {'holds it near' if change > 0 else 'pushes it away'}."
    )


def describe_ink(query: NDArray[np.float32], other: NDArray[np.float32], what: str) -> str:
    """Where another picture (28, 28) has clearly more ink than the query's, and where less."""
    more = ink_by_part(np.subtract(other, query, dtype=np.float64))
    has_more, has_less = places(more), places(-more)
    if has_more and has_less:
        return f"{what} has more ink {_listed(has_more)}, and less {_listed(has_less)}."
    if has_more or has_less:
        return f"{what} has {'more' if has_more else 'less'} ink {_listed(has_more or has_less)}."
    return f"{what} has about as much ink everywhere."


def describe_ranks(other: Found, rival: Found) -> str:
    """Where two digits stand among the look-alikes."""
    return (
        f"The nearest {other.what} is look-alike {other.rank:,}, {other.distance:.2f} away. "
        f"The {rival.what} is look-alike {rival.rank:,}, {rival.distance:.2f} away."
    )


def describe_votes(votes: Votes, other: str, rival: str) -> str:
    """Which numbers decide between two digits; the votes are for the rival."""
    are = "number is" if votes.n_for == 1 else "numbers are"
    sentence = f"{votes.n_for} {are} nearer to the {rival}, {votes.n_against} to the {other}."
    if not votes.kind * votes.pose:
        return sentence
    kind, pose = (rival if part > 0 else other for part in (votes.kind, votes.pose))
    if kind == pose:
        share = votes.kind / (votes.kind + votes.pose)
        return f"{sentence} Kind makes {share:.0%} of the gap, pose {1 - share:.0%}."
    return f"{sentence} Kind speaks for the {kind}, pose for the {pose}."


def describe_redrawn(redrawn: Redrawn, other: str, rival: str) -> str:
    """Whether the best part, drawn as in the other digit, makes that the nearer one."""
    drawn, nearer = ("Drawn", other) if redrawn.to_other < redrawn.to_rival else ("Even drawn", rival)
    return (
        f"{drawn} like that {other} {redrawn.place}, yours is nearer to the {nearer}: {redrawn.to_other:.2f} to the "
        f"{other}, {redrawn.to_rival:.2f} to the {rival}."
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(words)
