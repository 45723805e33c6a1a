"""A random digit of the gallery, where no other is asked for."""

import numpy as np
import streamlit as st

from autoencoder.query.engine import Engine
from autoencoder.query.question import GalleryDigit
from autoencoder.ui.address import show_hint
from autoencoder.ui.visit import RANDOM, Visit

ANY = "any"


def show_random_button(visit: Visit) -> None:
    """A button that asks for another digit of the gallery."""
    st.button("Random", icon=":material/casino:", key="random", on_click=visit.ask, args=(None, RANDOM))


def need_digit(visit: Visit, engine: Engine, wanted: int | str = ANY) -> GalleryDigit:
    """The digit of the gallery that is asked.

    Where none is, a random one is asked: of those `wanted`, and of those that the network has not seen.
    """
    question = visit.question
    if isinstance(question, GalleryDigit):
        if question.is_in(engine.gallery):
            return question
        show_hint("The digit that the address names is not in this gallery, so here is another.")
    label = wanted if isinstance(wanted, int) else None
    before = visit.history[-1][1] if visit.history else None
    rng = np.random.default_rng()
    digit = GalleryDigit.at_random(engine.unseen.gallery, label=label, other_than=before, rng=rng)
    visit.replace(digit)
    return digit
