"""Lesson "Less noise": what of a disturbance survives the 32 numbers?"""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.disturb import add_noise, add_stroke
from autoencoder.spaces import PCA, Latent
from autoencoder.ui.lesson import LARGE_PX, begin, show_found, show_query, show_row
from autoencoder.ui.loading import load_pca

WITH_NOISE, WITH_STROKE = "Noise", "A stray stroke"
AMOUNTS = {
    WITH_NOISE: "The noise's standard deviation, of the way from paper to ink",
    WITH_STROKE: "The stroke's length",
}
DRAWN = "The query and the dirt", "By the autoencoder", "By PCA, 32 numbers"


def noise_page() -> None:
    """A query with something added, what the decoders make of it, and how near they come to the clean one."""
    engine = begin(
        "Less noise",
        "A digit is squeezed into 32 numbers and drawn again. Does the dirt come along? Add some, and see.",
    )
    query = show_query(engine)
    kinds = [WITH_NOISE, WITH_STROKE]
    kind = st.segmented_control("What is added", kinds, default=WITH_NOISE, required=True, key="dirt")
    percent = st.slider(AMOUNTS[kind], 0, 100, 30, 5, format="%d%%", key="amount")
    disturb = add_noise if kind == WITH_NOISE else add_stroke
    disturbed = disturb(query.digit, percent / 100)
    ours, linear = _redraw(engine.space, disturbed), _redraw(load_pca(), disturbed)
    rows = disturbed, ours, linear
    show_row(rows, DRAWN, DRAWN, width=LARGE_PX)
    if percent:
        redrawn_clean = _redraw(engine.space, query.digit)
        st.markdown(_sentence(*(np.square(row - query.digit).mean() for row in (*rows, redrawn_clean))))
        st.caption(
            "The error is that against the clean digit, MSE a pixel. The encoder was trained to see through noise, and "
            "through nothing like a stray stroke."
        )
    st.markdown("The neighbors of the dirty digit")
    result = engine.search(disturbed, exclude=query.index)
    show_found(engine.gallery, result, query.label)


def _redraw(space: Latent | PCA, digit: NDArray[np.float32]) -> NDArray[np.float32]:
    """A digit float32 (28, 28) put into a space's numbers and drawn again from them."""
    return space.inverse_transform(space.transform(digit[None]))[0].clip(0, 1)


def _sentence(dirty: float, ours: float, linear: float, clean: float) -> str:
    """How far the dirty digit and its two drawings are from the clean one, and what that says of the claim."""
    figures = (
        f"Error of the dirty digit **{dirty:.4f}**, of the autoencoder's drawing **{ours:.4f}**, "
        f"of PCA's **{linear:.4f}**."
    )
    if ours >= dirty:
        return (
            f"{figures} The autoencoder's is no nearer to the clean digit than the dirty one is: **here the claim "
            f"fails**. (To redraw the clean digit costs {clean:.4f}.)"
        )
    nearer = "" if ours < linear else ", and PCA's still more"
    return f"{figures} The autoencoder's has lost **{1 - ours / dirty:.0%}** of the dirty digit's error{nearer}."
