"""Lens "Why these?": what holds a neighbor near, in the 32 numbers and in the ink."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from autoencoder.ink.preprocess import to_bytes
from autoencoder.query import explain
from autoencoder.query.engine import Engine, Neighbor
from autoencoder.query.explain import Contributions, Erased, ErasedLatents, Found, Votes
from autoencoder.query.verdict import judge, named
from autoencoder.ui import glossary
from autoencoder.ui.card import show_card
from autoencoder.ui.charts import letters_px
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.loading import load_knobs
from autoencoder.ui.pictures import caption_of, caption_of_neighbor, pixelated, show_digit

RANK = "why_rank"
COLUMNS, COLUMN_PX, PICTURE_PX = 6, 108, 90  # of the grid below the headline: how many, the least widths
CHART_PX, SMALLER_PX, PRESENTED_PX = 270, 230, 200  # high: usually, where more is said, and below larger letters
# On black, each with a contrast of more than 3:1. Orange and blue, and green and pink, differ to all eyes.
ONLY_QUERY, ONLY_NEIGHBOR, BOTH = (255, 150, 30), (80, 165, 255), (150, 150, 150)
HOLDS, PUSHES, NEUTRAL = (60, 225, 110), (255, 95, 215), (150, 150, 150)
COLORS_IN_WORDS = (
    "Orange ink is the query's alone, blue ink the look-alike's. "
    "Green ink holds the look-alike near, pink ink pushes it away."
)
NO_LABEL = named(None)
NEW_LINE = "  \n"  # of Markdown
KIND, POSE, UNSPLIT = "kind", "pose", "number"
SORT_COLORS = ["#0b8577", "#b0700a", "#0b8577"]  # 3:1 on the light ground and on the dark one
SORT_SHAPES = ["circle", "triangle-up", "circle"]
WHOSE = "query", "look-alike"
# The same for all queries: where a chart's text changes, a browser builds the chart anew (50 ms at each stroke).
CHART_IN_WORDS = "the 32 numbers of the query and of the look-alike as pairs of bars, the most different ones first"
IN_ORDER = ["Most different numbers first.", "Filled: query. Hollow: look-alike."]  # line by line


@dataclass(frozen=True)
class Meant:
    """The `nearest` of the digit that the query is meant to be, and a `rival`: a look-alike that shows another."""

    nearest: Found
    rival: Found


def why_page() -> None:
    """What holds a neighbor near, and how far off the digit is that the query was meant to be."""
    show_desk(
        "Why these?", _show_why, promise="See which of the 32 numbers hold a look-alike near, and which ink does."
    )


def _show_why(asked: Asked) -> None:
    engine, result, present = asked.engine, asked.result, asked.options.present
    is_kind = load_knobs(engine.unseen, engine.gallery.name).is_kind
    rank = _chosen_rank(len(result.neighbors))
    neighbor = result.neighbors[rank - 1]
    with show_card(_headline(rank, neighbor), ":blue[:material/troubleshoot:]", key="why"):
        _show_choice(asked)
    found = _found(engine, rank, neighbor)
    meant = _find_meant(asked, found)
    erased = ErasedLatents.of(result.query, engine.space).against(found.latent)
    contributions = Contributions.of(result.latent, found.latent)
    n_across, height_px = (2, CHART_PX) if meant is None else (3, SMALLER_PX)
    grid = st.grid(COLUMNS, min_column_width=COLUMN_PX)
    with grid.cell(column_span=n_across), st.grid(n_across, min_column_width=PICTURE_PX, gap="xsmall"):
        _show_pictures(found, erased, meant)
    with grid.cell(column_span=COLUMNS - n_across), st.container(gap="xsmall"):
        if meant is None:
            sentences = _describe(found, erased, contributions, is_kind)
        else:
            sentences = _describe_meant(asked, meant, is_kind)
        split = "" if is_kind is None else f"\n\n{glossary.explain('kind and pose')}"
        st.markdown(NEW_LINE.join(sentences), help=COLORS_IN_WORDS + split)
        height_px = PRESENTED_PX if present else height_px
        _show_numbers(contributions, result.latent, found.latent, is_kind, height_px)
    if meant is None or not present:  # in large type there is no room left, and it is in the help
        st.caption(COLORS_IN_WORDS)


def _chosen_rank(n_neighbors: int) -> int:
    """The rank of the neighbor that is looked at, from 1: the chosen one, or the last where there are fewer."""
    rank = min(st.session_state.get(RANK) or 1, n_neighbors)
    if st.session_state.get(RANK) != rank:
        st.session_state[RANK] = rank
    return rank


def _found(engine: Engine, rank: int, neighbor: Neighbor) -> Found:
    index = neighbor.index
    what = caption_of(neighbor.label, None)
    return Found(what, rank, neighbor.distance, engine.nearest.vectors[index], engine.gallery.images[index])


def _headline(rank: int, neighbor: Neighbor) -> str:
    is_what = " is" if neighbor.label is None else f" is {named(neighbor.label)},"
    return f"Look-alike {rank}{is_what} {neighbor.distance:.2f} away"


def _show_choice(asked: Asked) -> None:
    """The neighbors as small pictures, of which one is chosen."""
    gallery, neighbors = asked.engine.gallery, asked.result.neighbors
    pictures = to_bytes(gallery.images[[neighbor.index for neighbor in neighbors]])
    labels = {
        rank: f"![neighbor {rank}]({pixelated(picture)}) {caption_of_neighbor(neighbor, None)}"
        for rank, (neighbor, picture) in enumerate(zip(neighbors, pictures, strict=True), 1)
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


def _find_meant(asked: Asked, found: Found) -> Meant | None:
    """The nearest of the digit that the query is meant to be, and the chosen look-alike or the first that shows another
    digit; None where most look-alikes show what is meant, or none is known to show another digit."""
    engine, result, label = asked.engine, asked.result, asked.label
    most = judge([neighbor.label for neighbor in result.neighbors]).digit
    if label in (None, most) or label not in engine.gallery.labeled:
        return None
    neighbors = (_found(engine, rank, neighbor) for rank, neighbor in enumerate(result.neighbors, 1))
    rival = next((rival for rival in (found, *neighbors) if rival.what not in (str(label), NO_LABEL)), None)
    if rival is None:
        return None
    return Meant(_found(engine, *engine.find_nearest_of(label, result, exclude=asked.query.index)), rival)


def _show_pictures(found: Found, erased: Erased, meant: Meant | None) -> None:
    """Query and neighbor, their difference, and what of the query's ink holds the neighbor near; two of each row, and
    beside them the digit that the query is meant to be (its rival where that one is chosen), and its difference."""
    query = erased.digit
    show_digit(query, alt="the query", caption="Query")
    _show_found(found)
    if meant is None:
        _show_difference(query, found, "Difference")
        _show_heat(erased)
        return
    if found.rank == meant.nearest.rank:
        beside = meant.rival
        _show_found(beside)
    else:
        beside = meant.nearest
        alt = f"the nearest {beside.what}, look-alike {beside.rank}"
        show_digit(beside.picture, alt=alt, caption=f"Nearest {beside.what}")
    is_one_of_a_kind = found.what not in (beside.what, NO_LABEL)
    _show_difference(query, found, f"Difference to {found.what if is_one_of_a_kind else f'look-alike {found.rank}'}")
    _show_heat(erased)
    _show_difference(query, beside, f"Difference to {beside.what}")


def _show_found(found: Found) -> None:
    show_digit(found.picture, alt=f"look-alike {found.rank}, {found.what}", caption=f"Look-alike {found.rank}")


def _show_heat(erased: Erased) -> None:
    alt = " ".join(["what holds the look-alike near.", *explain.describe_heat(erased)])
    _show_colors(_heat(erased), "What holds it", alt)


def _show_difference(query: NDArray[np.float32], found: Found, caption: str) -> None:
    alt = "the difference. " + explain.describe_ink(query, found.picture, f"Look-alike {found.rank}")
    _show_colors(_difference(query, found.picture), caption, alt)


def _show_colors(colors: NDArray[np.float64], caption: str, alt: str) -> None:
    """Colors (28, 28, 3), from 0 to 255, as a large and crisp picture."""
    st.image(pixelated(np.round(colors).astype(np.uint8)), caption=caption, width="stretch", alt=alt)


def _describe(
    found: Found, erased: Erased, contributions: Contributions, is_kind: NDArray[np.bool_] | None
) -> list[str]:
    """What the neighbor has in common with the query, in ink and in numbers."""
    ink = explain.describe_ink(erased.digit, found.picture, "The look-alike")
    return [ink, *explain.describe_heat(erased), explain.describe_numbers(contributions, is_kind)]


def _describe_meant(asked: Asked, meant: Meant, is_kind: NDArray[np.bool_] | None) -> list[str]:
    """What tells the digit that the query is meant to be from its rival, and what would make it the nearer one."""
    result, nearest, rival = asked.result, meant.nearest, meant.rival
    votes = Votes.of(result.latent, rival.latent, nearest.latent, is_kind)
    sentences = [
        explain.describe_ranks(nearest, rival),
        explain.describe_votes(votes, nearest.what, rival.what),
        explain.describe_ink(result.query, nearest.picture, f"That {nearest.what}"),
    ]
    if nearest.distance < rival.distance:  # it is the nearer one as it is
        return sentences
    redrawn = explain.redraw_best_part(result.query, nearest, rival, asked.engine.space)
    return [*sentences, explain.describe_redrawn(redrawn, nearest.what, rival.what)]


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
    st.vega_lite_chart(rows, _chart(letters_px(), is_kind is not None), height=height_px, alt=CHART_IN_WORDS)


@cache
def _chart(size_px: int, is_split: bool) -> dict[str, Any]:
    """The chart as Vega-Lite has it, the same for all queries: a browser need not build it anew.

    (Altair takes 20 ms to write the same.)
    """
    axis = {"labels": False, "ticks": False, "domain": False, "grid": False, "titlePadding": 18}
    place = {"field": "place", "type": "ordinal", "title": IN_ORDER, "axis": axis}
    sorts = [KIND, POSE] if is_split else [UNSPLIT]
    return {"encoding": {"x": place}, "layer": [_bars(sorts), _marks(sorts)], "config": _config(size_px)}


def _bars(sorts: list[str]) -> dict[str, Any]:
    """The pairs of bars, the query's filled and the look-alike's hollow."""
    sort = [] if sorts == [UNSPLIT] else [{"field": "sort", "type": "nominal", "title": "kind or pose"}]
    opacity = {"field": "whose", "type": "ordinal", "scale": {"domain": list(WHOSE), "range": [1, 0.1]}, "legend": None}
    return {
        "mark": {"type": "bar", "strokeWidth": 1.2},
        "encoding": {
            "xOffset": {"field": "whose", "type": "nominal", "scale": {"domain": list(WHOSE)}},
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"tickCount": 3}},
            "fillOpacity": opacity,
            "stroke": _color(sorts),
            "color": _color(sorts),
            "tooltip": [
                {"field": "number", "type": "quantitative"},
                *sort,
                {"field": "whose", "type": "nominal"},
                {"field": "value", "type": "quantitative", "format": ".2f"},
                {"field": "share", "type": "quantitative", "format": ".0%", "title": "share of the difference"},
            ],
        },
    }


def _marks(sorts: list[str]) -> dict[str, Any]:
    """Below each pair a mark whose shape tells the sort to those who cannot tell the colors."""
    shapes = {"domain": sorts, "range": SORT_SHAPES[: len(sorts)]}
    return {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "yOffset": 10},
        "encoding": {
            "y": {"value": "height"},
            "color": _color(sorts),
            "shape": {"field": "sort", "type": "nominal", "scale": shapes, "legend": {"title": None}},
        },
    }


def _color(sorts: list[str]) -> dict[str, Any]:
    scale = {"domain": sorts, "range": SORT_COLORS[: len(sorts)]}
    return {"field": "sort", "type": "nominal", "scale": scale, "legend": {"title": None, "offset": 4}}


def _config(size_px: int) -> dict[str, Any]:
    return {
        "view": {"stroke": None},
        "axis": {"labelFontSize": size_px, "titleFontSize": size_px},
        "legend": {"labelFontSize": size_px, "symbolSize": 120, "orient": "top", "direction": "horizontal"},
    }


def _difference(query: NDArray[np.float32], neighbor: NDArray[np.float32]) -> NDArray[np.float64]:
    """The ink of two digits (28, 28) in colors (28, 28, 3), from 0 to 255, by whose it is."""
    shares = np.maximum(query - neighbor, 0), np.maximum(neighbor - query, 0), np.minimum(query, neighbor)
    return np.stack(shares, axis=2) @ np.array([ONLY_QUERY, ONLY_NEIGHBOR, BOTH], np.float64)


def _heat(erased: Erased) -> NDArray[np.float64]:
    """The query's ink in colors (28, 28, 3), from 0 to 255, by how it holds the neighbor near or pushes it away."""
    most = max(np.abs(erased.heat).max(), explain.LEAST_HEAT * erased.distance, explain.TINY)
    heat = (erased.heat / most)[:, :, None]  # from -1 to 1
    full = np.where(heat > 0, HOLDS, PUSHES)
    return erased.digit[:, :, None] * (np.abs(heat) * full + (1 - np.abs(heat)) * NEUTRAL)
