"""Lens "Noise": what of a disturbance survives the 32 numbers?"""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.disturb import add_noise, add_stroke
from autoencoder.spaces import PCA
from autoencoder.ui.card import show_card
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.glossary import explain
from autoencoder.ui.loading import load_pca
from autoencoder.ui.pictures import show_digit, show_found

NOISE, STROKE = "Noise", "A stray stroke"
AMOUNTS = {NOISE: "Amount of noise", STROKE: "Length of the stroke"}
WORDS = {NOISE: ("noise", "the noise"), STROKE: ("a stroke", "the stroke")}
REDRAWN = "Redrawn by the autoencoder", "Redrawn by PCA (32 numbers)"
KIND, AMOUNT, USUAL_AMOUNT = "noise_kind", "noise_amount", 30
COLUMNS, COLUMN_PX = 5, 90  # three pictures, and beside them the neighbors


def noise_page() -> None:
    """A query with something added, what the decoders make of it, and how near they come to the clean one."""
    show_desk("Noise", _show_noise, promise="Does noise survive in 32 numbers? Add some and see.")


def _show_noise(asked: Asked) -> None:
    kind: str = st.session_state.setdefault(KIND, NOISE)
    percent: int = st.session_state.setdefault(AMOUNT, USUAL_AMOUNT)
    digit = asked.query.digit
    disturbed = (add_noise if kind == NOISE else add_stroke)(digit, percent / 100)
    result = asked.engine.search(disturbed, exclude=asked.query.index)
    pictures = disturbed, result.reconstruction, _redraw(load_pca(), disturbed)
    errors = [float(np.square(picture - digit).mean()) for picture in (*pictures, asked.result.reconstruction)]
    added, the_added = WORDS[kind]
    sentence = describe_removed(kind, *errors[:3]) if percent else f"Does {the_added} survive? Add some and see."
    show_card(sentence, ":blue[:material/grain:]", key="noise")
    _show_controls(kind)
    grid = st.grid(COLUMNS, min_column_width=COLUMN_PX)
    for picture, caption in zip(pictures, (f"With {added}", *REDRAWN), strict=True):
        with grid.cell():
            show_digit(picture, alt=caption, caption=caption)
    with grid.cell(column_span=COLUMNS - len(pictures)), st.container(gap="xsmall"):
        st.markdown(f"Nearest to the digit with {added}:")
        show_found(asked.engine.gallery, result, asked.label)
    st.caption(describe_errors(kind, *errors), help=explain("redrawing error"))


def _show_controls(kind: str) -> None:
    """The choice of what is added, and of how much."""
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "What is added", list(AMOUNTS), required=True, key=KIND, persist_state="session", width="content"
        )
        st.slider(AMOUNTS[kind], 0, 100, step=5, format="%d%%", key=AMOUNT, persist_state="session")


def _redraw(space: PCA, digit: NDArray[np.float32]) -> NDArray[np.float32]:
    """A digit float32 (28, 28) put into a space's numbers and drawn again from them."""
    return space.inverse_transform(space.transform(digit[None]))[0].clip(0, 1)


def describe_removed(kind: str, disturbed: float, ours: float, linear: float) -> str:
    """How much of what was added is gone, by the errors of the disturbed digit and of its two drawings.

    The claim is that the autoencoder's drawing is nearer to the clean digit than the disturbed one is.
    """
    if ours >= disturbed:
        return f"The autoencoder removed none of {WORDS[kind][1]}."
    sentence = f"The autoencoder removed {1 - ours / disturbed:.0%} of {WORDS[kind][1]}."
    return sentence if ours < linear else f"{sentence} PCA removed {1 - linear / disturbed:.0%}."


def describe_errors(kind: str, disturbed: float, ours: float, linear: float, clean: float) -> str:
    """What the sentence was computed from: how far all are from the clean digit, and what redrawing that one costs."""
    trained = {
        NOISE: "The encoder was trained to see through noise.",
        STROKE: "The encoder was trained to see through noise, but never saw a stray stroke.",
    }
    return (
        f"How far from the clean digit (mean squared error): with {WORDS[kind][0]} **{disturbed:.4f}**, redrawn by the "
        f"autoencoder **{ours:.4f}**, by PCA **{linear:.4f}**. Redrawing the clean digit itself costs {clean:.4f}. "
        f"{trained[kind]}"
    )
