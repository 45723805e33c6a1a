"""Lens "Why these?": what holds a neighbor near, in the 32 numbers and in the ink."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from autoencoder.ink.preprocess import to_bytes
from autoencoder.query import explain
from autoencoder.query.engine import Engine, Neighbor
from autoencoder.query.explain import Contributions, Erased, ErasedLatents, Found, Votes
from autoencoder.query.verdict import judge, named
from autoencoder.ui import glossary
from autoencoder.ui.card import show_card
from autoencoder.ui.charts import LETTERS_PX, PRESENTED_LETTERS_PX
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.loading import load_knobs
from autoencoder.ui.pictures import ENLARGEMENT, caption_of, data_uri, show_digit

RANK = "why_rank"
COLUMNS, COLUMN_PX, PICTURE_PX = 6, 108, 90  # of the grid below the headline: how many, the least widths
CHART_PX, LESS_PX = 270, 40  # high; less where more is said, and where the letters are larger
LEAST_HEAT = 0.1  # of the distance: a smaller change of it does not get the full color
# On black, each with a contrast of more than 3:1. Orange and blue, and green and pink, differ to all eyes.
ONLY_QUERY, ONLY_NEIGHBOR, BOTH = (255, 150, 30), (80, 165, 255), (150, 150, 150)
HOLDS, PUSHES, NEUTRAL = (60, 225, 110), (255, 95, 215), (150, 150, 150)
COLORS_IN_WORDS = (
    "Orange: ink of the query alone. Blue: of the look-alike alone. Green ink holds it near, pink ink pushes it away."
)
NO_LABEL = named(None)
NEW_LINE = "  \n"  # of Markdown
KIND, POSE, UNSPLIT = "kind", "pose", "number"
SORT_COLORS = ["#0b8577", "#b0700a", "#0b8577"]  # 3:1 on the light ground and on the dark one
SORT_SHAPES = ["circle", "triangle-up", "circle"]
QUERY, NEIGHBOR = WHOSE = "query", "look-alike"


def why_page() -> None:
    """What holds a neighbor near, and how far off the digit is that the query was meant to be."""
    show_desk("Why these?", _show_why)


def _show_why(asked: Asked) -> None:
    engine, result, present = asked.engine, asked.result, asked.options.present
    is_kind = load_knobs(engine.unseen, engine.gallery.name).is_kind
    rank = _chosen_rank(len(result.neighbors))
    neighbor = result.neighbors[rank - 1]
    with show_card(_headline(rank, neighbor), ":blue[:material/troubleshoot:]", key="why"):
        _show_choice(asked)
    found, other = _found(engine, rank, neighbor), _find_other(asked)
    erased = ErasedLatents.of(result.query, engine.space).against(found.latent)
    contributions = Contributions.of(result.latent, found.latent)
    n_across, height_px = (2, CHART_PX) if other is None else (3, CHART_PX - LESS_PX)
    grid = st.grid(COLUMNS, min_column_width=COLUMN_PX)
    with grid.cell(column_span=n_across), st.grid(n_across, min_column_width=PICTURE_PX, gap="xsmall"):
        _show_pictures(found, erased, other)
    with grid.cell(column_span=COLUMNS - n_across), st.container(gap="xsmall"):
        alone = _describe(found, erased, contributions, is_kind)
        sentences = alone if other is None else _describe_other(asked, found, other, is_kind)
        split = "" if is_kind is None else f"\n\n{glossary.explain('kind and pose')}"
        st.markdown(NEW_LINE.join(sentences), help=COLORS_IN_WORDS + split)
        height_px -= LESS_PX if present else 0
        _show_numbers(contributions, result.latent, found.latent, is_kind, height_px)
    if other is None or not present:  # in large type there is no room left, and it is in the help
        st.caption(COLORS_IN_WORDS)


def _chosen_rank(n_neighbors: int) -> int:
    """The rank of the neighbor that is looked at, from 1: the chosen one, or the last where there are fewer."""
    rank = min(st.session_state.get(RANK) or 1, n_neighbors)
    if st.session_state.get(RANK) != rank:
        st.session_state[RANK] = rank
    return rank


def _found(engine: Engine, rank: int, neighbor: Neighbor) -> Found:
    what = NO_LABEL if neighbor.label is None else str(neighbor.label)
    index = neighbor.index
    return Found(what, rank, neighbor.distance, engine.nearest.vectors[index], engine.gallery.images[index])


def _headline(rank: int, neighbor: Neighbor) -> str:
    is_what = " is" if neighbor.label is None else f" is {named(neighbor.label)},"
    return f"Look-alike {rank}{is_what} {neighbor.distance:.2f} away"


def _show_choice(asked: Asked) -> None:
    """The neighbors as small pictures, of which one is chosen."""
    gallery, neighbors = asked.engine.gallery, asked.result.neighbors
    labels = {
        rank: f"![neighbor {rank}]({_tiny(gallery.images[neighbor.index])}) {caption_of(neighbor.label, None)}"
        for rank, neighbor in enumerate(neighbors, 1)
    }
    st.segmented_control(
        "Which look-alike",
        list(labels),
        format_func=labels.__getitem__,
        required=True,
        key=RANK,
        persist_state="session",
        label_visibility="collapsed",
        width="content",
    )


def _find_other(asked: Asked) -> Found | None:
    """The nearest of the digit that the visitor has said the query shows; None where most neighbors show that, too."""
    engine, result = asked.engine, asked.result
    told = asked.visit.told if asked.query.label is None else None
    most = judge([neighbor.label for neighbor in result.neighbors]).digit
    if told in (None, most) or told not in engine.gallery.labeled:
        return None
    return _found(engine, *engine.find_nearest_of(told, result, exclude=asked.query.index))


def _show_pictures(found: Found, erased: Erased, other: Found | None) -> None:
    """Query and neighbor, their difference, and what of the query's ink holds the neighbor near; two of each row, and
    beside them the `other` digit that the query was meant to be, and the difference from that."""
    query = erased.digit
    show_digit(query, alt="the query", caption="Query")
    show_digit(found.picture, alt=f"look-alike {found.rank}, {found.what}", caption=f"Look-alike {found.rank}")
    if other is not None:
        alt = f"the nearest {other.what}, look-alike {other.rank}"
        show_digit(other.picture, alt=alt, caption=f"Nearest {other.what}")
    _show_difference(query, found, "Difference" if other is None else f"Difference to {found.what}")
    alt = " ".join(["what holds the look-alike near.", *explain.describe_heat(erased)])
    st.image(_enlarged(_heat(erased)), caption="What holds it", alt=alt)
    if other is not None:
        _show_difference(query, other, f"Difference to {other.what}")


def _show_difference(query: NDArray[np.float32], found: Found, caption: str) -> None:
    alt = "the difference. " + explain.describe_ink(query, found.picture, f"Look-alike {found.rank}")
    st.image(_enlarged(_difference(query, found.picture)), caption=caption, alt=alt)


def _describe(
    found: Found, erased: Erased, contributions: Contributions, is_kind: NDArray[np.bool_] | None
) -> list[str]:
    """What the neighbor has in common with the query, in ink and in numbers."""
    ink = explain.describe_ink(erased.digit, found.picture, "The look-alike")
    return [ink, *explain.describe_heat(erased), explain.describe_numbers(contributions, is_kind)]


def _describe_other(asked: Asked, found: Found, other: Found, is_kind: NDArray[np.bool_] | None) -> list[str]:
    """What tells the digit that the query was meant to be from the chosen neighbor, or from the first of another."""
    engine, result = asked.engine, asked.result
    rivals = (_found(engine, rank, neighbor) for rank, neighbor in enumerate(result.neighbors, 1))
    rival = next(rival for rival in (found, *rivals) if rival.what not in (other.what, NO_LABEL))
    votes = Votes.of(result.latent, rival.latent, other.latent, is_kind)
    redrawn = explain.redraw_best_part(result.query, other, rival, engine.space)
    return [
        explain.describe_ranks(other, rival),
        explain.describe_votes(votes, other.what, rival.what),
        explain.describe_ink(result.query, other.picture, f"That {other.what}"),
        explain.describe_redrawn(redrawn, other.what, rival.what),
    ]


def _show_numbers(
    contributions: Contributions,
    query: NDArray[np.float32],
    neighbor: NDArray[np.float32],
    is_kind: NDArray[np.bool_] | None,
    height_px: int,
) -> None:
    """The numbers of both as pairs of bars, those that add most to the squared distance first."""
    numbers = contributions.numbers
    sorts = np.full(len(numbers), UNSPLIT) if is_kind is None else np.where(is_kind[numbers], KIND, POSE)
    rows = pd.DataFrame(
        {
            "place": np.tile(np.arange(1, len(numbers) + 1), 2),
            "number": np.tile(numbers + 1, 2),
            "sort": np.tile(sorts, 2),
            "whose": np.repeat(WHOSE, len(numbers)),
            "value": np.concatenate([query[numbers], neighbor[numbers]]),
            "share": np.tile(contributions.shares, 2),
        }
    )
    letters_px = PRESENTED_LETTERS_PX if st.session_state.get("present") else LETTERS_PX
    st.vega_lite_chart(rows, _chart(letters_px, is_kind is not None), height=height_px)


@cache
def _chart(letters_px: int, is_split: bool) -> dict[str, Any]:
    """The chart as Vega-Lite has it, the same for all queries: a browser need not build it anew.

    (Altair takes 20 ms to write the same.)
    """
    sorts = [KIND, POSE] if is_split else [UNSPLIT]
    scale = {"domain": sorts, "range": SORT_COLORS[: len(sorts)]}
    shapes = {"domain": sorts, "range": SORT_SHAPES[: len(sorts)]}
    letters = {"labelFontSize": letters_px, "titleFontSize": letters_px}
    tooltip = [
        {"field": "number", "type": "quantitative", "title": "number"},
        {"field": "sort", "type": "nominal", "title": "tells"},
        {"field": "whose", "type": "nominal", "title": "of"},
        {"field": "value", "type": "quantitative", "format": ".2f"},
        {"field": "share", "type": "quantitative", "format": ".0%", "title": "makes of the difference"},
    ]
    color = {"field": "sort", "type": "nominal", "scale": scale, "legend": {"title": None, "offset": 4}}
    bars = {
        "mark": {"type": "bar", "strokeWidth": 1.2},
        "encoding": {
            "xOffset": {"field": "whose", "type": "nominal", "scale": {"domain": list(WHOSE)}},
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"tickCount": 3}},
            "fillOpacity": {
                "field": "whose",
                "type": "ordinal",
                "scale": {"domain": list(WHOSE), "range": [1, 0.1]},
                "legend": None,
            },
            "stroke": color,
            "color": color,
            "tooltip": tooltip,
        },
    }
    marks = {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "yOffset": 10},
        "encoding": {
            "y": {"value": "height"},
            "color": color,
            "shape": {"field": "sort", "type": "nominal", "scale": shapes, "legend": {"title": None}},
        },
    }
    place = {"labels": False, "ticks": False, "domain": False, "grid": False, "titlePadding": 18}
    title = f"most different first, hollow: {NEIGHBOR}"
    x = {"field": "place", "type": "ordinal", "title": title, "axis": place}
    return {
        "encoding": {"x": x},
        "layer": [bars, marks],
        "config": {
            "view": {"stroke": None},
            "axis": letters,
            "legend": {"labelFontSize": letters_px, "symbolSize": 120, "orient": "top", "direction": "horizontal"},
        },
    }


def _difference(query: NDArray[np.float32], neighbor: NDArray[np.float32]) -> NDArray[np.float64]:
    """The ink of two digits (28, 28) in colors (28, 28, 3), from 0 to 255, by whose it is."""
    shares = np.maximum(query - neighbor, 0), np.maximum(neighbor - query, 0), np.minimum(query, neighbor)
    return np.stack(shares, axis=2) @ np.array([ONLY_QUERY, ONLY_NEIGHBOR, BOTH], np.float64)


def _heat(erased: Erased) -> NDArray[np.float64]:
    """The query's ink in colors (28, 28, 3), from 0 to 255, by how it holds the neighbor near or pushes it away."""
    most = max(np.abs(erased.heat).max(), LEAST_HEAT * erased.distance, explain.TINY)
    heat = (erased.heat / most)[:, :, None]  # from -1 to 1
    full = np.where(heat > 0, HOLDS, PUSHES)
    return erased.digit[:, :, None] * (np.abs(heat) * full + (1 - np.abs(heat)) * NEUTRAL)


def _enlarged(colors: NDArray[np.float64]) -> str:
    """Colors (28, 28, 3), from 0 to 255, as a large and crisp picture."""
    small = np.round(colors).clip(0, 255).astype(np.uint8)
    return data_uri(Image.fromarray(small.repeat(ENLARGEMENT, axis=0).repeat(ENLARGEMENT, axis=1)))


def _tiny(digit: NDArray[np.float32]) -> str:
    return data_uri(Image.fromarray(to_bytes(digit)))
