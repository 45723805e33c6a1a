"""The map of a gallery's own pictures, on which pages place what they have to show."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pydeck
import streamlit as st

from autoencoder.data import Digits
from autoencoder.ui.charts import DIGIT_COLORS, OURS
from autoencoder.ui.loading import load_study
from autoencoder.ui.sprites import COLUMNS, DIGITS, ENLARGED_PX, MAP_SIDE, MAPPING, SHEET, load_sprites, to_map

GROUNDS, INKS = {"light": "#ffffff", "dark": "#171614"}, {"light": "#111111", "dark": "#edebe8"}  # the page's
HIDDEN = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
NO_TOOLTIP = alt.value(None)  # else a tooltip would give coordinates
SIZE = 9  # of a picture in the map's unit; at the least and at the most so many pixels:
LEAST_PX, MOST_PX = 8, 64
MARGIN_PX = 40  # around the whole map, so that no picture is cut off
USUAL_SCREEN = {"width": 860, "height": 500}  # of the map at 1280 × 720, in pixels
LEAST_SCREEN_PX, MOST_SCREEN_PX = 200, 4000
# Of the sheet as large as the page shows it, the part that has the digit.
TOOLTIP = f"""<div style="width: {ENLARGED_PX}px; height: {ENLARGED_PX}px; background: #000 url({{sheet}}) no-repeat;
background-position: {{left}}px {{top}}px; background-size: {{sheet_px}}px; image-rendering: pixelated"></div>
<div style="text-align: center; padding: 2px 0 4px"><b>{{digit}}</b> · digit {{index}}</div>"""
TOOLTIP_STYLE = {
    "padding": "0",
    "margin": "12px",
    "overflow": "hidden",
    "borderRadius": "8px",
    "color": "#fff",
    "zIndex": "1",
}
# What only the browser knows: whether it can draw the map, and how much room there is for it. It tells where that is
# not as the server takes it to be.
SCREEN_SCRIPT = """
let said
export default function ({ parentElement, data, setStateValue }) {
    const place = parentElement.host.getBoundingClientRect()
    if (!place.width) return
    const isToFillScreen = place.width < 0.85 * innerWidth || innerWidth > innerHeight
    const below = innerHeight - place.top - scrollY - 60
    const width = Math.round(place.width)
    const height = Math.round(isToFillScreen ? Math.max(below, 240) : width < 500 ? 400 : 500)
    window.drawsMaps ??= Boolean(document.createElement("canvas").getContext("webgl2"))
    const isAsTaken = Math.abs(width - data.width) < 32 && Math.abs(height - data.height) < 16
    const screen = { width, height, draws: window.drawsMaps }
    if ((isAsTaken && (screen.draws || data.as_chart)) || said === JSON.stringify(screen)) return
    said = JSON.stringify(screen)
    setStateValue("screen", screen)
}
"""


def ask_screen(*, as_chart: bool) -> dict[str, int]:
    """How many pixels the map is wide and high, as the browser has said; asks it."""
    screen = st.session_state.setdefault("map_size", USUAL_SCREEN)
    if st.context.url is not None:  # None under AppTest, which has no browser to ask
        _component()(key="map_screen", data=screen | {"as_chart": as_chart}, on_screen_change=_take_screen)
    return screen


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("map_screen", js=SCREEN_SCRIPT)


def _take_screen() -> None:
    """Believe what the browser says of its screen, if it can be."""
    said = st.session_state.map_screen.get("screen")
    try:
        size = {name: int(said[name]) for name in USUAL_SCREEN}
        draws = bool(said["draws"])
    except (TypeError, KeyError, ValueError, OverflowError):
        return  # no browser says so
    if all(LEAST_SCREEN_PX <= pixels <= MOST_SCREEN_PX for pixels in size.values()):
        st.session_state.map_size = size
    if not draws:
        st.session_state.map_as_chart = True


def show_deck(
    gallery: Digits,
    layers: Sequence[pydeck.Layer],
    screen: dict[str, int],
    page: str,
    *,
    tooltip: str | None = None,
    **options: Any,
) -> None:
    """The map as the graphics card draws it, by deck.gl, with further layers above its digits.

    The pointer chooses among the digits. With a `tooltip` in HTML, which names fields of the objects of `layers` in
    braces, it chooses among these.

    Args:
        gallery: one that the build has studied.
        layers: in the map's unit, as `to_map` has it.
        screen: how large the map is, as `ask_screen` has it.
        page: the address of the page that shows it.
        tooltip: what the pointer shows.
        options: further ones of `st.pydeck_chart`.
    """
    sprites = load_sprites(gallery)
    sheet, mapping, digits = (sprites.address_of(name, page) for name in (SHEET, MAPPING, DIGITS))
    zoom = math.log2((min(screen.values()) - MARGIN_PX) / MAP_SIDE)
    of_digit = TOOLTIP.replace("{sheet}", sheet).replace("{sheet_px}", str(COLUMNS * ENLARGED_PX))
    deck = pydeck.Deck(
        layers=[_digits_layer(sheet, mapping, digits, pickable=tooltip is None), _names_layer(gallery), *layers],
        views=[pydeck.View("OrthographicView", controller={"doubleClickZoom": False})],
        initial_view_state=pydeck.ViewState(
            target=[MAP_SIDE / 2, MAP_SIDE / 2, 0], zoom=zoom, min_zoom=zoom - 1, max_zoom=zoom + 6
        ),
        map_provider=None,
        tooltip={"html": tooltip or of_digit, "style": TOOLTIP_STYLE},
    )
    st.pydeck_chart(deck, height=screen["height"], **options)


def scheme_of_page() -> str:
    """Whether the page is "light" or "dark"."""
    return st.context.theme.type or "light"


def base_chart(gallery: Digits) -> alt.LayerChart:
    """The map as a chart of numerals, which any browser can draw; the one that is clicked is the selection "chosen"."""
    positions = load_study(gallery.name).positions
    digits = pd.DataFrame(
        {"x": positions[:, 0], "y": positions[:, 1], "digit": gallery.labels, "index": np.arange(len(gallery))}
    )
    x, y = chart_axes("x", "y")
    chosen = alt.selection_point("chosen", fields=["index"], on="click", nearest=True, empty=False)
    colors = alt.Scale(domain=list(range(10)), range=list(DIGIT_COLORS))
    numerals = (
        alt.Chart(digits)
        .mark_text(fontSize=9)
        .encode(
            x,
            y,
            text="digit:N",
            color=alt.Color("digit:N", scale=colors, legend=None),
            tooltip=["digit:N", "index:Q"],
        )
        .add_params(chosen)
    )
    middles = digits.groupby("digit", as_index=False)[["x", "y"]].median()
    names = (
        alt.Chart(middles)
        .mark_text(fontSize=40, fontWeight="bold", opacity=0.75)
        .encode(x, y, text="digit:N", tooltip=NO_TOOLTIP)
    )
    return numerals + names


def chart_axes(x: str, y: str) -> tuple[alt.X, alt.Y]:
    """The axes of a chart on the map, of two columns with places in [0, 1]."""
    whole = alt.Scale(domain=[-0.02, 1.02], nice=False)
    return alt.X(f"{x}:Q", scale=whole, axis=HIDDEN), alt.Y(f"{y}:Q", scale=whole, axis=HIDDEN)


def _digits_layer(sheet: str, mapping: str, digits: str, *, pickable: bool) -> pydeck.Layer:
    """All digits of the map, each in its color."""
    layer = pydeck.Layer(
        "IconLayer",
        digits,
        icon_atlas=f"'{sheet}'",  # in quotes, so that pydeck takes it neither for an expression nor for a file
        icon_mapping=f"'{mapping}'",
        get_icon="index",
        get_position="[x, y]",
        get_color="color",
        get_size=SIZE,
        size_units="'common'",
        size_min_pixels=LEAST_PX,
        size_max_pixels=MOST_PX,
        alpha_cutoff=0,  # a digit is hit on its paper, too
        pickable=pickable,
        auto_highlight=pickable,
        highlight_color=[*rgb(OURS), 110],
    )
    # Streamlit fades all that was not chosen and keeps the choice, while a layer has the name of the one it is in.
    # Without a name the next question ends it.
    layer.id = None if pickable else "digits"
    return layer


def _names_layer(gallery: Digits) -> pydeck.Layer:
    """A large numeral in the middle of each region."""
    positions, labels, scheme = load_study(gallery.name).positions, gallery.labels, scheme_of_page()
    middles = [(label, to_map(np.median(positions[labels == label], axis=0)[None])[0]) for label in gallery.labeled]
    return pydeck.Layer(
        "TextLayer",
        [{"name": str(label), "position": middle.tolist()} for label, middle in middles],
        id="names",
        get_position="position",
        get_text="name",
        get_size=40,
        get_color=[*rgb(INKS[scheme]), 255],
        font_family="'sans-serif'",
        font_weight=700,
        font_settings={"sdf": True, "fontSize": 64, "buffer": 8, "radius": 16},
        outline_width=4,
        outline_color=[*rgb(GROUNDS[scheme]), 255],
        character_set="'0123456789'",
    )


def rgb(color: str) -> list[int]:
    return list(bytes.fromhex(color[1:]))
