"""Whether an answer is up to standard, in one sentence."""

from collections import Counter
from dataclasses import dataclass

GOOD, FINE, POOR, UNLIKE = "good", "fine", "poor", "unlike"


@dataclass(frozen=True)
class Verdict:
    """`level` good, fine, poor or unlike; the `digit` that the neighbors are judged by; and a `sentence`."""

    level: str
    digit: int
    sentence: str


def judge(labels, *, digit=None, unlike=False):
    """The verdict on an answer: four alike is good, one odd among four is fine, more is not up to standard.

    Args:
        labels: of the neighbors, nearest first.
        digit: the query's own label; None where nobody knows it, as of a drawing: then that of most neighbors, of two
            equally frequent ones the nearer.
        unlike: whether the query is farther from the gallery than its own digits are.

    Returns:
        Verdict.
    """
    counts = Counter(labels)
    known = digit is not None
    if not known:
        digit, _ = counts.most_common(1)[0]
    others = counts.copy()
    del others[digit]
    n_odd = sum(others.values())
    if unlike:
        level = UNLIKE
        sentence = "This looks like no digit here: both the nearest neighbor and the reconstruction are far off."
    elif not n_odd:
        level = GOOD
        what = f"neighbor is a {digit}" if len(labels) == 1 else f"{len(labels)} neighbors are {digit}s"
        sentence = f"Good: {'the' if len(labels) == 1 else 'all'} {what}" + (", as the query is." if known else ".")
    elif 4 * n_odd <= len(labels):
        level = FINE
        odd = sorted(others)
        alike = f"{digit} and {odd[0]} can look alike" if len(odd) == 1 else "they can look alike"
        sentence = f"Fine: {counts[digit]} of {len(labels)} neighbors are {digit}s, {_listed(others)}; {alike}."
    else:
        level = POOR
        owner = "the query is" if known else "most neighbors are"
        sentence = f"Not up to standard: {n_odd} of {len(labels)} neighbors are no {digit}, as {owner}."
    return Verdict(level, digit, sentence)


def _listed(counts):
    """Counts of digits in words, as "one 2 and two 7s"."""
    parts = [f"one is a {digit}" if count == 1 else f"{count} are {digit}s" for digit, count in sorted(counts.items())]
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
