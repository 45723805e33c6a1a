"""What is asked, as a digit to search for."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from autoencoder.ink.preprocess import NoDigitError, digit_from_strokes
from autoencoder.ink.strokes import BRUSH_PX
from autoencoder.query.verdict import named
from autoencoder.ui import visit
from autoencoder.ui.address import CAMERA, DRAW, RANDOM, UPLOAD

ANY = "any"
HINTS = {
    DRAW: "Draw a digit from 0 to 9: its look-alikes appear here.",
    UPLOAD: "Choose a picture of one handwritten digit: its look-alikes appear here.",
    CAMERA: "Take a picture of one handwritten digit on plain paper: its look-alikes appear here.",
}


@dataclass(frozen=True)
class Query:
    """A digit float32 (28, 28) to search for; its gallery index and label where it comes from there."""

    digit: np.ndarray
    index: int | None = None
    label: int | None = None
    title: str | None = None

    def within(self, gallery):
        """The same query to search for in a part of its gallery, where it may have no index."""
        return self if self.index is None or self.index < len(gallery) else replace(self, index=None)

    def __str__(self):
        return "Your digit" if self.index is None else f"Digit {self.index} of the gallery, {named(self.label, '**')}"


def asked_query(gallery):
    """The query that is asked, or a sentence where there is none."""
    source, value = visit.question()
    if value is None:
        return st.session_state.get("problem") or HINTS[source]
    if source == RANDOM:
        _, index = value
        return Query(gallery.images[index], index, gallery.label(index))
    if source != DRAW:
        return Query(value)
    try:
        return Query(digit_from_strokes(value, dot_size=BRUSH_PX))
    except NoDigitError as hint:
        return str(hint)


def ask_random():
    """Ask for another digit of the gallery; which one is settled once the gallery is there."""
    visit.ask(RANDOM, None)


def settle_random(engine, wanted=ANY):
    """Have a digit of the gallery asked, unless one is: a random one of those wanted that the network has not seen."""
    gallery, unseen = engine.gallery, engine.unseen.gallery
    _, asked = visit.question()
    if asked:
        name, index = asked
        if name == gallery.name and index < len(gallery):
            return
        visit.show_hint("The digit that the address names is not in this gallery, so here is another.")
    candidates = range(len(unseen)) if wanted == ANY else np.flatnonzero(unseen.labels == wanted)
    place = int(np.random.default_rng().integers(len(candidates)))
    if candidates[place] == st.session_state.get("previous_random"):
        place = (place + 1) % len(candidates)
    index = int(candidates[place])
    st.session_state.previous_random = index
    visit.settle(RANDOM, (gallery.name, index))
