"""What a visit remembers: what is asked, what was asked before, and what the address says."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.query.question import Drawing, GalleryDigit, Picture, Question

DRAW, RANDOM, UPLOAD, CAMERA = TABS = "Draw", "Random", "Upload", "Camera"
LONGEST_HISTORY = 100


@dataclass(eq=False)  # each is itself, and `picture` holds an array
class Visit:
    """One visitor's questions, tab by tab, and what belongs to them.

    `asked` is what each tab asks, if it asks anything, and `history` what was asked before, with its tab. The canvas
    shows `canvas_start` whenever `canvas_starts` has grown; a visitor's pen goes on from there. `problem` is a sentence
    on a picture that could not be read, `picture` the last that could, with its gray float32 (h, w). `address` holds
    the parameters that the page's address was last given, `left_unwritten` those that it is not given although the page
    shows them. `page` is the title of the page that was last opened, `reached_with` what was asked when each was.
    `number` is a random one, by which a class knows what this visit has sent.
    """

    tab: str = DRAW
    asked: dict[str, Question] = field(default_factory=dict)
    history: list[tuple[str, Question]] = field(default_factory=list)
    canvas_start: Drawing | None = None
    canvas_starts: int = 0
    problem: str | None = None
    picture: tuple[Picture, NDArray[np.float32]] | None = None
    address: Mapping[str, str] | None = None
    left_unwritten: Mapping[str, str] | None = None
    reached_with: dict[str, Question | None] = field(default_factory=dict)
    page: str | None = None
    number: int = field(default_factory=lambda: secrets.randbits(53))
    has_seen_engine: bool = False
    _revealed: Question | None = None
    _told: tuple[Question | None, int | None] = (None, None)

    @property
    def question(self) -> Question | None:
        """What is asked now."""
        return self.asked.get(self.tab)

    def ask(self, question: Question | None, tab: str | None = None) -> None:
        """Ask something else, in a tab or in the one that fits; `go_back` returns to what was asked before.

        None asks for whatever the tab has to offer.
        """
        if self.question is not None:
            self.history.append((self.tab, self.question))
            del self.history[:-LONGEST_HISTORY]
        self.replace(question, tab)

    def replace(self, question: Question | None, tab: str | None = None) -> None:
        """Ask something in the place of what is asked now, which `go_back` does not return to."""
        self.tab = tab or _tab_of(question) or self.tab
        self.problem = None
        self._put(question)
        if self.tab == DRAW:
            self.restart_canvas()

    def draw(self, drawing: Drawing) -> None:
        """Ask for what is on the canvas, where the visitor has drawn it."""
        self._put(drawing, DRAW)

    def undo_stroke(self) -> None:
        """Take the last stroke of the drawing back."""
        drawing = self.asked.get(DRAW)
        if isinstance(drawing, Drawing):
            self.replace(Drawing(drawing.strokes[:-1]), DRAW)

    def turn_to(self, tab: str) -> None:
        """Ask again what another tab asked last."""
        self.tab, self.problem = tab, None
        self.restart_canvas()

    def can_go_back(self) -> bool:
        return bool(self.history)

    def go_back(self) -> None:
        """Ask again what was asked before."""
        if self.history:
            tab, question = self.history.pop()
            self.replace(question, tab)

    def restart_canvas(self) -> None:
        """Have the canvas begin with the drawing that is asked."""
        drawing = self.asked.get(DRAW)
        self.canvas_start = drawing if isinstance(drawing, Drawing) else None
        self.canvas_starts += 1

    def reveal(self, question: Question | None) -> None:
        """Show the answer to a question, whatever is to be guessed first."""
        self._revealed = question

    def is_revealed(self) -> bool:
        return self.question is not None and self._revealed == self.question

    def tell(self, question: Question | None, digit: int | None) -> None:
        """Remember which digit a question shows, as the visitor says; None forgets it.

        The question is the one that the visitor saw: a late click says nothing of another.
        """
        self._told = question, digit

    @property
    def told(self) -> int | None:
        """The digit that the visitor has said the present question shows; None where nothing was said of it."""
        question, digit = self._told
        return digit if question == self.question else None

    def _put(self, question: Question | None, tab: str | None = None) -> None:
        if question is None or question == Drawing(()):
            self.asked.pop(tab or self.tab, None)
        else:
            self.asked[tab or self.tab] = question


def current_visit() -> Visit:
    """The visit of whoever this run is for."""
    return st.session_state.setdefault("visit", Visit())


def _tab_of(question: Question | None) -> str | None:
    """The tab that shows a question; a camera's picture is shown as an uploaded one is."""
    return {Drawing: DRAW, GalleryDigit: RANDOM, Picture: UPLOAD}.get(type(question))
