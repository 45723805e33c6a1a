"""The Map page: the gallery's own pictures in two dimensions, and where the query is."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pydeck
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from autoencoder.data import Digits
from autoencoder.ink.preprocess import to_bytes
from autoencoder.query.engine import Engine, Neighbor
from autoencoder.query.question import GalleryDigit
from autoencoder.study import place_on_map
from autoencoder.ui.atlas import GROUNDS, NO_TOOLTIP, ask_screen, base_chart, chart_axes, rgb, scheme_of_page, show_deck
from autoencoder.ui.charts import OURS, show_chart
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.loading import load_study
from autoencoder.ui.needs import need_study
from autoencoder.ui.pictures import caption_of, data_uri
from autoencoder.ui.sprites import to_map
from autoencoder.ui.visit import current_visit

N_STAND_INS = 4  # digits of the map that say where another would be
RING_PX, OUTER_RING_PX = 9, 13  # around a neighbor, and around one that is not on the map
PIN_PX = 56  # the height of the pin with the query's picture; of what it is drawn from:
ENLARGEMENT, BORDER_PX, POINT_PX = 3, 6, 18
WHY_FAR = "The model compares 32 numbers. A flat map cannot show all of them, so a look-alike may lie far away."
WHY_CHART = "For a browser that cannot draw the pictures: the same map in numerals."


@dataclass(frozen=True)
class Places:
    """Where the query (2,) and its neighbors (k, 2) are on the map, each axis in [0, 1]; `is_off` (k,) is true for
    those neighbors that are not digits of the map."""

    query: NDArray[np.float64]
    neighbors: NDArray[np.float64]
    is_off: NDArray[np.bool]


def map_page() -> None:
    """Ten thousand digits, like ones close together, the query's own picture and lines to its true neighbors."""
    show_desk("Map", _show_map, promise="See where it lands among ten thousand digits.")


def _show_map(asked: Asked) -> None:
    """The map, and a line on how to use it; as a chart where the browser cannot draw it, or the visitor wants one."""
    engine = asked.engine.unseen
    need_study(engine.gallery)
    st.markdown("Look-alikes are close together. Drag, zoom, and click a digit to search from it.")
    as_chart = st.session_state.get("map_as_chart", False)
    places = place_all(asked, engine, load_study(engine.gallery.name).positions)
    with st.container(gap=None, key="map"):
        screen = ask_screen(as_chart=as_chart)
        if as_chart or st.context.url is None:  # None under AppTest
            _show_chart(asked, engine, places, height=screen["height"])
        else:
            _show_pictures(asked, engine, places, screen, st.context.url)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.caption(describe_places(asked, engine, places), help=WHY_FAR, width="content")
        st.toggle("As a chart", key="map_as_chart", persist_state="session", width="content", help=WHY_CHART)


def place_all(asked: Asked, engine: Engine, positions: NDArray[np.float32]) -> Places:
    """The places of the query and its neighbors on the map of an engine's gallery.

    A neighbor that is not on it stands where its own nearest are, and so does such a query.
    """
    found = asked.result.neighbors
    index = asked.query.within(engine.gallery).index
    is_off = np.array([neighbor.index >= len(engine.gallery) for neighbor in found])
    places = np.array(
        [
            _stand_in(asked.engine, neighbor, engine, positions) if off else positions[neighbor.index]
            for neighbor, off in zip(found, is_off, strict=True)
        ],
        np.float64,
    )
    if index is not None:
        return Places(positions[index].astype(np.float64), places, is_off)
    distances = np.array([neighbor.distance for neighbor in found])
    return Places(place_on_map(places.astype(np.float32), np.arange(len(found)), distances), places, is_off)


def _stand_in(
    searched: Engine, neighbor: Neighbor, engine: Engine, positions: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The place of a digit that another engine has found: between its nearest among those on the map."""
    vector = searched.nearest.vectors[neighbor.index]
    distances, indices = engine.nearest.kneighbors(vector[None], min(N_STAND_INS, len(engine.gallery)))
    return place_on_map(positions, indices[0], distances[0])


def describe_places(asked: Asked, engine: Engine, places: Places) -> str:
    """What a reader of the map has to know of where the query and its neighbors are."""
    n_off, n_found = int(places.is_off.sum()), len(places.is_off)
    if asked.query.within(engine.gallery).index is None:
        remarks = "Your digit stands between its look-alikes."
    else:
        remarks = "The lines lead to the look-alikes."
    if n_off:
        remarks += f" Two rings: not on the map, shown where it would be ({n_off} of {n_found})."
    return remarks


def _show_pictures(asked: Asked, engine: Engine, places: Places, screen: dict[str, int], page: str) -> None:
    """The map with the query on its pin, and the ways to its neighbors."""
    show_deck(
        engine.gallery,
        [*_ways_layers(places), _query_layer(asked, places)],
        screen,
        page,
        key="map_of_pictures",
        on_select=partial(_take_picture, engine.gallery),
        alt=_described(asked, engine),
    )


def _described(asked: Asked, engine: Engine) -> str:
    """The map in a sentence, for those who cannot see it."""
    labels = ", ".join(caption_of(neighbor.label, None) for neighbor in asked.result.neighbors)
    return f"A map of {len(engine.gallery):,} digits, and the query with lines to its look-alikes: {labels}."


def _ways_layers(places: Places) -> list[pydeck.Layer]:
    """Lines from the query to its neighbors, and a ring around each; two rings where it is not on the map."""
    here = to_map(places.query[None])[0].tolist()
    ends = to_map(places.neighbors).tolist()
    ways = [{"from": here, "to": end} for end in ends]
    rings = [{"position": end, "radius": RING_PX} for end in ends]
    rings += [{"position": end, "radius": OUTER_RING_PX} for end, off in zip(ends, places.is_off, strict=True) if off]

    def lines(name: str, color: str, width_px: int) -> pydeck.Layer:
        return pydeck.Layer(
            "LineLayer",
            ways,
            id=name,
            get_source_position="from",
            get_target_position="to",
            get_color=rgb(color),
            get_width=width_px,
        )

    return [
        lines("edges", GROUNDS[scheme_of_page()], 6),
        lines("ways", OURS, 3),
        pydeck.Layer(
            "ScatterplotLayer",
            rings,
            id="rings",
            get_position="position",
            get_radius="radius",
            radius_units="'pixels'",
            filled=False,
            stroked=True,
            get_line_color=rgb(OURS),
            get_line_width=2,
            line_width_units="'pixels'",
        ),
    ]


def _query_layer(asked: Asked, places: Places) -> pydeck.Layer:
    """The query's own picture, on a pin that stands where it is."""
    pin = _pin(to_bytes(asked.query.digit))
    address = data_uri(pin)
    icon = {"url": address, "id": address, "width": pin.width, "height": pin.height, "anchorY": pin.height}
    return pydeck.Layer(
        "IconLayer",
        [{"position": to_map(places.query[None])[0].tolist(), "icon": icon}],
        id="query",
        get_position="position",
        get_icon="icon",
        get_size=PIN_PX,
    )


def _pin(gray: NDArray[np.uint8]) -> Image.Image:
    """A framed picture of gray (28, 28), which ends below in a point."""
    picture = Image.fromarray(gray.repeat(ENLARGEMENT, axis=0).repeat(ENLARGEMENT, axis=1)).convert("RGBA")
    framed = ImageOps.expand(picture, BORDER_PX, OURS)
    side = framed.width
    pin = Image.new("RGBA", (side, side + POINT_PX))
    pin.paste(framed)
    middle, bottom = side // 2, side + POINT_PX - 1
    corners = [(middle - POINT_PX // 2, side - 1), (middle + POINT_PX // 2, side - 1), (middle, bottom)]
    ImageDraw.Draw(pin).polygon(corners, fill=OURS)
    return pin


def _take_picture(gallery: Digits) -> None:
    """Ask for the digit that was clicked; a click beside all digits asks nothing."""
    try:
        layers = list(st.session_state.map_of_pictures.selection.indices.values())
        index = layers[0][0] if layers else None
    except (AttributeError, TypeError, KeyError, IndexError):
        return  # no map says so
    _ask_for(gallery, index)


def _ask_for(gallery: Digits, index: Any) -> None:
    """Ask for a digit of the gallery, unless it is asked for; what is no index of one asks nothing."""
    if type(index) is not int or not 0 <= index < len(gallery):
        return
    visit, digit = current_visit(), GalleryDigit(gallery.name, index)
    if visit.question != digit:
        visit.ask(digit)


def _show_chart(asked: Asked, engine: Engine, places: Places, *, height: int) -> None:
    """The map as a chart of numerals, which any browser can draw."""
    key = f"map-{hash(asked.question)}"  # each query has a chart of its own: another would remember an earlier choice
    show_chart(
        base_chart(engine.gallery) + _ways_chart(places),
        height=height,
        key=key,
        on_select=partial(_take_numeral, engine.gallery, key),
        selection_mode="chosen",
    )


def _ways_chart(places: Places) -> alt.LayerChart:
    (here_x, here_y), ends = places.query, places.neighbors
    lines = pd.DataFrame({"x": here_x, "y": here_y, "x2": ends[:, 0], "y2": ends[:, 1], "is_off": places.is_off})
    here, end = chart_axes("x", "y"), chart_axes("x2", "y2")
    ways = alt.Chart(lines).mark_rule(strokeWidth=3, color=OURS).encode(*here, x2="x2:Q", y2="y2:Q", tooltip=NO_TOOLTIP)
    rings = [
        alt.Chart(ringed)
        .mark_point(size=size, strokeWidth=3, filled=False, opacity=1, color=OURS)
        .encode(*end, tooltip=NO_TOOLTIP)
        for ringed, size in ((lines, 200), (lines[lines["is_off"]], 600))
    ]
    query = (
        alt.Chart(lines.head(1))
        .mark_point(size=500, strokeWidth=5, shape="diamond", filled=False, opacity=1, color=OURS)
        .encode(*here, tooltip=NO_TOOLTIP)
    )
    return ways + rings[0] + rings[1] + query


def _take_numeral(gallery: Digits, key: str) -> None:
    """Ask for the digit whose numeral was clicked."""
    if chosen := st.session_state[key].selection.get("chosen"):
        _ask_for(gallery, chosen[0].get("index"))
