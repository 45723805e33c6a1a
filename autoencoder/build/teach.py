"""How a gallery learns from drawings: its right neighbors against the number of drawings that were added to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import DataError
from autoencoder.query.growing import MOST_ADDED, JoinedNeighbors
from autoencoder.query.search import Searcher

N_NEIGHBORS = 4
SIZES = 30, 100, 300, 1_000  # drawings added, between none and all
SEEDS = range(5)  # of the random orders
SHOWN_DIGIT = 1  # in the table: MNIST's 1s are bare strokes, and a 1 with a hook and a foot is what there is to learn


@dataclass(frozen=True)
class Taught:
    """A gallery before it learns: `title` in words, `labels` uint8 (n,), and `nearest`, the search in it."""

    title: str
    labels: NDArray[np.uint8]
    nearest: Searcher


@dataclass(frozen=True)
class Round:
    """The drawings, by their indices, that are `added` to a gallery, int64 (n,), and `judged`, int64 (m,).

    Those that are judged were not added. The one exception is that all are added and all are judged, in the same order:
    then each is left out of its own answer.
    """

    added: NDArray[np.int64]
    judged: NDArray[np.int64]

    @property
    def leaves_out(self) -> bool:
        """Whether each drawing is left out of its own answer."""
        return np.array_equal(self.added, self.judged)

    @property
    def n_added(self) -> int:
        """How many drawings were added when one is judged, not counting itself."""
        return len(self.added) - self.leaves_out


def teach(
    galleries: Mapping[str, Taught],
    latents: NDArray[np.float32],
    labels: NDArray[np.uint8],
    writers: NDArray[np.int64] | None = None,
    *,
    seeds: Sequence[int] = SEEDS,
) -> dict[str, Any]:
    """P@4 of drawings in galleries that others of them were added to, by how many.

    Args:
        galleries: by name. Each learns by itself.
        latents: float32 (n, dim) of the drawings.
        labels: uint8 (n,), the digit that each shows.
        writers: int64 (n,), who wrote each, or None where that is not known. `stages_of` says what it changes.
        seeds: of the random orders, one for each.

    Returns:
        dict, ready for JSON: `drawings` and `writers`, how many there are (None where that is not known); `orders`,
        the number of seeds; and `galleries`, by name: `title` and `stages`. A stage has `added`, how many drawings;
        `judged`, how many in each round; `precision_at_4`, the mean over the rounds; its `deviation` from round to
        round, None where there is only one; and `by_digit`, the same two for each digit that was judged.

    Raises:
        DataError: there are too few drawings, or more than a gallery takes.
    """
    stages = stages_of(len(labels), writers, seeds)
    return {
        "drawings": len(labels),
        "writers": None if writers is None else len(np.unique(writers)),
        "orders": len(seeds),
        "galleries": {
            name: {"title": gallery.title, "stages": [_measure(gallery, latents, labels, rounds) for rounds in stages]}
            for name, gallery in galleries.items()
        },
    }


def stages_of(n: int, writers: NDArray[np.int64] | None, seeds: Sequence[int]) -> list[list[Round]]:
    """For each number of drawings added, from none to all, the rounds to measure it by.

    Where it is not known who wrote what, each seed gives a random order. Its first drawings are added, and all that
    come after them are judged: no drawing is searched for among those that it is one of. For the last stage none
    would be left to judge. So there each is judged among all the others. "None" and "all the others" have no order,
    and have one round.

    Where it is known, each seed draws half of the writers. Their drawings are judged, in all stages the same; those of
    the others are added in a random order. All are then as many as the seed with the fewest has.

    Args:
        n: how many drawings there are.
        writers: int64 (n,), who wrote each, or None.
        seeds: one for each round.

    Raises:
        DataError: there are not 30 to add and 30 to judge, or more than 10,000.
    """
    if n > MOST_ADDED:
        raise DataError(f"A gallery learns from at most {MOST_ADDED:,} drawings, and here are {n:,}: leave some out.")
    if writers is not None:
        return _stages_by_writers(writers, seeds)
    _require_enough(n // 2)
    everyone = np.arange(n)
    orders = [np.random.default_rng(seed).permutation(n) for seed in seeds]
    sizes = [size for size in SIZES if 2 * size <= n]
    between = [[Round(order[:size], order[size:]) for order in orders] for size in sizes]
    return [[Round(everyone[:0], everyone)], *between, [Round(everyone, everyone)]]


def _stages_by_writers(writers: NDArray[np.int64], seeds: Sequence[int]) -> list[list[Round]]:
    splits = [_split(writers, seed) for seed in seeds]
    _require_enough(min(min(len(split.added), len(split.judged)) for split in splits))
    fewest = min(len(split.added) for split in splits)
    sizes = [0, *(size for size in SIZES if size < fewest), fewest]
    return [[Round(split.added[:size], split.judged) for split in splits] for size in sizes]


def _split(writers: NDArray[np.int64], seed: int) -> Round:
    """Half of the writers' drawings to be judged, and those of the others to be added, in a random order."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(np.unique(writers))
    is_judged = np.isin(writers, shuffled[: len(shuffled) // 2])
    return Round(rng.permutation(np.flatnonzero(~is_judged)), np.flatnonzero(is_judged))


def _require_enough(n: int) -> None:
    if n < SIZES[0]:
        raise DataError(f"To teach a gallery takes at least {SIZES[0]} drawings to add and {SIZES[0]} others to judge.")


def hits_of(
    gallery: Taught, latents: NDArray[np.float32], labels: NDArray[np.uint8], taught: Round
) -> NDArray[np.int64]:
    """How many of the 4 nearest of each judged drawing show its digit, int64 (m,), once others were added.

    `latents` float32 (n, dim) and `labels` uint8 (n,) are those of all drawings.
    """
    nearest, left_out = gallery.nearest, None
    if len(taught.added):
        nearest = JoinedNeighbors(gallery.nearest, latents[taught.added])
    if taught.leaves_out:
        left_out = len(gallery.labels) + np.arange(len(taught.judged))
    _, found = nearest.kneighbors(latents[taught.judged], N_NEIGHBORS, exclude=left_out)
    searched = np.concatenate([gallery.labels, labels[taught.added]])
    return (searched[found] == labels[taught.judged][:, None]).sum(axis=1)


def _measure(
    gallery: Taught, latents: NDArray[np.float32], labels: NDArray[np.uint8], rounds: Sequence[Round]
) -> dict[str, Any]:
    """A stage, as `teach` has it."""
    hits = [hits_of(gallery, latents, labels, taught) for taught in rounds]
    shown = [labels[taught.judged] for taught in rounds]
    by_digit = {
        str(digit): _summarize([some[of == digit] for some, of in zip(hits, shown, strict=True)])
        for digit in np.unique(np.concatenate(shown)).tolist()
    }
    counts = {"added": rounds[0].n_added, "judged": [len(taught.judged) for taught in rounds]}
    return counts | _summarize(hits) | {"by_digit": by_digit}


def _summarize(hits: Sequence[NDArray[np.int64]]) -> dict[str, float | None]:
    """The mean P@4 of rounds and its standard deviation from one to another, of those that have judged anything."""
    precisions = [float(of_round.mean()) / N_NEIGHBORS for of_round in hits if len(of_round)]
    deviation = float(np.std(precisions, ddof=1)) if len(precisions) > 1 else None
    return {"precision_at_4": float(np.mean(precisions)), "deviation": deviation}


def format_lesson(results: Mapping[str, Any]) -> str:
    """What `teach` gives as a Markdown table, two rows for each gallery, and a sentence on how it was measured."""
    galleries = list(results["galleries"].values())
    stages = galleries[0]["stages"]
    rows = [
        ["drawings added", *(f"{stage['added']:,}" if stage["added"] else "none" for stage in stages)],
        ["---"] * (len(stages) + 1),
        ["drawings judged", *(_range(stage["judged"]) for stage in stages)],
    ]
    for gallery in galleries:
        rows.append([f"{gallery['title']}: P@4", *map(_mean, gallery["stages"])])
        of_digit = [stage["by_digit"].get(str(SHOWN_DIGIT)) for stage in gallery["stages"]]
        if any(of_digit):
            rows.append([f"of the {SHOWN_DIGIT}s", *map(_mean, of_digit)])
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", _method(results)])


def _mean(figures: Mapping[str, Any] | None) -> str:
    if figures is None:
        return "–"
    mean = f"{figures['precision_at_4']:.3f}"
    return mean if figures["deviation"] is None else f"{mean} ± {figures['deviation']:.3f}"


def _range(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _method(results: Mapping[str, Any]) -> str:
    orders = f"{results['orders']} random orders, ± the standard deviation between them"
    if results["writers"] is None:
        return (
            f"Mean over {orders}. Each drawing is judged before it is added; in the last column each is judged among "
            "all the others. The file does not say who wrote, so a drawing may find others of its own writer."
        )
    n_judged = results["writers"] // 2
    return (
        f"Mean over {orders}. Each order judges the drawings of {n_judged} of the {results['writers']} writers, drawn "
        "at random, and adds drawings of the others alone."
    )
