"""How good a space is to search in: how many of the neighbours show the query's digit."""

import numpy as np

from autoencoder.data import UNLABELLED, DataError, Digits
from autoencoder.disturb import add_noise, shift
from autoencoder.search import NearestNeighbors
from autoencoder.spaces import PCA, Pixels

BOOTSTRAP_SAMPLES = 10_000
NOISE, SHIFT_PX = 0.3, 2
LARGEST_TO_COMPARE = 100_000  # of a gallery: pixels take 6 KB a digit to search
ROW_ORDER = ("pixels", "pca", "textbook", "latent")


def neighbors_at_4(space, gallery, queries=None, *, own=False):
    """The gallery indices of each query's 4 nearest neighbours, int64 (n_queries, 4).

    Args:
        space: has `transform`, images to vectors.
        gallery: Digits that are searched.
        queries: Digits that are searched for; None for the gallery's own, each left out of its own answer.
        own: whether the queries are the gallery's own, disturbed: each is left out of its own answer, too.
    """
    vectors = space.transform(gallery.images)
    nearest = NearestNeighbors(vectors)
    left_out = np.arange(len(vectors)) if own or queries is None else None
    return nearest.kneighbors(vectors if queries is None else space.transform(queries.images), 4, exclude=left_out)[1]


def hits_at_4(space, gallery, queries=None, *, own=False):
    """How many of each query's 4 nearest neighbours show its digit, int64 (n_queries,) from 0 to 4."""
    labels = (queries or gallery).labels
    return (gallery.labels[neighbors_at_4(space, gallery, queries, own=own)] == labels[:, None]).sum(axis=1)


def picture_failures(space, gallery, *, n_rows=12):
    """The first queries of a gallery that find none of their kind, each beside its 4 neighbours.

    Returns:
        uint8 (90 · n_rows, 450), a query a line, dark on light, then its neighbours, nearest first; 3 × enlarged.
    """
    indices = neighbors_at_4(space, gallery)
    failed = np.flatnonzero((gallery.labels[indices] != gallery.labels[:, None]).all(axis=1))[:n_rows]
    rows = np.concatenate([failed[:, None], indices[failed]], axis=1)
    tiles = np.pad(gallery.images[rows], ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0.4)
    tiles[:, 0] = 1 - tiles[:, 0]  # the query, dark on light
    picture = np.concatenate(np.concatenate(list(tiles), axis=-2), axis=-1)
    return np.round(255 * picture).astype(np.uint8).repeat(3, axis=0).repeat(3, axis=1)


def summarize(hits, *, seed=0):
    """How many of the neighbours are right, over all queries.

    Args:
        hits: int (n_queries,), of each query's 4 neighbours those that show its digit.
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


def reconstruction_mse(space, images, wanted=None):
    """The mean squared error a pixel of images float32 (n, 28, 28) taken through the space and back.

    The error is that against the `wanted` images, where it is not the very same that are wanted back.
    """
    wanted = images if wanted is None else wanted
    return float(np.square(space.inverse_transform(space.transform(images)) - wanted).mean())


def evaluate(spaces, gallery, queries=None, *, own=False):
    """Every space on a gallery, searched for its own digits or for others: space -> `summarize`, and `mse`.

    Of queries that are the gallery's own, disturbed, `mse` is the error against the undisturbed ones.
    """
    results = {}
    for space in spaces:
        results[space.name] = summarize(hits_at_4(space, gallery, queries, own=own))
        if hasattr(space, "inverse_transform"):
            wanted = gallery.images if own else None
            results[space.name]["mse"] = reconstruction_mse(space, (queries or gallery).images, wanted)
    return results


def evaluate_all(spaces, galleries, drawn=None):
    """Every space on each gallery, on the first's digits disturbed, and on drawn ones: the digits' name -> `evaluate`.

    `…_noisy` are the first gallery's with Gaussian noise of standard deviation 0.3, `…_shifted` those moved to the
    right by 2 pixels; both, and the drawn ones, are searched for among the undisturbed.
    """
    first = galleries[0]
    results = {gallery.name: evaluate(spaces, gallery) for gallery in galleries}
    for name, images in (("noisy", add_noise(first.images, NOISE)), ("shifted", shift(first.images, SHIFT_PX))):
        disturbed = Digits(f"{first.name}_{name}", images, first.labels, "")
        results[disturbed.name] = evaluate(spaces, first, disturbed, own=True)
    if drawn:
        results[drawn.name] = evaluate(spaces, galleries[0], drawn)
    return results


def evaluate_own(engine, drawn=None, *, n_queries, seed=0):
    """One's own gallery, searched as its engine does for some of its labelled digits: as `evaluate_all` has it.

    Beside the latent space are pixels and principal components where the gallery has at most 100,000 digits.

    Args:
        engine: Engine.
        drawn: Digits to search for besides, or None.
        n_queries: how many of the gallery's labelled digits, drawn at random, are searched for.
        seed: of that.

    Raises:
        DataError: the gallery has no labels.
    """
    gallery = engine.gallery
    labelled = np.flatnonzero(gallery.labels != UNLABELLED)
    if not len(labelled):
        raise DataError("the gallery has no labels, so there is nothing to measure by.")
    some = np.sort(np.random.default_rng(seed).choice(labelled, min(n_queries, len(labelled)), replace=False))
    queries = Digits(gallery.name, gallery.images[some], gallery.labels[some], gallery.sha256)
    spaces = [(engine.space, engine.nearest)]
    if len(gallery) <= LARGEST_TO_COMPARE:
        compared = Pixels(), PCA.load()
        spaces += [(space, NearestNeighbors(space.transform(gallery.images[:]))) for space in compared]
    searches = {gallery.name: (queries, some)} | ({drawn.name: (drawn, None)} if drawn else {})
    results = {}
    for name, (digits, left_out) in searches.items():
        results[name] = {}
        for space, nearest in spaces:
            _, found = nearest.kneighbors(space.transform(digits.images), 4, exclude=left_out)
            results[name][space.name] = summarize((gallery.labels[found] == digits.labels[:, None]).sum(axis=1))
            if hasattr(space, "inverse_transform"):
                results[name][space.name]["mse"] = reconstruction_mse(space, digits.images)
    return results


def format_table(results):
    """What `evaluate_all` gives as lines of text, a row a space."""
    lines = []
    for data, spaces in results.items():
        lines.append(f"{data:<13} {'P@4':>6}  {'95 % interval':<15}  {'3 of 4':>6}  {'all 4':>6}  {'MSE':>7}")
        for space in sorted(spaces, key=ROW_ORDER.index):
            row = spaces[space]
            low, high = row["precision_at_4_interval"]
            mse = f"{row['mse']:.4f}" if "mse" in row else "–"
            shares = f"{row['at_least_3_of_4']:>6.3f}  {row['all_4']:>6.3f}  {mse:>7}"
            lines.append(f"  {space:<11} {row['precision_at_4']:>6.4f}  {low:.4f} – {high:.4f}  {shares}")
    return "\n".join(lines)
