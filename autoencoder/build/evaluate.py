"""How good a space is to search in: how many neighbors show the query's digit, and how much they look like it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoencoder.data import N_TEST, UNLABELED, DataError, Digits, unseen_part
from autoencoder.disturb import NOISE, SHIFT_PX, add_noise, shift
from autoencoder.ink.preprocess import to_bytes
from autoencoder.look import likeness
from autoencoder.query.engine import Engine
from autoencoder.query.search import NearestNeighbors, Searcher
from autoencoder.query.typical import Traits, Typical
from autoencoder.spaces import PCA, Latent, Pixels, Space

BOOTSTRAP_SAMPLES = 10_000
LARGEST_TO_COMPARE = 100_000  # digits of a gallery: each takes 6 KB to be searched by its pixels
N_PICTURED = 12  # queries that find none of their kind
N_VOTES = 3  # so many of the nearest training digits say what a test digit is
ROW_ORDER = ("pixels", "pca", "textbook", "latent")


def neighbors_at_4(
    space: Space, gallery: Digits, queries: Digits | None = None, *, in_gallery: bool = False
) -> NDArray[np.int64]:
    """The gallery indices of each query's 4 nearest neighbors, int64 (n_queries, 4).

    Args:
        space: where they are searched.
        gallery: Digits that are searched.
        queries: Digits that are searched for; None for the gallery's own, each left out of its own answer.
        in_gallery: whether the queries are the gallery's first digits, or these disturbed: each is left out of its own
            answer.
    """
    vectors = space.transform(gallery.images[:])
    asked = vectors if queries is None else space.transform(queries.images[:])
    left_out = np.arange(len(asked)) if in_gallery or queries is None else None
    return NearestNeighbors(vectors).kneighbors(asked, 4, exclude=left_out)[1]


def hits_at_4(
    space: Space, gallery: Digits, queries: Digits | None = None, *, in_gallery: bool = False
) -> NDArray[np.int64]:
    """How many of each query's 4 nearest neighbors show its digit, int64 (n_queries,) from 0 to 4."""
    found = neighbors_at_4(space, gallery, queries, in_gallery=in_gallery)
    return count_hits(gallery, found, (queries or gallery).labels)


def count_hits(gallery: Digits, found: NDArray[np.int64], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How many of each query's neighbors, gallery indices int64 (n_queries, k), show its label; int64 (n_queries,)."""
    return (gallery.labels[found] == labels[:, None]).sum(axis=1)


def picture_failures(space: Space, gallery: Digits) -> NDArray[np.uint8]:
    """The first queries of a gallery that find none of their kind, each beside its 4 neighbors.

    Returns:
        uint8 (90 · 12, 450), a row for each query: the query, dark on light, and its neighbors, nearest first. All
        are enlarged 3 times.
    """
    indices = neighbors_at_4(space, gallery)
    failed = np.flatnonzero(count_hits(gallery, indices, gallery.labels) == 0)[:N_PICTURED]
    rows = np.concatenate([failed[:, None], indices[failed]], axis=1)  # (12, 5)
    tiles = np.pad(gallery.images[rows], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0.4)  # (12, 5, 30, 30)
    tiles[:, 0] = 1 - tiles[:, 0]  # the query, dark on light
    picture = np.concatenate(np.concatenate(list(tiles), axis=-2), axis=-1)  # (30 · 12, 150)
    return to_bytes(picture).repeat(3, axis=0).repeat(3, axis=1)


def summarize(hits: NDArray[np.int64], *, seed: int = 0) -> dict[str, Any]:
    """How many of the neighbors are right, over all queries.

    Args:
        hits: int64 (n_queries,), how many of each query's 4 neighbors show its digit.
        seed: of the bootstrap.

    Returns:
        dict of floats in [0, 1]: `precision_at_4` with its bootstrap 95 % interval [low, high] over the queries
        (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993), and the shares of queries `at_least_3_of_4`
        and `all_4` right.
    """
    # To draw n queries anew is to draw how many of them have 0, 1, 2, 3 and 4 hits.
    shares = np.bincount(hits, minlength=5) / len(hits)
    redrawn = np.random.default_rng(seed).multinomial(len(hits), shares, size=BOOTSTRAP_SAMPLES)
    low, high = np.quantile(redrawn @ np.arange(5) / (4 * len(hits)), [0.025, 0.975])
    return {
        "precision_at_4": float(hits.mean() / 4),
        "precision_at_4_interval": [float(low), float(high)],
        "at_least_3_of_4": float((hits >= 3).mean()),
        "all_4": float((hits == 4).mean()),
    }


def reconstruction_mse(
    space: PCA | Latent, images: NDArray[np.float32], wanted: NDArray[np.float32] | None = None
) -> float:
    """The mean squared error a pixel of images float32 (n, 28, 28) taken through the space and back.

    They are compared with the `wanted` images float32 (n, 28, 28), or with themselves where none are given.
    """
    wanted = images if wanted is None else wanted
    return float(np.square(space.inverse_transform(space.transform(images)) - wanted).mean())


def evaluate(
    spaces: Sequence[Space], gallery: Digits, queries: Digits | None = None, *, in_gallery: bool = False
) -> dict[str, dict[str, Any]]:
    """How good each space is to search in: space -> what `summarize` and `likeness` give, and `mse`.

    The gallery is searched for its own digits, or for others. Where the queries are its own, disturbed, likeness and
    error are those against the undisturbed ones. The arguments are those of `neighbors_at_4`.
    """
    asked = queries or gallery
    wanted = gallery.images[: len(asked)] if in_gallery else asked.images[:]
    results = {}
    for space in spaces:
        found = neighbors_at_4(space, gallery, queries, in_gallery=in_gallery)
        results[space.name] = _measure(space, gallery, asked, found, wanted)
    return results


def _measure(
    space: Space, gallery: Digits, queries: Digits, found: NDArray[np.int64], wanted: NDArray[np.float32]
) -> dict[str, Any]:
    """The figures of the neighbors int64 (n, 4) that queries have found, and of their reconstructions.

    Both are compared with the `wanted` images float32 (n, 28, 28).
    """
    figures = summarize(count_hits(gallery, found, queries.labels)) | likeness(wanted, queries.labels, gallery, found)
    if isinstance(space, PCA | Latent):
        figures["mse"] = reconstruction_mse(space, queries.images[:], wanted)
    return figures


def evaluate_all(
    spaces: Sequence[Space],
    galleries: Sequence[Digits],
    drawn: Digits | None = None,
    not_digits: Digits | None = None,
) -> dict[str, dict[str, Any]]:
    """How good each space is to search in: the name of the digits searched for -> what `evaluate` gives.

    Each gallery is searched for its own digits, the first one also for these disturbed, and for drawn ones. Where the
    first gallery is all of MNIST, its test digits are searched for among themselves, and as `…_all` in all of it.
    `…_noisy` are the first gallery's with Gaussian noise of standard deviation 0.3, `…_shifted` those moved to the
    right by 2 pixels; both, and the drawn ones, are searched for among the undisturbed.

    Two more are of the latent space alone: `knn`, as `classify` gives it, where the first gallery is all of MNIST; and
    `not_digits`, as `detect` gives it, where there are some.
    """
    latent = next((space for space in spaces if isinstance(space, Latent) and space.name == "latent"), None)
    whole, *others = galleries
    first = unseen_part(whole) or whole
    results = {gallery.name: evaluate(spaces, gallery) for gallery in (first, *others)}
    images = first.images[:]
    for name, changed in (("noisy", add_noise(images, NOISE)), ("shifted", shift(images, SHIFT_PX))):
        disturbed = Digits(f"{first.name}_{name}", changed, first.labels, "")
        results[disturbed.name] = evaluate(spaces, first, disturbed, in_gallery=True)
    if drawn:
        results[drawn.name] = evaluate(spaces, first, drawn)
    if first is not whole:
        results[f"{first.name}_all"] = evaluate(spaces, whole, first, in_gallery=True)
        if drawn:
            results[f"{drawn.name}_all"] = evaluate(spaces, whole, drawn)
        if latent:
            results["knn"] = classify(latent, whole)
    if latent and not_digits:
        results["not_digits"] = detect(latent, whole, first, drawn, not_digits)
    return results


def classify(space: Space, gallery: Digits) -> dict[str, Any]:
    """How often the nearest training digits tell what a test digit is; the gallery is all of MNIST.

    Returns:
        dict: `n_neighbors`, 3, and the `accuracy` of what most of them are, or the nearest one where no two agree.
    """
    vectors = space.transform(gallery.images[:])
    _, found = NearestNeighbors(vectors[N_TEST:]).kneighbors(vectors[:N_TEST], N_VOTES)
    votes = gallery.labels[N_TEST:][found]  # (n, 3)
    nearest, second, third = votes.T
    predicted = np.where(second == third, second, nearest)
    return {"n_neighbors": N_VOTES, "accuracy": float((predicted == gallery.labels[:N_TEST]).mean())}


def detect(space: Latent, gallery: Digits, unseen: Digits, drawn: Digits | None, not_digits: Digits) -> dict[str, Any]:
    """How many characters that are no digits are found to be unlike a gallery, and how many digits wrongly so.

    Args:
        space: the Latent space.
        gallery: Digits that are searched.
        unseen: its first ones, which the network has not seen: they say what is typical.
        drawn: other Digits, or None.
        not_digits: Digits without labels.

    Returns:
        dict: `detected`, the share of the characters; of the digits, by their names, `false_alarms_…`, the share, and
        `auroc_…`, how often a character is stranger than a digit.
    """
    from sklearn.metrics import roc_auc_score

    nearest = NearestNeighbors(space.transform(gallery.images[:]))

    def traits(digits: Digits) -> Traits:
        left_out = np.arange(len(unseen)) if digits is unseen else None
        return Traits.searched(digits.images[:], space, gallery, nearest, exclude=left_out)

    usual = traits(unseen)
    typical = Typical.of(usual)
    strangers = typical.strangeness(traits(not_digits))
    results = {"detected": float((strangers > typical.strange).mean())}
    for digits in filter(None, (unseen, drawn)):
        strangeness = typical.strangeness(usual if digits is unseen else traits(digits))
        is_stranger = np.repeat([False, True], [len(strangeness), len(strangers)])
        results[f"false_alarms_{digits.name}"] = float((strangeness > typical.strange).mean())
        results[f"auroc_{digits.name}"] = float(roc_auc_score(is_stranger, np.concatenate([strangeness, strangers])))
    return results


def evaluate_own(
    engine: Engine, pca: PCA, drawn: Digits | None = None, *, n_queries: int, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """How good the search in a gallery of one's own is, by its engine; in the form that `evaluate_all` gives.

    Where the gallery has at most 100,000 digits, pixels and principal components stand beside the latent space.

    Args:
        engine: Engine.
        pca: the principal components to compare with.
        drawn: Digits to search for besides, or None.
        n_queries: how many of the gallery's labeled digits, drawn at random, are searched for.
        seed: of that draw.

    Raises:
        DataError: the gallery has no labels.
    """
    gallery = engine.gallery
    labeled = np.flatnonzero(gallery.labels != UNLABELED)
    if not len(labeled):
        raise DataError("the gallery has no labels, so there is nothing to measure by.")
    some = np.sort(np.random.default_rng(seed).choice(labeled, min(n_queries, len(labeled)), replace=False))
    queries = Digits(gallery.name, gallery.images[some], gallery.labels[some], gallery.sha256)
    searched: list[tuple[Space, Searcher]] = [(engine.space, engine.nearest)]
    if len(gallery) <= LARGEST_TO_COMPARE:
        compared = Pixels(), pca
        searched += [(space, NearestNeighbors(space.transform(gallery.images[:]))) for space in compared]
    asked = [(queries, some), (drawn, None)] if drawn else [(queries, some)]
    results: dict[str, dict[str, Any]] = {}
    for digits, left_out in asked:
        images = digits.images[:]
        results[digits.name] = {}
        for space, nearest in searched:
            _, found = nearest.kneighbors(space.transform(images), 4, exclude=left_out)
            results[digits.name][space.name] = _measure(space, gallery, digits, found, images)
    return results


def format_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """What `evaluate_all` gives as lines of text, a row for each space."""
    lines = []
    for data, spaces in results.items():
        if data in ("knn", "not_digits"):
            continue
        heads = f"{'3 of 4':>6}  {'all 4':>6}  {'look':>6}  {'MSE':>7}"
        lines.append(f"{data:<13} {'P@4':>6}  {'95 % interval':<15}  {heads}")
        for space in sorted(spaces, key=ROW_ORDER.index):
            row = spaces[space]
            low, high = row["precision_at_4_interval"]
            mse = f"{row['mse']:.4f}" if "mse" in row else "–"
            look = f"{row['look']:.4f}" if "look" in row else "–"
            shares = f"{row['at_least_3_of_4']:>6.3f}  {row['all_4']:>6.3f}  {look:>6}  {mse:>7}"
            lines.append(f"  {space:<11} {row['precision_at_4']:>6.4f}  {low:.4f} – {high:.4f}  {shares}")
    for what in ("knn", "not_digits"):
        if figures := results.get(what):
            lines.append(what)
            lines += [f"  {name:<18} {value:>6.4g}" for name, value in figures.items()]
    return "\n".join(lines)
