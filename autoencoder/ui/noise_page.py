"""Lesson "Less noise": what of a disturbance survives the 32 numbers?"""

import numpy as np
import streamlit as st

from autoencoder.disturb import add_noise, add_stroke
from autoencoder.ui.lesson import LARGE_PX, begin, show_neighbors, show_query, show_row
from autoencoder.ui.loading import load_spaces
from autoencoder.verdict import judge

NOISE, STROKE = "Noise", "A stray stroke"


def noise_page():
    """A query with something added, what the decoders make of it, and how much of the addition is left."""
    engine = begin(
        "Less noise",
        "A digit is squeezed into 32 numbers and drawn again. Is there room for the dirt, too? Add some, and see.",
    )
    query = show_query(engine.gallery)
    kind = st.segmented_control("What is added", [NOISE, STROKE], default=NOISE, required=True, key="dirt")
    percent = st.slider("How much", 0, 100, 20, 5, format="%d%%", key="amount")
    disturbed = add_noise(query.digit, percent / 100) if kind == NOISE else add_stroke(query.digit, percent / 100)
    spaces = load_spaces(engine, engine.gallery.name)
    ours, linear = (_redraw(spaces[name][0], disturbed) for name in ("latent", "pca"))
    captions = ["The query and the dirt", "By the autoencoder", "By PCA, 32 numbers"]
    show_row([disturbed, ours, linear], captions, captions, width=LARGE_PX)
    st.markdown(_sentence(*(np.square(image - query.digit).mean() for image in (disturbed, ours, linear))))
    st.markdown("The neighbors of the dirty digit")
    result = engine.search(disturbed, exclude=query.index)
    labels = [neighbor.label for neighbor in result.neighbors]
    show_neighbors(
        engine.gallery, [neighbor.index for neighbor in result.neighbors], judge(labels, digit=query.label).digit
    )


def _redraw(space, digit):
    """A digit float32 (28, 28) put into a space's numbers and drawn again from them."""
    return space.inverse_transform(space.transform(digit[None]))[0].clip(0, 1)


def _sentence(dirty, ours, linear):
    """How far the dirty digit and the two drawings of it are from the clean one, and what that says."""
    figures = (
        f"Difference from the clean digit (MSE a pixel): with the dirt **{dirty:.4f}**, redrawn by the autoencoder "
        f"**{ours:.4f}**, by PCA **{linear:.4f}**."
    )
    if not dirty:
        return f"{figures} Nothing is added, so this is what 32 numbers cannot hold of the digit itself."
    if ours < dirty:
        return f"{figures} The autoencoder keeps {ours / dirty:.0%} of the difference: the rest found no room."
    return f"{figures} The autoencoder's drawing is no nearer to the clean digit: **here the claim fails**."
