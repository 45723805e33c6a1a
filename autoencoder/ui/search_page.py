"""The Search page: get the query, search, show."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import streamlit as st

from autoencoder.artifacts import ArtifactError
from autoencoder.preprocess import NoDigitError, digit_from_gray, digit_from_strokes, read_gray
from autoencoder.ui import canvas
from autoencoder.ui.loading import load_engine, try_mnist_again
from autoencoder.ui.pictures import show_digit

DRAW, RANDOM, UPLOAD = "Draw", "Random", "Upload"
UPLOAD_TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
N_NEIGHBORS = 4
PICTURE_PX = 100
GALLERY_NAMES = {
    "mnist": "MNIST's 10,000 test digits",
    "digits": "the 1,797 handwritten digits that come with scikit-learn",
}


@dataclass(frozen=True)
class Query:
    """What is searched for: a digit float32 (28, 28), and its gallery index where it comes from there."""

    digit: np.ndarray
    index: int | None = None


def search_page():
    """Draw, pick or upload a digit on the left; its look-alikes on the right."""
    st.session_state.setdefault("source", DRAW)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Digit look-alikes", anchor=False, width="content")
        source = st.segmented_control(
            "Where the query comes from",
            [DRAW, RANDOM, UPLOAD],
            required=True,
            key="source",
            on_change=canvas.restore_drawing,
            label_visibility="collapsed",
        )

    input_column, answer_column = st.columns([2, 3], gap="medium")
    loaded = None
    with input_column:
        if source == DRAW:
            query_or_hint = _drawn()
        elif source == UPLOAD:
            query_or_hint = _uploaded()
        else:
            loaded = _load()
            query_or_hint = _random(loaded.engine.gallery)
        with st.container(horizontal=True, gap="xsmall"):
            if source == DRAW:
                canvas.undo_and_clear()
            st.button("Random query", icon=":material/casino:", key="random", type="primary", on_click=_pick_random)
    with answer_column:
        loaded = loaded or _load()  # after the canvas, so that there is a page to draw on meanwhile
        if isinstance(query_or_hint, Query):
            _show(loaded.engine, query_or_hint)
        else:
            st.info(query_or_hint, icon=":material/draw:")
        _show_gallery_notice(loaded)


def _drawn():
    """The query on the canvas, or a sentence for the visitor."""
    st.markdown("Draw a digit")
    strokes = canvas.draw_canvas()
    if not strokes:
        return "Draw a digit from 0 to 9, or click **Random query**: its look-alikes appear here."
    try:
        return Query(digit_from_strokes(strokes, dot_size=canvas.BRUSH_PX))
    except NoDigitError as hint:
        return str(hint)


def _uploaded():
    """The query in the uploaded file, or a sentence for the visitor."""
    file = st.file_uploader("A picture of one digit, light on dark or dark on light", type=UPLOAD_TYPES, key="upload")
    if file is None:
        return "Choose a picture of one handwritten digit: its look-alikes appear here."
    try:
        gray = read_gray(file.getvalue())
        st.image(gray, width=canvas.SIDE_PX, alt="the uploaded picture, in gray")
        return Query(digit_from_gray(gray))
    except NoDigitError as hint:
        return str(hint)


def _pick_random():
    """Another query from the gallery; which one is settled once the gallery is there."""
    st.session_state.source = RANDOM
    st.session_state.pop("random_index", None)


def _random(gallery):
    """A random digit of the gallery, kept until another is asked for."""
    index = st.session_state.get("random_index")
    while index is None or index >= len(gallery):
        drawn = int(np.random.default_rng().integers(len(gallery)))
        index = drawn if drawn != st.session_state.get("previous_index") else None
    st.session_state.random_index = st.session_state.previous_index = index
    label = gallery.labels[index]
    st.markdown(f"Digit {index} of the gallery, a **{label}**, left out of its own answer")
    show_digit(gallery.images[index], alt=f"the query, a {label}", width=canvas.SIDE_PX)
    return Query(gallery.images[index], index)


def _load():
    """The shared engine; where it cannot be had, a sentence that says why, and no more of the page."""
    try:
        with st.spinner("Loading the autoencoder…"):
            return load_engine()
    except ArtifactError as error:
        st.error(str(error), icon=":material/build:")
        st.stop()


def _show(engine, query):
    result = engine.search(query.digit, N_NEIGHBORS, exclude=query.index)
    majority, _ = Counter(neighbor.label for neighbor in result.neighbors).most_common(1)[0]
    st.markdown(f"Looks like a **{majority}**: the {N_NEIGHBORS} nearest of {GALLERY_NAMES[engine.gallery.name]}")
    neighbors = st.grid(4, min_column_width=PICTURE_PX)
    for rank, neighbor in enumerate(result.neighbors, 1):
        with neighbors.cell():
            show_digit(engine.gallery.images[neighbor.index], alt=f"neighbor {rank}, a {neighbor.label}")
            st.markdown(f"{rank}. a **{neighbor.label}**, distance {neighbor.distance:.2f}")
    way = st.grid(4, min_column_width=PICTURE_PX)
    with way.cell():
        show_digit(result.query, alt="the query as the model sees it", caption="What the model sees")
    with way.cell():
        show_digit(result.reconstruction, alt="the reconstruction", caption="Its reconstruction")


def _show_gallery_notice(loaded):
    if loaded.problem:
        st.warning(f"This is the bundled gallery, not MNIST. {loaded.problem}", icon=":material/cloud_off:")
        st.button("Try MNIST again", key="try_mnist_again", on_click=try_mnist_again)
