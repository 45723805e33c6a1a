"""Whether an answer is up to standard, in one sentence."""

from collections import Counter
from dataclasses import dataclass

GOOD, FINE, POOR, UNLIKE, OPEN = "good", "fine", "poor", "unlike", "open"


@dataclass(frozen=True)
class Verdict:
    """`level` good, fine, poor, unlike or open; the `digit` that the neighbors are judged by, None where that is open;
    and a `sentence`."""

    level: str
    digit: int | None
    sentence: str


def judge(labels, *, digit=None, unlike=False):
    """The verdict on an answer: all alike is good, up to a quarter odd is fine, more is not up to standard.

    Args:
        labels: of the neighbors, nearest first; None of those that have none, which count for nothing.
        digit: the query's own label; None where nobody knows it, as of a drawing: then that of most neighbors, of two
            equally frequent ones the nearer.
        unlike: whether the query is farther from the gallery, and worse reconstructed, than its own digits are.

    Returns:
        Verdict.
    """
    known = digit is not None
    labels = [label for label in labels if label is not None]
    counts = Counter(labels)
    if not known and labels:
        digit, _ = counts.most_common(1)[0]
    n, n_odd = len(labels), len(labels) - counts[digit]
    if unlike:
        return Verdict(UNLIKE, digit, "This looks like no digit here: nearest neighbor and reconstruction are far off.")
    if not labels:
        return Verdict(OPEN, digit, "The neighbors have no labels: judge for yourself.")
    if n == 1 and not known:
        return Verdict(FINE, digit, f"The nearest is {named(digit)}; one neighbor alone says little.")
    if not n_odd:
        alike = f"the neighbor is {named(digit)}" if n == 1 else f"all {n} neighbors are {digit}s"
        return Verdict(GOOD, digit, f"Good: {alike}{', as the query is' if known else ''}.")
    if 4 * n_odd <= n:
        odd = sorted(set(labels) - {digit})
        excuse = f"{digit} and {odd[0]} can look alike" if len(odd) == 1 else "they can look alike"
        others = _listed(Counter(label for label in labels if label != digit))
        return Verdict(FINE, digit, f"Fine: {counts[digit]} of {n} neighbors are {digit}s, {others}; {excuse}.")
    if known:
        return Verdict(
            POOR, digit, f"Not up to standard: the query is {named(digit)}, but {n_odd} of {n} neighbors are not."
        )
    return Verdict(POOR, digit, f"Not up to standard: the neighbors disagree: {_listed(counts)}.")


def named(digit, mark=""):
    """A digit with its article, "a 3" or "an 8", the digit between two marks; "no label" for None."""
    if digit is None:
        return "no label"
    return f"{'an' if digit == 8 else 'a'} {mark}{digit}{mark}"


def _listed(counts):
    """Counts of digits in words, the most frequent first: "2 are 3s, one is a 1 and one is a 7"."""
    parts = [
        f"one is {named(digit)}" if count == 1 else f"{count} are {digit}s"
        for digit, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
