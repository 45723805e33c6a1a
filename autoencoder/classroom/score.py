"""How the search does on what a class draws."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoencoder.classroom.store import Sent
from autoencoder.data import NO_DIGIT

WINDOW = 100  # drawings that a point of the curve looks back on


@dataclass(frozen=True)
class Score:
    """How many of the drawings were found.

    `by_digit` has for each digit that was drawn, NO_DIGIT among them, how many were `found` of how `many`. `mistaken`
    has the digit that was meant, the one that most of its look-alikes showed, and how often that was so, the most
    frequent first; it has those drawings that were not found.
    """

    found: int
    many: int
    by_digit: dict[int, tuple[int, int]]
    mistaken: tuple[tuple[int, int, int], ...]


def score(sent: Sequence[Sent]) -> Score:
    """The Score of drawings."""
    many, found = Counter(one.digit for one in sent), Counter(one.digit for one in sent if one.found)
    pairs = Counter(
        (one.digit, one.taken_for) for one in sent if not one.found and one.taken_for not in (None, one.digit)
    )
    mistaken = sorted(((digit, taken, n) for (digit, taken), n in pairs.items()), key=lambda row: (-row[2], *row[:2]))
    return Score(
        found.total(), many.total(), {digit: (found[digit], many[digit]) for digit in sorted(many)}, tuple(mistaken)
    )


def curves(sent: Sequence[Sent]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of right neighbors as a class draws, in the gallery alone and in the one that learns; each (n,).

    The i-th number is the mean of the last 100 digits until the i-th, or of all until there are so many. Each digit was
    judged before it was added. What is no digit does not count.

    >>> one, other = (Sent("", 3, 0.0, 0, alone, learned, True, 3) for alone, learned in ((2, 2), (0, 4)))
    >>> [share.tolist() for share in curves([one, other])]
    [[0.5, 0.25], [0.5, 0.75]]
    """
    right = np.array([(one.alone, one.learned) for one in sent if one.digit != NO_DIGIT], float).reshape(-1, 2) / 4
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(right, axis=0)])
    ends = np.arange(1, len(right) + 1)
    starts = np.maximum(ends - WINDOW, 0)
    alone, learned = ((sums[ends] - sums[starts]) / (ends - starts)[:, None]).T
    return alone, learned
