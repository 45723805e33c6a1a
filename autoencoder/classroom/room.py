"""A class: takes what is sent to it, judges it, and has galleries learn from it."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autoencoder.classroom.store import ClassError, ClassStore, Sent
from autoencoder.data import NO_DIGIT
from autoencoder.ink.preprocess import NoDigitError, digit_from_strokes, to_bytes
from autoencoder.ink.strokes import BRUSH_PX, LONGEST_TEXT
from autoencoder.query.engine import Engine
from autoencoder.query.growing import MOST_ADDED, Added, Growing
from autoencoder.query.question import Drawing, from_text
from autoencoder.query.verdict import judge
from autoencoder.spaces import Latent

N_JUDGED = 4  # neighbors, by which a drawing is found or not:
FOUND_FROM = 3  # so many of them are right, as an answer that is good or fine has it
MOST_OF_A_VISIT = 200
LEAST_APART_S = 1.0  # from one drawing of a visit to the next
WITHDRAWN_WITHIN_S = 60.0
NOBODY = 0  # the visit of what another class has sent
LEARNS, FROZEN = "learns", "frozen"


@dataclass(frozen=True)
class Prepared:
    """A drawing as the network sees it: `image` float32 (28, 28) in [0, 1], and its `latent` float32 (32,)."""

    image: NDArray[np.float32]
    latent: NDArray[np.float32]


@dataclass(frozen=True)
class Wall:
    """What a class has sent, at one moment; it never changes.

    `version` grows with each change of the class. `sent` are the drawings on the wall, oldest first, and `added` the
    digits that they show, in the same order. `learns` says whether galleries learn from them, and `is_frozen` whether
    nothing more is taken. `n_hidden` drawings were taken off the wall.
    """

    version: int
    sent: tuple[Sent, ...]
    added: Added
    places: Mapping[str, int]
    learns: bool
    is_frozen: bool
    n_hidden: int

    def index_of(self, drawing: Drawing) -> int | None:
        """The index among `sent` of a drawing, None where it is not on the wall."""
        index = self.places.get(drawing.to_text())
        return index if index is not None and index < len(self.sent) else None

    def teach(self, engine: Engine) -> Engine:
        """The engine of a gallery that has learned from the class; of the gallery alone, where it is not to learn."""
        if not self.learns or not self.sent:
            return engine
        drawings = "one drawing" if len(self.sent) == 1 else f"{len(self.sent):,} drawings"
        return engine.joined_with(self.added, f"{engine.gallery.title} and {drawings} of the class")


class Classroom:
    """A class and its file. Any thread may call; whoever reads the `wall` never waits.

    Args:
        path: of the file, as ClassStore has it.
        space: the Latent space of the drawings.

    Raises:
        ClassError: as ClassStore does.
    """

    def __init__(self, path: str | Path, space: Latent) -> None:
        self._space = space
        self._changing = threading.Lock()
        self._version = 0
        self._open(ClassStore(path))

    @property
    def wall(self) -> Wall:
        """What there is now."""
        return self._wall

    @property
    def path(self) -> Path:
        """Of the class' file."""
        return self._store.path

    def send(self, drawing: Drawing, digit: int, engine: Engine, *, visit: int, now: float | None = None) -> Sent:
        """Take a drawing; when this returns, it is in the file and on the wall.

        Args:
            drawing: Drawing.
            digit: what its author meant, from 0 to 9 or NO_DIGIT.
            engine: of the gallery, without the class. The drawing is searched for there, and among the drawings before.
            visit: the random number of the visit that sends it.
            now: seconds since 1970; None asks the clock.

        Raises:
            ClassError: the class is frozen or full, or the visit sends too much; the drawing is too large, shows
                nothing or is there already; or the file cannot be written to.
            SearchError: the gallery is searched elsewhere, and that does not answer.
        """
        now = time.time() if now is None else now
        with self._changing:
            self._refuse_too_much(visit, now)
            if self._wall.is_frozen:
                raise ClassError("The wall is frozen: nothing can be sent now.")
            (sent,) = self._take([(drawing, digit, now)], engine, visit)
            self._sent_at.setdefault(visit, []).append(now)
            return sent

    def bring(self, drawings: Sequence[tuple[Drawing, int, float]], engine: Engine) -> int:
        """Take drawings with their digits and times that another class has sent; returns how many were new.

        Raises:
            ClassError, SearchError: as `send` does; then none of them is taken.
        """
        with self._changing:
            new = {drawing.to_text(): (drawing, digit, at) for drawing, digit, at in drawings}
            for known in self._all:
                new.pop(known.drawing, None)
            return len(self._take(list(new.values()), engine, NOBODY)) if new else 0

    def withdraw(self, number: int, *, visit: int, now: float | None = None) -> None:
        """Delete a drawing, for the visit that has sent it within the last minute.

        Raises:
            ClassError: it is another visit's, or too old, or no longer there; or the file cannot be written to.
        """
        now = time.time() if now is None else now
        with self._changing:
            sent = next((one for one in self._all if one.number == number and one.visit == visit), None)
            if sent is None:
                raise ClassError("This drawing is no longer there.")
            if now - sent.at > WITHDRAWN_WITHIN_S:
                raise ClassError("It was sent more than a minute ago: ask your teacher to take it off the wall.")
            try:
                self._store.remove(number)
            finally:  # it may be gone although its place could not be overwritten
                if sent not in (left := self._store.sent()):
                    self._show(left)
            self._prepared.pop(sent.drawing, None)

    def hide(self, number: int) -> None:
        """Take a drawing off the wall, and out of the gallery."""
        self._hide([number])

    def clear(self) -> None:
        """Take all drawings off the wall, and out of the gallery."""
        self._hide([sent.number for sent in self._wall.sent])

    def undo(self) -> None:
        """Take the last `hide` or `clear` back, if there is one."""
        with self._changing:
            self._store.undo_hiding()
            self._show(self._store.sent())

    def freeze(self, is_frozen: bool) -> None:
        """Take nothing more, or take it again."""
        self._switch(FROZEN, is_frozen)

    def learn(self, learns: bool) -> None:
        """Have galleries learn from the class from the next query on, or no longer."""
        self._switch(LEARNS, learns)

    def start_anew(self, path: str | Path) -> None:
        """Go on with another file; this one is left as it is.

        Raises:
            ClassError: as ClassStore does; then all stays as it is.
        """
        with self._changing:
            store, before = ClassStore(path), self._store
            self._open(store)
            before.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._changing:
            self._store.close()

    def _open(self, store: ClassStore) -> None:
        """Go on with a file; where what it holds cannot be shown, all stays as it was."""
        before = dict(vars(self))
        self._store = store
        self._prepared: dict[str, Prepared] = {}  # by the drawing's text
        self._sent_at: dict[int, list[float]] = {}  # by the visit
        try:
            self._switches = store.switches()
            self._show(store.sent())
        except BaseException:
            store.close()
            vars(self).update(before)
            raise

    def _refuse_too_much(self, visit: int, now: float) -> None:
        times = self._sent_at.get(visit, [])
        if len(times) >= MOST_OF_A_VISIT:
            raise ClassError(f"You have sent {MOST_OF_A_VISIT} drawings. That is enough for one visit.")
        if times and abs(now - times[-1]) < LEAST_APART_S:  # the clock may have been set back
            raise ClassError("Not so fast: send one drawing a second.")

    def _take(self, drawings: Sequence[tuple[Drawing, int, float]], engine: Engine, visit: int) -> list[Sent]:
        """Judge drawings one after the other, each before it is added, and keep them."""
        if len(self._all) + len(drawings) > MOST_ADDED:
            raise ClassError(f"A class has room for {MOST_ADDED:,} drawings: start a new one.")
        self._prepare([drawing.to_text() for drawing, _, _ in drawings])
        new: list[Sent] = []
        try:
            for drawing, digit, at in drawings:
                text, before = drawing.to_text(), self._growing.added
                judged = _judge(self._prepared[text].image, digit, engine, before, learns=self._wall.learns)
                new.append(Sent(text, digit, at, visit, *judged))
                self._growing.add(*self._arrays(new[-1:]))
            numbers = self._store.add(new)
        except BaseException:
            self._growing.cut(len(self._wall.sent))
            raise
        new = [replace(one, number=number) for one, number in zip(new, numbers, strict=True)]
        self._all += new
        self._publish((*self._wall.sent, *new))
        return new

    def _show(self, sent: list[Sent]) -> None:
        """Have the wall show those of all drawings that are not hidden."""
        self._prepare([one.drawing for one in sent])
        self._all, visible = sent, [one for one in sent if not one.hidden]
        self._growing = Growing()
        self._places: dict[str, int] = {}
        if visible:
            self._growing.add(*self._arrays(visible))
        self._publish(tuple(visible))

    def _publish(self, visible: tuple[Sent, ...]) -> None:
        for index in range(len(self._places), len(visible)):
            self._places[visible[index].drawing] = index
        self._version += 1
        self._wall = Wall(
            self._version,
            visible,
            self._growing.added,
            self._places,
            self._switches.get(LEARNS, False),
            self._switches.get(FROZEN, False),
            len(self._all) - len(visible),
        )

    def _hide(self, numbers: Sequence[int]) -> None:
        with self._changing:
            self._store.hide(numbers)
            self._show(self._store.sent())

    def _switch(self, name: str, is_on: bool) -> None:
        with self._changing:
            self._store.switch(name, is_on)
            self._switches[name] = is_on
            self._publish(self._wall.sent)

    def _prepare(self, texts: Sequence[str]) -> None:
        """Compute the digits and the latents of drawings, unless that was done.

        Raises:
            ClassError: one of them is too large, or shows nothing.
        """
        missing = [text for text in texts if text not in self._prepared]
        if not missing:
            return
        if max(len(text.partition("-")[2]) for text in missing) > LONGEST_TEXT:
            raise ClassError("This drawing is too large to be sent: draw it with fewer strokes.")
        images = np.stack([_digit_of(text) for text in missing])
        latents = self._space.transform(images)
        self._prepared |= {
            text: Prepared(image, latent) for text, image, latent in zip(missing, images, latents, strict=True)
        }

    def _arrays(self, sent: Sequence[Sent]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
        prepared = [self._prepared[one.drawing] for one in sent]
        labels = np.array([one.digit for one in sent], np.uint8)
        return to_bytes(np.stack([one.image for one in prepared])), labels, np.stack([one.latent for one in prepared])


def _digit_of(text: str) -> NDArray[np.float32]:
    """The digit (28, 28) that a drawing's text shows; raises ClassError where it shows none."""
    try:
        drawing = from_text(text)
        if not isinstance(drawing, Drawing):
            raise ValueError(f"expected strokes, received {text[:20]!r}")
        return digit_from_strokes(drawing.strokes, dot_size=BRUSH_PX)
    except NoDigitError as problem:
        raise ClassError(f"This is no drawing to search for. {problem}") from None
    except ValueError:
        raise ClassError("This is no drawing to search for.") from None


def _judge(
    image: NDArray[np.float32], digit: int, engine: Engine, before: Added, *, learns: bool
) -> tuple[int, int, bool, int | None]:
    """How the search does on a drawing before it is added: `alone`, `learned`, `found` and `taken_for` of Sent.

    What is no digit is found where nothing looks like it.
    """
    alone = engine.search(image, N_JUDGED)
    learned = engine.joined_with(before, "").search(image, N_JUDGED) if len(before) else alone
    right = [[one.label for one in result.neighbors].count(digit) for result in (alone, learned)]
    seen, n_right = (learned, right[1]) if learns else (alone, right[0])
    found = n_right >= FOUND_FROM or (digit == NO_DIGIT and seen.unlike)
    return right[0], right[1], found, judge([one.label for one in seen.neighbors]).digit
