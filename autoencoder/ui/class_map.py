"""The map of a class: its drawings among the gallery's digits."""

import altair as alt
import numpy as np
import pandas as pd
import pydeck
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageOps

from autoencoder.classroom.room import Wall
from autoencoder.classroom.store import Sent
from autoencoder.query.engine import Engine
from autoencoder.query.verdict import SAID_OTHERWISE
from autoencoder.study import place_on_map
from autoencoder.ui.atlas import ask_screen, base_chart, chart_axes, show_deck
from autoencoder.ui.charts import show_chart
from autoencoder.ui.loading import load_study
from autoencoder.ui.needs import need_study
from autoencoder.ui.pictures import data_uri
from autoencoder.ui.sprites import to_map
from autoencoder.ui.wall import FOUND_COLOR, MISSED_COLOR, choose, counted, describe

MOST_ON_MAP = 300  # the newest
FRAME_PX, ENLARGEMENT = 6, 2
SIZE, LEAST_PX, MOST_PX = 28, 22, 64  # of a drawing in the map's unit; at the least and at the most so many pixels
N_PLACED_BY = 4  # digits of the map that a drawing stands between


def show_map(shown: Wall, engine: Engine) -> None:
    """The newest drawings, each between its nearest digits of the map; raises Hint where the gallery has none."""
    base = engine.unseen
    need_study(base.gallery)
    sent, first = shown.sent[-MOST_ON_MAP:], max(0, len(shown.sent) - MOST_ON_MAP)
    st.markdown(
        f"{'The newest ' if first else ''}**{counted(len(sent))}** among {base.gallery.title}, each between its "
        "nearest. Green: found. Orange, with a corner cut off: not found. Click one to choose it."
    )
    places = _place(base, shown.added.latents[first:])
    as_chart = st.session_state.get("map_as_chart", False)
    with st.container(gap=None, key="class_map"):
        screen = ask_screen(as_chart=as_chart)
        if as_chart or st.context.url is None:  # None under AppTest
            show_chart(base_chart(base.gallery) + _points(sent, places), height=screen["height"])
        else:
            show_deck(
                base.gallery,
                [_icons(sent, shown.added.images[first:], places)],
                screen,
                st.context.url,
                tooltip='<div style="padding: 4px 8px">{said}</div>',
                key="map_of_class",
                on_select=_choose_on_map,
                alt=f"A map of {len(base.gallery):,} digits with {counted(len(sent))} of the class.",
            )
    st.toggle("As a chart", key="map_as_chart", persist_state="session", width="content")


def _place(base: Engine, latents: NDArray[np.float32]) -> NDArray[np.float64]:
    """The places (n, 2) of drawings on the map, each axis in [0, 1]."""
    positions = load_study(base.gallery.name).positions
    distances, indices = base.nearest.kneighbors(latents, min(N_PLACED_BY, len(base.gallery)))
    return np.array([place_on_map(positions, *of_one) for of_one in zip(indices, distances, strict=True)])


def _icons(sent: tuple[Sent, ...], images: NDArray[np.uint8], places: NDArray[np.float64]) -> pydeck.Layer:
    """Each drawing as the network sees it, in its frame."""
    rows = []
    for one, image, position in zip(sent, images, to_map(places).tolist(), strict=True):
        picture = _framed(image, is_found=one.found)
        icon = {"url": data_uri(picture), "id": str(one.number), "width": picture.width, "height": picture.height}
        rows.append({"number": one.number, "said": describe(one), "position": position, "icon": icon})
    layer = pydeck.Layer(
        "IconLayer",
        rows,
        get_position="position",
        get_icon="icon",
        get_size=SIZE,
        size_units="'common'",
        size_min_pixels=LEAST_PX,
        size_max_pixels=MOST_PX,
        pickable=True,
        alpha_cutoff=0,
    )
    layer.id = None  # with a name, Streamlit would fade all that was not chosen
    return layer


def _framed(image: NDArray[np.uint8], *, is_found: bool) -> Image.Image:
    """A picture (28, 28) in a green frame, or in an orange one with a corner cut off."""
    large = Image.fromarray(image.repeat(ENLARGEMENT, axis=0).repeat(ENLARGEMENT, axis=1)).convert("RGBA")
    framed = ImageOps.expand(large, FRAME_PX, FOUND_COLOR if is_found else MISSED_COLOR)
    if not is_found:
        side, cut = framed.width, 4 * FRAME_PX
        corner = np.add.outer(np.arange(side), np.arange(side))[:, ::-1] < cut
        framed.putalpha(Image.fromarray(np.where(corner, 0, 255).astype(np.uint8)))
    return framed


def _points(sent: tuple[Sent, ...], places: NDArray[np.float64]) -> alt.Chart:
    """The drawings on the chart, by signs."""
    names = [SAID_OTHERWISE.get(one.digit, str(one.digit)) for one in sent]
    found = ["found" if one.found else "not found" for one in sent]
    rows = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "digit": names, "what": found})
    domain = ["found", "not found"]
    return (
        alt.Chart(rows)
        .mark_point(size=250, strokeWidth=3, opacity=1)
        .encode(
            *chart_axes("x", "y"),
            color=alt.Color("what:N", scale=alt.Scale(domain=domain, range=[FOUND_COLOR, MISSED_COLOR]), legend=None),
            shape=alt.Shape("what:N", scale=alt.Scale(domain=domain, range=["circle", "cross"]), legend=None),
            tooltip=["digit:N", "what:N"],
        )
    )


def _choose_on_map() -> None:
    """Ask for the drawing that was clicked on the map."""
    try:
        objects = list(st.session_state.map_of_class.selection.objects.values())
        number = objects[0][0]["number"] if objects else None
    except (AttributeError, TypeError, KeyError, IndexError):
        return  # no map says so
    if type(number) is int:
        choose(number)
