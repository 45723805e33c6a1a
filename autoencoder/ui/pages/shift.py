"""Lens "Shift": what a step to the side does to distances in pixels and in the 32 numbers."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from autoencoder import artifacts
from autoencoder.data import Digits
from autoencoder.disturb import SHIFT_PX, shift
from autoencoder.query.engine import Engine
from autoencoder.query.question import GalleryDigit
from autoencoder.query.search import Searcher
from autoencoder.spaces import Space
from autoencoder.ui.card import show_card
from autoencoder.ui.charts import SPACE_COLORS, letters_px
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.loading import load_metrics, load_spaces
from autoencoder.ui.needs import need_memory
from autoencoder.ui.pictures import show_digit, show_neighbors
from autoencoder.ui.visit import Visit

FARTHEST_PX = 8
N_PAIRS = 1000
NAMES = {"latent": "autoencoder", "pixels": "pixels"}
BY = {"latent": "the autoencoder", "pixels": "pixels"}
DASHES = {"latent": [1, 0], "pixels": [6, 4]}
SHIFT, USUAL_SHIFT_PX = "shift", 2
COLUMNS, COLUMN_PX = 8, 80
PICTURE_SPAN, CHART_SPAN, NEIGHBORS_SPAN = 2, 3, 3
LEGEND = {"orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3, "symbolSize": 400, "columnPadding": 8}
CHART_PX, NEIGHBOR_PX = 260, 68
HOW = (
    f"100% is the median distance of {N_PAIRS:,} random pairs of the gallery's digits. The digit is not centered again "
    "after the shift, as a drawing is. Ink that leaves the frame is lost."
)


def shift_page() -> None:
    """A digit slid across the grid, and its distance from where it was, in two spaces."""
    show_desk(
        "Shift",
        _show_shift,
        promise="To the eye, a digit that moves stays what it is. What do pixels say, and what do the 32 numbers?",
        only_unseen=True,
    )


def _show_shift(asked: Asked) -> None:
    gallery, digit = asked.engine.gallery, asked.query.digit
    need_memory(gallery)
    chosen_px: int = st.session_state.setdefault(SHIFT, USUAL_SHIFT_PX)
    spaces = {name: load_spaces(asked.engine, gallery.name)[name] for name in NAMES}
    curves = measure_curves(asked.engine, spaces, digit)
    latent, pixels = (float(curves[name][chosen_px + FARTHEST_PX]) for name in ("latent", "pixels"))
    show_card(describe_shift(chosen_px, latent, pixels), ":blue[:material/swap_horiz:]", key="shift")
    _show_controls(gallery, asked.visit)
    shifted = shift(digit, chosen_px)
    label = asked.label
    grid = st.grid(COLUMNS, min_column_width=COLUMN_PX)
    with grid.cell(column_span=PICTURE_SPAN):
        show_digit(shifted, alt=f"the query, shifted by {chosen_px}", caption="Shifted")
    with grid.cell(column_span=CHART_SPAN):
        _show_curves(curves, chosen_px)
    with grid.cell(column_span=NEIGHBORS_SPAN), st.container(gap="xsmall"):
        for name, (space, nearest) in spaces.items():
            st.markdown(f"Nearest by {BY[name]}:")
            _, found = nearest.kneighbors(space.transform(shifted[None]), 4, exclude=asked.query.index)
            show_neighbors(gallery, found[0], label, width=NEIGHBOR_PX)
    st.caption(_describe_figures(gallery), help=HOW)


def _show_controls(gallery: Digits, visit: Visit) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        label = "Shift (pixels, + is right)"
        st.slider(label, -FARTHEST_PX, FARTHEST_PX, step=1, key=SHIFT, format="%+d", persist_state="session")
        ones = np.flatnonzero(gallery.labels == 1)
        if len(ones):
            one = GalleryDigit(gallery.name, int(ones[0]))
            st.button("Try a 1", icon=":material/looks_one:", key="one", on_click=visit.ask, args=(one,))


def describe_shift(by_px: int, latent: float, pixels: float) -> str:
    """How far a shift moves a digit in both spaces, relative to two random digits, and where it is less affected."""
    if not by_px:
        return "Not shifted yet. Move the slider and see."
    pixel = "pixel" if abs(by_px) == 1 else "pixels"
    return (
        f"Shifted by {abs(by_px)} {pixel}, the digit moves {latent:.0%} as far as a random other digit "
        f"(pixels: {pixels:.0%}). Less affected: {NAMES['latent' if latent <= pixels else 'pixels']}."
    )


def measure_curves(
    engine: Engine, spaces: dict[str, tuple[Space, Searcher]], digit: NDArray[np.float32]
) -> dict[str, NDArray[np.float64]]:
    """How far a digit (28, 28) is from itself, shifted by each step from -8 to 8, by the space's name: (17,) each.

    1 is the median distance between the gallery's random pairs in that space.
    """
    shifted = np.stack([shift(digit, by_px) for by_px in range(-FARTHEST_PX, FARTHEST_PX + 1)])
    curves = {}
    for name, (space, _) in spaces.items():
        vectors = space.transform(shifted)
        usual = usual_distances(engine, engine.gallery.name)[name]
        curves[name] = np.linalg.norm(vectors - vectors[FARTHEST_PX], axis=1) / usual
    return curves


@st.cache_resource(show_spinner=False)
def usual_distances(_engine: Engine, gallery_name: str) -> dict[str, float]:
    """The median distance between random pairs of the gallery's digits, by the space's name."""
    usual = {}
    for name, (_, nearest) in load_spaces(_engine, gallery_name).items():
        one, other = np.random.default_rng(0).integers(len(nearest.vectors), size=(2, N_PAIRS))
        usual[name] = float(np.median(np.linalg.norm(nearest.vectors[one] - nearest.vectors[other], axis=1)))
    return usual


def _describe_figures(gallery: Digits) -> str:
    """How many neighbors are right when all digits of the gallery are shifted, where the build has measured it."""
    measured = load_metrics(artifacts.DIRECTORY).get(f"{gallery.name}_shifted")
    if not measured:
        return "The chart: how far the shifted digit is from where it was."
    right = {name: f"{measured[name]['precision_at_4']:.1%}" for name in NAMES}
    return (
        f"All of {gallery.title}, shifted by {SHIFT_PX} pixels: **{right['latent']}** of the neighbors are right by "
        f"the autoencoder, **{right['pixels']}** by pixels."
    )


def _show_curves(curves: dict[str, NDArray[np.float64]], chosen_px: int) -> None:
    shifts_px = np.arange(-FARTHEST_PX, FARTHEST_PX + 1)
    rows = pd.DataFrame(
        {
            "shift": np.tile(shifts_px, len(curves)),
            "distance": np.concatenate(list(curves.values())),
            "space": np.repeat([NAMES[name] for name in curves], len(shifts_px)),
            "is_chosen": np.tile(shifts_px == chosen_px, len(curves)),
        }
    )
    alt = "two curves: how far the digit is from itself, by how far it is shifted, in the 32 numbers and in pixels"
    st.vega_lite_chart(rows, _chart(letters_px()), height=CHART_PX, alt=alt)


@cache
def _chart(size_px: int) -> dict[str, Any]:
    """The chart as Vega-Lite has it, the same for all queries: a browser need not build it anew.

    (Altair takes 20 ms to write the same.)
    """
    names = [NAMES[name] for name in NAMES]
    space = {"field": "space", "type": "nominal", "title": None}
    color = {"scale": {"domain": names, "range": [SPACE_COLORS[name] for name in NAMES]}}
    dash = {"scale": {"domain": names, "range": list(DASHES.values())}}
    curves = {
        "mark": {"type": "line", "strokeWidth": 3},
        "encoding": {"strokeDash": space | dash | {"legend": LEGEND}},
    }
    chosen = {
        "transform": [{"filter": "datum.is_chosen"}],
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 2, "color": "gray"}},
            {"mark": {"type": "point", "filled": True, "size": 130, "opacity": 1}, "encoding": {}},
        ],
    }
    return {
        "encoding": {
            "x": {
                "field": "shift",
                "type": "quantitative",
                "title": "shift, pixels",
                "axis": {"tickMinStep": 1},
            },
            "y": {
                "field": "distance",
                "type": "quantitative",
                "title": None,
                "axis": {"format": ".0%", "tickCount": 4},
            },
            "color": space | color | {"legend": LEGEND},
        },
        "layer": [curves, chosen],
        "config": {
            "view": {"stroke": None},
            "axis": {"labelFontSize": size_px, "titleFontSize": size_px},
            "legend": {"labelFontSize": size_px},
        },
    }
