"""The answer on the page: verdict, neighbors, reconstruction, and what to take away of them."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
from streamlit.elements.lib.grid_container import GridContainer

from autoencoder.data import Digits
from autoencoder.query.engine import Engine, Neighbor, SearchResult
from autoencoder.query.question import GalleryDigit, Query
from autoencoder.query.verdict import FINE, FOUND, GOOD, POOR, UNLIKE, Verdict, judge, named
from autoencoder.ui import told
from autoencoder.ui.options import Options
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.take_away import neighbors_table, picture_card
from autoencoder.ui.visit import Visit

NO_DISTANCE = "&emsp;&emsp;&emsp;&emsp; &emsp;&emsp;"  # as wide as "distance 1.23", and broken at the same place
NEIGHBOR_PX, WAY_PX = 60, 96  # the narrowest tiles: on a phone four in a row, and three
BADLY_REDRAWN = 0.95  # of the gallery's digits are redrawn better
REDRAWN = (0.25, "Small"), (0.75, "About average"), (BADLY_REDRAWN, "Large"), (1, "Very large")
NEAR = (0.25, "Near"), (0.75, "About average"), (0.95, "Far"), (1, "Very far")
BLANK_TILE = np.full((28, 28), 0.25, np.float32)
BOXES = {
    GOOD: (st.success, ":material/check_circle:"),
    FINE: (st.info, ":material/thumb_up:"),
    POOR: (st.warning, ":material/warning:"),
    UNLIKE: (st.warning, ":material/help:"),
    FOUND: (st.info, ":material/visibility:"),
}


def show_answer(
    engine: Engine,
    query: Query,
    options: Options,
    visit: Visit,
    *,
    hidden: bool,
    link: str | None,
    key: str,
    may_tell: bool = True,
) -> None:
    """The answer to a query.

    `hidden` leaves blank what is to be guessed first, `link` is the address that shows the page to others, `key` tells
    answers on a page apart, and `may_tell` lets the visitor say what a query
    without a label is.
    """
    if query.title:
        st.markdown(f"**{query.title}**")
    available = len(engine.gallery) - 1 if query.index is not None else len(engine.gallery)
    result = engine.search(query.digit, min(options.neighbors, available), exclude=query.index)
    if hidden:
        st.info("Which digit is it, and what will be found? Guess, then reveal.", icon=":material/visibility_off:")
        _show_blank_neighbors(options.neighbors, key)
        _show_way(engine, result, options, hidden=True)
        return
    found = _judge(result, query.label)
    told_digit = visit.told if query.label is None else None
    verdict = found if told_digit is None else _judge(result, told_digit)
    show_box, icon = BOXES[verdict.level]
    show_box(verdict.sentence, icon=icon)
    _show_neighbors(engine, result.neighbors, None if verdict.level == UNLIKE else verdict.digit, visit, key)
    way = _show_way(engine, result, options, hidden=False)
    if may_tell and query.label is None and found.digit is not None and not result.two_shapes:
        with way.cell():
            told.show_choices(found, engine.gallery.labeled, visit)
        if told_digit not in (None, found.digit):
            told.show_nearest_of(told_digit, engine, query, result)
    _show_words(engine.gallery, result, query)
    _offer_to_take_away(engine.gallery, result, verdict, link, key)


def show_no_answer(hint: str, options: Options, *, key: str, problem: bool = False) -> None:
    """What an answer will look like, with a hint in the place of the verdict, or a problem with what was given."""
    if problem:
        st.warning(hint, icon=":material/image_not_supported:")
    else:
        st.info(hint, icon=":material/draw:")
    _show_blank_neighbors(options.neighbors, key)
    way = _way()
    for caption in ("What the model sees", "Its reconstruction"):
        with way.cell():
            show_digit(BLANK_TILE, alt="nothing yet", caption=caption)


def _judge(result: SearchResult, digit: int | None) -> Verdict:
    return judge(
        [neighbor.label for neighbor in result.neighbors],
        digit=digit,
        unlike=result.unlike,
        two_shapes=result.two_shapes,
        badly_redrawn=result.error_rank > BADLY_REDRAWN,
    )


def _show_neighbors(engine: Engine, neighbors: tuple[Neighbor, ...], digit: int | None, visit: Visit, key: str) -> None:
    """The neighbors, nearest first; those that show another digit than `digit`, if there is one, are marked.

    The bars have one scale for all queries: where one is full, nearly all digits of the gallery have a nearer neighbor.
    """
    gallery = engine.gallery
    grid = _grid(len(neighbors))
    for rank, neighbor in enumerate(neighbors, 1):
        odd = "" if None in (digit, neighbor.label) or neighbor.label == digit else f" :orange[**≠ {digit}**]"
        with grid.cell(), st.container(gap="xsmall"):
            show_digit(gallery.images[neighbor.index], alt=f"neighbor {rank}, {named(neighbor.label)}")
            st.button(
                f"{rank}. {named(neighbor.label, '**')}{odd}",
                key=f"{key}-neighbor-{rank}-{neighbor.index}",  # a late click asks for the neighbor that was seen
                help="Search for the look-alikes of this one",
                width="stretch",
                on_click=visit.ask,
                args=(GalleryDigit(gallery.name, neighbor.index),),
            )
            st.progress(engine.typical.fullness(neighbor.distance), f"distance {neighbor.distance:.2f}")


def _show_blank_neighbors(n_neighbors: int, key: str) -> None:
    """As much room as neighbors take."""
    grid = _grid(n_neighbors)
    for rank in range(1, n_neighbors + 1):
        with grid.cell(), st.container(gap="xsmall"):
            show_digit(BLANK_TILE, alt=f"neighbor {rank}, not shown")
            st.button(f"{rank}.", key=f"{key}-blank-{rank}", width="stretch", disabled=True)
            st.progress(0.0, NO_DISTANCE)


def _show_way(engine: Engine, result: SearchResult, options: Options, *, hidden: bool) -> GridContainer:
    """What becomes of the query: as the model sees it, as it draws it again, how well, and how near its nearest is.

    Returns the grid that this is in. `hidden` leaves out the distance.
    """
    way = _way()
    with way.cell():
        show_digit(result.query, alt="the query as the model sees it", caption="What the model sees")
    with way.cell():
        show_digit(result.reconstruction, alt="the reconstruction", caption="Its reconstruction")
    with way.cell():
        st.markdown(f"Redrawing error **{result.reconstruction_mse:.4f}**")
        st.caption(_compared(result.error_rank, REDRAWN, "{} of 100 digits are redrawn better"))
        if not hidden:
            distance = result.neighbors[0].distance
            st.markdown(f"Distance **{distance:.2f}**")
            nearer = 1 - engine.typical.closer_than(distance)
            st.caption(_compared(nearer, NEAR, "{} of 100 digits of the gallery have a nearer look-alike"))
    if options.difference:
        with way.cell():
            difference = np.abs(result.reconstruction - result.query)
            show_digit(difference, alt="the difference of the two", caption="The difference")
    return way


def _compared(share: float, words: Sequence[tuple[float, str]], figures: str) -> str:
    """A share of digits that are better, in a word and in figures."""
    word = next(word for most, word in words if share <= most)
    return f"{word}: {figures.format(min(round(100 * share), 99))}"


def _show_words(gallery: Digits, result: SearchResult, query: Query) -> None:
    """The neighbors as a text, for those who do not see the pictures."""
    found = ", ".join(f"{named(neighbor.label)} at distance {neighbor.distance:.2f}" for neighbor in result.neighbors)
    left_out = " The query is one of them and is left out." if query.index is not None else ""
    st.caption(f"Nearest of {gallery.title}: {found}.{left_out}")


def _offer_to_take_away(gallery: Digits, result: SearchResult, verdict: Verdict, link: str | None, key: str) -> None:
    with st.popover("Take it away", icon=":material/download:"):
        card = partial(picture_card, gallery.images, result, verdict.sentence)
        table = partial(neighbors_table, result)
        st.download_button("Picture (PNG)", card, "look-alikes.png", "image/png", key=f"{key}-card", on_click="ignore")
        st.download_button("Table (CSV)", table, "look-alikes.csv", "text/csv", key=f"{key}-table", on_click="ignore")
        if link:
            st.caption("A link to this page as it is:")
            st.code(link, language=None)
        else:
            st.caption("This drawing is too long for a link.")


def _grid(n_neighbors: int) -> GridContainer:
    return st.grid(4 if n_neighbors <= 4 else 5, min_column_width=NEIGHBOR_PX)


def _way() -> GridContainer:
    return st.grid(4, min_column_width=WAY_PX)
