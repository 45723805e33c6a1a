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
        "A digit is squeezed into 32 numbers and drawn again. Does the dirt come along? Add some, and see.",
    )
    query = show_query(engine.gallery)
    kind = st.segmented_control("What is added", [NOISE, STROKE], default=NOISE, required=True, key="dirt")
    percent = st.slider(
        "How much: the noise's standard deviation, the stroke's length", 0, 100, 20, 5, format="%d%%", key="amount"
    )
    disturbed = add_noise(query.digit, percent / 100) if kind == NOISE else add_stroke(query.digit, percent / 100)
    spaces = load_spaces(engine, engine.gallery.name)
    ours, linear = (_redraw(spaces[name][0], disturbed) for name in ("latent", "pca"))
    captions = ["The query and the dirt", "By the autoencoder", "By PCA, 32 numbers"]
    show_row([disturbed, ours, linear], captions, captions, width=LARGE_PX)
    added = np.square(disturbed - query.digit).mean()
    if added:
        clean_ours, clean_linear = (_redraw(spaces[name][0], query.digit) for name in ("latent", "pca"))
        st.markdown(
            _sentence(np.square(ours - clean_ours).mean() / added, np.square(linear - clean_linear).mean() / added)
        )
        st.caption(
            "Measured as the mean squared difference between what is drawn of the dirty and of the clean digit, beside "
            "that between these digits themselves. The encoder was trained to see through noise, and "
            "through nothing like a stray stroke."
        )
    st.markdown("The neighbors of the dirty digit")
    result = engine.search(disturbed, exclude=query.index)
    labels = [neighbor.label for neighbor in result.neighbors]
    show_neighbors(
        engine.gallery, [neighbor.index for neighbor in result.neighbors], judge(labels, digit=query.label).digit
    )


def _redraw(space, digit):
    """A digit float32 (28, 28) put into a space's numbers and drawn again from them."""
    return space.inverse_transform(space.transform(digit[None]))[0].clip(0, 1)


def _sentence(surviving, surviving_pca):
    """How much of what was added is in the drawings, as shares of its mean square, and what that says."""
    figures = (
        f"Of what was added, **{surviving:.0%}** is in the autoencoder's drawing, **{surviving_pca:.0%}** in PCA's."
    )
    if surviving < 0.5:
        return f"{figures} The autoencoder drops most of it."
    return f"{figures} The autoencoder does not drop it: **here the claim fails**."
