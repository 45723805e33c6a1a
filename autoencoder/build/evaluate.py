"""How good a space is to search in: how many neighbors show the query's digit, and how much they look like it."""

import numpy as np

from autoencoder.data import N_TEST, UNLABELLED, DataError, Digits, unseen_part
from autoencoder.disturb import NOISE, SHIFT_PX, add_noise, shift
from autoencoder.look import likeness
from autoencoder.query.search import NearestNeighbors
from autoencoder.query.typical import Traits, Typical
from autoencoder.spaces import PCA, Pixels

BOOTSTRAP_SAMPLES = 10_000
LARGEST_TO_COMPARE = 100_000  # of a gallery: pixels take 6 KB a digit to search
N_VOTES = 3  # of the nearest training digits, by which a test digit is classified
ROW_ORDER = ("pixels", "pca", "textbook", "latent")


def neighbors_at_4(space, gallery, queries=None, *, own=False):
    """The gallery indices of each query's 4 nearest neighbours, int64 (n_queries, 4).

    Args:
        space: has `transform`, images to vectors.
        gallery: Digits that are searched.
        queries: Digits that are searched for; None for the gallery's own, each left out of its own answer.
        own: whether the queries are the gallery's first digits, or these disturbed: each is left out of its own answer.
    """
    vectors = space.transform(gallery.images[:])
    asked = vectors if queries is None else space.transform(queries.images[:])
    left_out = np.arange(len(asked)) if own or queries is None else None
    return NearestNeighbors(vectors).kneighbors(asked, 4, exclude=left_out)[1]


def hits_at_4(space, gallery, queries=None, *, own=False):
    """How many of each query's 4 nearest neighbours show its digit, int64 (n_queries,) from 0 to 4."""
    return count_hits(gallery, neighbors_at_4(space, gallery, queries, own=own), (queries or gallery).labels)


def count_hits(gallery, found, labels):
    """How many of each query's neighbors, gallery indices int64 (n_queries, k), show its label; int64 (n_queries,)."""
    return (gallery.labels[found] == labels[:, None]).sum(axis=1)


def picture_failures(space, gallery, *, n_rows=12):
    """The first queries of a gallery that find none of their kind, each beside its 4 neighbours.

    Returns:
        uint8 (90 · n_rows, 450), a query a line, dark on light, then its neighbours, nearest first; 3 × enlarged.
    """
    indices = neighbors_at_4(space, gallery)
    failed = np.flatnonzero(count_hits(gallery, indices, gallery.labels) == 0)[:n_rows]
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
    """Every space on a gallery, searched for its own digits or for others: space -> `summarize`, `likeness` and `mse`.

    Of queries that are the gallery's own, disturbed, likeness and error are those against the undisturbed ones.
    """
    asked = queries or gallery
    wanted = gallery.images[: len(asked)] if own else asked.images[:]
    return {
        space.name: _measure(space, gallery, asked, neighbors_at_4(space, gallery, queries, own=own), wanted)
        for space in spaces
    }


def _measure(space, gallery, queries, found, wanted):
    """What there is to say of the neighbors int64 (n, 4) that queries have found, and of their reconstructions.

    Both are compared with the images float32 (n, 28, 28) that are wanted.
    """
    figures = summarize(count_hits(gallery, found, queries.labels)) | likeness(wanted, queries.labels, gallery, found)
    if hasattr(space, "inverse_transform"):
        figures["mse"] = reconstruction_mse(space, queries.images[:], wanted)
    return figures


def evaluate_all(spaces, galleries, drawn=None, not_digits=None):
    """Every space on each gallery, on the first's digits disturbed, and on drawn ones: the digits' name -> `evaluate`.

    Where the first gallery is all of MNIST, its test digits are searched for among themselves, and as `…_all` in all of
    it. `…_noisy` are the first gallery's with Gaussian noise of standard deviation 0.3, `…_shifted` those moved to the
    right by 2 pixels; both, and the drawn ones, are searched for among the undisturbed.

    Besides, of the latent space: `knn`, as `classify` has it, where the first gallery is all of MNIST; and
    `not_digits`, as `detect` has it, where there are some.
    """
    latent = next((space for space in spaces if space.name == "latent"), None)
    whole, *others = galleries
    first = unseen_part(whole) or whole
    results = {gallery.name: evaluate(spaces, gallery) for gallery in (first, *others)}
    for name, change, amount in (("noisy", add_noise, NOISE), ("shifted", shift, SHIFT_PX)):
        disturbed = Digits(f"{first.name}_{name}", change(first.images[:], amount), first.labels, "")
        results[disturbed.name] = evaluate(spaces, first, disturbed, own=True)
    if drawn:
        results[drawn.name] = evaluate(spaces, first, drawn)
    if first is not whole:
        results[f"{first.name}_all"] = evaluate(spaces, whole, first, own=True)
        if drawn:
            results[f"{drawn.name}_all"] = evaluate(spaces, whole, drawn)
        if latent:
            results["knn"] = classify(latent, whole)
    if latent and not_digits:
        results["not_digits"] = detect(latent, whole, first, drawn, not_digits)
    return results


def classify(space, gallery):
    """How well the training digits that are nearest tell what the test digits are, of all of MNIST.

    Returns:
        dict: `n_neighbors`, 3, and the `accuracy` of their majority, or of the nearest where there is none.
    """
    vectors = space.transform(gallery.images[:])
    _, found = NearestNeighbors(vectors[N_TEST:]).kneighbors(vectors[:N_TEST], N_VOTES)
    votes = gallery.labels[N_TEST:][found]
    nearest, second, third = votes.T
    told = np.where(second == third, second, nearest)
    return {"n_neighbors": N_VOTES, "accuracy": float((told == gallery.labels[:N_TEST]).mean())}


def detect(space, gallery, own, drawn, not_digits):
    """How many characters that are no digits are told to be unlike a gallery, and how many digits wrongly so.

    Args:
        space: the Latent space.
        gallery: Digits, what is searched.
        own: Digits, its first ones, by which it is judged what is typical.
        drawn: Digits, other ones, or None.
        not_digits: Digits without labels.

    Returns:
        dict: `detected`, the share of the characters; of the digits, by their names, `false_alarms_…`, the share, and
        `auroc_…`, how often a character is stranger than a digit.
    """
    from sklearn.metrics import roc_auc_score

    nearest = NearestNeighbors(space.transform(gallery.images[:]))

    def traits(digits):
        left_out = np.arange(len(own)) if digits is own else None
        return Traits.searched(digits.images[:], space, gallery, nearest, exclude=left_out)

    usual = traits(own)
    typical = Typical.of(usual)
    strangers = typical.strangeness(traits(not_digits))
    results = {"detected": float((strangers > typical.strange).mean())}
    for digits in filter(None, (own, drawn)):
        strangeness = typical.strangeness(usual if digits is own else traits(digits))
        is_stranger = np.repeat([False, True], [len(strangeness), len(strangers)])
        results[f"false_alarms_{digits.name}"] = float((strangeness > typical.strange).mean())
        results[f"auroc_{digits.name}"] = float(roc_auc_score(is_stranger, np.concatenate([strangeness, strangers])))
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
            results[name][space.name] = _measure(space, gallery, digits, found, digits.images)
    return results


def format_table(results):
    """What `evaluate_all` gives as lines of text, a row a space."""
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
