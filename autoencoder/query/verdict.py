"""What was found, in one sentence; and where the query's label is known, whether that is up to standard."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autoencoder.data import NO_DIGIT

GOOD, FINE, POOR, FOUND, UNLIKE = "good", "fine", "poor", "found", "unlike"
UNLIKE_ALL = "Nothing here looks like this."
UNLIKE_AND_NOT_REDRAWN = "Nothing here looks like this, and the model cannot redraw it."
SAID_OTHERWISE = {None: "no label", NO_DIGIT: "no digit"}
TWO_SHAPES = "These are two shapes side by side. Draw one digit at a time."


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer.

    `level` is good, fine or poor where the query's label is known; else unlike where nothing looks like it, else found.
    `digit` is what the neighbors are compared with, None where they have no labels. `sentence` is for the page.
    """

    level: str
    digit: int | None
    sentence: str


def judge(
    labels: Sequence[int | None],
    *,
    digit: int | None = None,
    unlike: bool = False,
    two_shapes: bool = False,
    badly_redrawn: bool = False,
) -> Verdict:
    """The verdict on an answer.

    Where the query's digit is known, the neighbors are graded by it: all alike is good, up to a quarter odd is fine,
    more is not up to standard. Nobody knows which digit a drawing is, so the verdict says what was found and no more.

    Args:
        labels: of the neighbors, nearest first, from 0 to 9 or NO_DIGIT; None of those that have none, which count for
            nothing.
        digit: the query's own label, or None.
        unlike: whether the query is stranger than the gallery's own digits are.
        two_shapes: whether it shows two shapes side by side.
        badly_redrawn: whether its reconstruction is worse than nearly all of theirs.

    Returns:
        Verdict. Its digit is the query's. Where that is not known, it is the most frequent among the neighbors, and of
        two equally frequent ones the nearer.
    """
    known = [label for label in labels if label is not None]
    if digit is not None and not (unlike and digit == NO_DIGIT):
        return _graded(known, digit, unlike)
    most = digit if digit is not None else Counter(known).most_common(1)[0][0] if known else None
    if unlike:
        sentence = UNLIKE_AND_NOT_REDRAWN if badly_redrawn else UNLIKE_ALL
        return Verdict(UNLIKE, most, TWO_SHAPES if two_shapes else sentence)
    return Verdict(FOUND, most, _found(known, most))


def named(digit: int | None, mark: str = "") -> str:
    """A digit with its article, "a 3" or "an 8", the digit between two marks; also "no digit", and "no label"."""
    if digit in SAID_OTHERWISE:
        return SAID_OTHERWISE[digit]
    return f"{'an' if digit == 8 else 'a'} {mark}{digit}{mark}"


def several(digit: int) -> str:
    """More than one of a digit, "3s" or "no digits"."""
    return "no digits" if digit == NO_DIGIT else f"{digit}s"


def _graded(labels: list[int], digit: int, unlike: bool) -> Verdict:
    n, n_odd = len(labels), len(labels) - labels.count(digit)
    unusual = f"This is an unusual {digit}. " if unlike else ""
    if not labels:
        return Verdict(FOUND, digit, f"{unusual}{_found(labels, None)}")
    if not n_odd:
        alike = f"the look-alike is {named(digit)}" if n == 1 else f"all {n} look-alikes are {several(digit)}"
        return Verdict(GOOD, digit, f"{unusual}Good: {alike}, as the query is.")
    if 4 * n_odd <= n:
        odd = _listed(label for label in labels if label != digit)
        return Verdict(FINE, digit, f"{unusual}Fine: {n - n_odd} of {n} are {several(digit)}, as the query is; {odd}.")
    sentence = f"Missed: the query is {named(digit)}, but {n_odd} of {n} look-alikes are not."
    return Verdict(POOR, digit, unusual + sentence)


def _found(labels: list[int], most: int | None) -> str:
    if most is None:
        return "The look-alikes have no labels: judge for yourself."
    n, n_most = len(labels), labels.count(most)
    if n == 1:
        return f"The nearest look-alike is {named(most)}."
    if n_most == n:
        return f"{'Both' if n == 2 else f'All {n}'} look-alikes are {several(most)}."
    if 2 * n_most > n:
        return f"{n_most} of {n} are {several(most)}, {_listed(label for label in labels if label != most)}."
    return f"The look-alikes disagree: {_listed(labels)}."


def _listed(labels: Iterable[int]) -> str:
    """Digits in words, the most frequent first: "2 are 3s, one is a 1 and one is a 7"."""
    parts = [
        f"one is {named(digit)}" if count == 1 else f"{count} are {several(digit)}"
        for digit, count in sorted(Counter(labels).items(), key=lambda item: (-item[1], item[0]))
    ]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
