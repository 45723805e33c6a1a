"""The Map page: the gallery in two dimensions, and where the query is."""

from functools import partial

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from autoencoder.query.question import GalleryDigit
from autoencoder.study import place_on_map
from autoencoder.ui.lesson import OURS, begin, need_study, show_chart, show_found, show_query
from autoencoder.ui.loading import load_study
from autoencoder.ui.visit import current_visit

MAP_PX = 620
HIDDEN = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)


def map_page() -> None:
    """Every digit of the gallery as a small numeral, the query as a diamond, and lines to its true neighbors."""
    engine = begin(
        "Map",
        "Every digit of the gallery, as the numeral that it shows. Digits that are near each other in the 32 numbers "
        "are put near each other here, but a flat map distorts: **distances are measured in 32 dimensions**, and a "
        "neighbor may lie on the other side. Choose a numeral, and it becomes the query.",
    )
    need_study(engine.gallery)
    map_column, query_column = st.columns([3, 1])
    with query_column:
        query = show_query(engine)
        result = engine.search(query.digit, exclude=query.index)
        found = np.array([neighbor.index for neighbor in result.neighbors])
        st.markdown("Its nearest in 32 dimensions")
        show_found(engine.gallery, result, query.label)
    with map_column:
        positions = load_study(engine.gallery.name).positions
        if query.index is not None:
            place = positions[query.index]
        else:
            place = place_on_map(positions, found, np.array([neighbor.distance for neighbor in result.neighbors]))
            st.caption("The query is not on the map, so it is put between its neighbors, the nearer counting more.")
        show_chart(
            _chart(engine.gallery.labels, positions, place, found),
            height=MAP_PX,
            key=f"map-{query.index}",  # each query has a chart of its own: another would remember an earlier choice
            on_select=partial(_take_selected, engine.gallery.name, f"map-{query.index}"),
            selection_mode="chosen",
        )


def _chart(
    labels: NDArray[np.uint8], positions: NDArray[np.float32], place: NDArray[np.float32], found: NDArray[np.int64]
) -> alt.LayerChart:
    gallery = pd.DataFrame(
        {"x": positions[:, 0], "y": positions[:, 1], "digit": labels, "index": np.arange(len(labels))}
    )
    lines = pd.DataFrame({"x": place[0], "y": place[1], "x2": positions[found, 0], "y2": positions[found, 1]})
    flat = alt.Scale(domain=[-0.02, 1.02], nice=False)
    x, y = alt.X("x:Q", scale=flat, axis=HIDDEN), alt.Y("y:Q", scale=flat, axis=HIDDEN)
    no_tooltip = alt.value(None)  # else a tooltip would give coordinates
    chosen = alt.selection_point("chosen", fields=["index"], on="click", nearest=True, empty=False)
    numerals = (
        alt.Chart(gallery)
        .mark_text(fontSize=9)
        .encode(
            x,
            y,
            text="digit:N",
            color=alt.Color("digit:N", scale=alt.Scale(scheme="tableau10"), legend=None),
            tooltip=["digit:N", "index:Q"],
        )
        .add_params(chosen)
    )
    ways = alt.Chart(lines).mark_rule(strokeWidth=3, color=OURS).encode(x, y, x2="x2:Q", y2="y2:Q", tooltip=no_tooltip)
    ends = (
        alt.Chart(lines)
        .mark_point(size=200, strokeWidth=3, filled=False, opacity=1, color=OURS)
        .encode(alt.X("x2:Q"), alt.Y("y2:Q"), tooltip=no_tooltip)
    )
    here = (
        alt.Chart(lines.head(1))
        .mark_point(size=500, strokeWidth=5, shape="diamond", filled=False, opacity=1, color=OURS)
        .encode(x, y, tooltip=no_tooltip)
    )
    middles = gallery.groupby("digit", as_index=False)[["x", "y"]].median()
    names = (
        alt.Chart(middles)
        .mark_text(fontSize=40, fontWeight="bold", opacity=0.75)
        .encode(x, y, text="digit:N", tooltip=no_tooltip)
    )
    return numerals + names + ways + ends + here


def _take_selected(gallery_name: str, key: str) -> None:
    if chosen := st.session_state[key].selection.get("chosen"):
        current_visit().ask(GalleryDigit(gallery_name, int(chosen[0]["index"])))
