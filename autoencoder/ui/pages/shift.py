"""Lesson "Shift": what a step to the side does to distances in pixels and in the latent."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from autoencoder import artifacts
from autoencoder.data import Digits
from autoencoder.disturb import SHIFT_PX, shift
from autoencoder.query.question import GalleryDigit
from autoencoder.query.search import Searcher
from autoencoder.spaces import Space
from autoencoder.ui.lesson import LARGE_PX, begin, show_chart, show_neighbors, show_query
from autoencoder.ui.loading import load_spaces
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.visit import current_visit

FARTHEST_PX = 8
N_PAIRS = 1000
NAMES = {"latent": "Autoencoder, 32 numbers", "pixels": "Raw pixels, 784 numbers"}


def shift_page() -> None:
    """A digit slid across the grid, and its distance from where it was, in two spaces."""
    engine = begin(
        "Shift",
        "To the eye, a digit that moves stays what it is. To pixels, a thin 1 that moves by its own width has nothing "
        "left in common with itself. What do the 32 numbers say?",
    )
    query = show_query(engine)
    _offer_a_one(engine.gallery)
    chosen_px = st.slider("Shift to the right, pixels", -FARTHEST_PX, FARTHEST_PX, 2, key="shift")
    shifted = shift(query.digit, chosen_px)
    show_digit(shifted, alt=f"the query, shifted by {chosen_px}", width=LARGE_PX)
    spaces = {name: load_spaces(engine, engine.gallery.name)[name] for name in NAMES}
    _show_distances(query.digit, chosen_px, spaces)
    for (name, (space, nearest)), column in zip(spaces.items(), st.columns(len(spaces)), strict=True):
        with column:
            st.markdown(f"The shifted digit's neighbors: {NAMES[name]}")
            _, found = nearest.kneighbors(space.transform(shifted[None]), 4, exclude=query.index)
            show_neighbors(engine.gallery, found[0], query.label)
    _show_figures(engine.gallery)
    st.caption(
        f"100 % is the median distance between two random digits of the gallery in that space ({N_PAIRS} pairs). The "
        "digit is not centered again after the shift, as drawings on the Search page are. Ink that leaves the frame is "
        "lost."
    )


def _offer_a_one(gallery: Digits) -> None:
    ones = np.flatnonzero(gallery.labels == 1)
    if len(ones):
        one = GalleryDigit(gallery.name, int(ones[0]))
        st.button("Take a 1", icon=":material/looks_one:", key="one", on_click=current_visit().ask, args=(one,))


def _show_distances(digit: NDArray[np.float32], chosen_px: int, spaces: dict[str, tuple[Space, Searcher]]) -> None:
    """Both spaces' distances of a digit (28, 28) from itself, shifted by any step, and in words by the chosen one."""
    shifts_px = range(-FARTHEST_PX, FARTHEST_PX + 1)
    shifted = np.stack([shift(digit, by_px) for by_px in shifts_px])
    curves = {name: _relative_distances(*spaces[name], digit, shifted) for name in NAMES}
    rows = pd.DataFrame(
        {"shift": by_px, "distance": distance, "space": NAMES[name]}
        for name, distances in curves.items()
        for by_px, distance in zip(shifts_px, distances, strict=True)
    )
    show_chart(_chart(rows, chosen_px), height=320)
    latent, pixels = (curves[name][chosen_px + FARTHEST_PX] for name in ("latent", "pixels"))
    sentence = (
        f"Of the distance between two random digits, the shift by {abs(chosen_px)} makes **{latent:.0%}** in "
        f"the 32 numbers and **{pixels:.0%}** in pixels."
    )
    if chosen_px:
        sentence += f" Less upset: **{NAMES['latent' if latent <= pixels else 'pixels']}**."
    st.markdown(sentence)


def _show_figures(gallery: Digits) -> None:
    """How many neighbors are right when all digits of the gallery are shifted, where the build has measured it."""
    if measured := artifacts.load_metrics(artifacts.DIRECTORY).get(f"{gallery.name}_shifted"):
        right = {name: f"{measured[name]['precision_at_4']:.1%}" for name in NAMES}
        st.markdown(
            f"Over all of {gallery.title}, shifted by {SHIFT_PX} pixels: **{right['latent']}** of the neighbors are "
            f"right with the 32 numbers, **{right['pixels']}** with pixels."
        )


def _relative_distances(
    space: Space, nearest: Searcher, digit: NDArray[np.float32], shifted: NDArray[np.float32]
) -> NDArray[np.float64]:
    """How far shifted digits (n, 28, 28) are from a digit (28, 28), (n,), relative to the gallery's random pairs."""
    first, *others = space.transform(np.concatenate([digit[None], shifted]))
    one, other = np.random.default_rng(0).integers(len(nearest.vectors), size=(2, N_PAIRS))
    usual = np.median(np.linalg.norm(nearest.vectors[one] - nearest.vectors[other], axis=1))
    return np.linalg.norm(np.stack(others) - first, axis=1) / usual


def _chart(rows: pd.DataFrame, chosen_px: int) -> alt.LayerChart:
    base = alt.Chart(rows).encode(
        alt.X("shift:Q", title="shift, pixels", axis=alt.Axis(tickMinStep=1)),
        alt.Y("distance:Q", title="distance from itself", axis=alt.Axis(format=".0%")),
        alt.Color("space:N", title=None, legend=alt.Legend(orient="top", direction="vertical")),
    )
    lines = base.mark_line(strokeWidth=3, point=alt.OverlayMarkDef(size=60)).encode(
        strokeDash=alt.StrokeDash("space:N", title=None), shape=alt.Shape("space:N", title=None)
    )
    here = alt.Chart(pd.DataFrame({"shift": [chosen_px]})).mark_rule(strokeWidth=2, strokeDash=[4, 4], color="gray")
    return lines + here.encode(x="shift:Q")
