"""The answer on the page: verdict, neighbors, and what to save or share of them."""

from functools import partial

import streamlit as st
from streamlit.elements.lib.grid_container import GridContainer

from autoencoder.data import Digits
from autoencoder.query.engine import SearchResult
from autoencoder.query.verdict import FINE, FOUND, GOOD, POOR, UNLIKE, Verdict, judge
from autoencoder.ui import told
from autoencoder.ui.address import link_to, parameters_of
from autoencoder.ui.card import show_card
from autoencoder.ui.desk import Asked
from autoencoder.ui.glossary import explain
from autoencoder.ui.links import show_link
from autoencoder.ui.options import Options
from autoencoder.ui.pictures import caption_of_neighbor, describe_neighbor, show_digit, show_outline
from autoencoder.ui.seen import BADLY_REDRAWN, describe_distance
from autoencoder.ui.take_away import neighbors_table, picture_card

NO_DISTANCE = "&emsp;&emsp;&emsp;&emsp; &emsp;&emsp;"  # as wide as "distance 1.23", and broken at the same place
TITLED_PX = 48
NEIGHBOR_PX = 60  # the narrowest tile: on a phone four in a row
ICONS = {
    GOOD: ":green[:material/check_circle:]",
    FINE: ":blue[:material/thumb_up:]",
    POOR: ":orange[:material/warning:]",
    UNLIKE: ":orange[:material/help:]",
    FOUND: ":blue[:material/visibility:]",
}


def show_answer(asked: Asked, *, key: str, title: str | None = None, may_tell: bool = True) -> None:
    """The answer to a query.

    `key` and `title` tell answers on a page apart, and `may_tell` lets the visitor say what a query without a label is.
    """
    engine, query, visit, result = asked.engine, asked.query, asked.visit, asked.result
    if title:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            show_digit(query.digit, alt=f"the query, {title.lower()}", width=TITLED_PX)
            st.markdown(f"**{title}**")
    found, verdict = _judge(result, query.label), _judge(result, asked.label)
    with show_card(verdict.sentence, ICONS[verdict.level], key=key):
        if may_tell and query.label is None and found.digit is not None and not result.two_shapes:
            told.show_choices(found, engine.gallery.labeled, visit)
    _show_neighbors(asked, None if verdict.level == UNLIKE else verdict.digit, key)
    if may_tell and query.label is None and asked.label not in (None, found.digit):
        told.show_nearest_of(asked.label, engine, query, result)
    st.caption(describe_distance(result.neighbors[0].distance, engine), help=explain("distance"))
    _show_words(engine.gallery, result, is_left_out=query.index is not None)
    with st.container(horizontal=True, vertical_alignment="center"):
        link = link_to(parameters_of(asked.question, asked.options))
        _offer_to_take_away(engine.gallery, result, verdict, link, key)
        show_link("why", "Why these?", ":material/troubleshoot:")


def show_blank_neighbors(options: Options, key: str) -> None:
    """As much room as neighbors take; the `key` tells it from others in the same run."""
    grid = _grid(options.neighbors)
    for rank in range(1, options.neighbors + 1):
        with grid, st.container(gap="xsmall"):
            show_outline(alt=f"neighbor {rank}, not shown")
            st.button("–", key=f"{key}-blank-{rank}", width="stretch", disabled=True)
            st.progress(0.0, NO_DISTANCE)


def _judge(result: SearchResult, digit: int | None) -> Verdict:
    return judge(
        [neighbor.label for neighbor in result.neighbors],
        digit=digit,
        unlike=result.unlike,
        two_shapes=result.two_shapes,
        badly_redrawn=result.error_rank > BADLY_REDRAWN,
    )


def _show_neighbors(asked: Asked, digit: int | None, key: str) -> None:
    """The neighbors, nearest first; those that show another digit than `digit`, if there is one, are marked.

    The bars have one scale for all queries: where one is full, nearly all digits of the gallery have a nearer neighbor.
    """
    gallery, neighbors = asked.engine.gallery, asked.result.neighbors
    grid = _grid(len(neighbors))
    for rank, neighbor in enumerate(neighbors, 1):
        with grid, st.container(gap="xsmall"):
            show_digit(gallery.images[neighbor.index], alt=f"neighbor {rank}, {describe_neighbor(neighbor)}")
            st.button(
                caption_of_neighbor(neighbor, digit),
                key=f"{key}-neighbor-{rank}-{neighbor.index}",  # a late click asks for the neighbor that was seen
                help=f"{'Drawn by the class. ' if neighbor.is_added else ''}Search from this one",
                width="stretch",
                on_click=asked.visit.ask,
                args=(asked.question_of(neighbor.index),),
            )
            st.progress(asked.engine.typical.fullness(neighbor.distance), f"distance {neighbor.distance:.2f}")


def _show_words(gallery: Digits, result: SearchResult, *, is_left_out: bool) -> None:
    """The neighbors as a text, for those who do not see the pictures."""
    found = ", ".join(f"{describe_neighbor(one)} at distance {one.distance:.2f}" for one in result.neighbors)
    left_out = " The query is one of them and is left out." if is_left_out else ""
    st.caption(f"Nearest of {gallery.title}: {found}.{left_out}", help=explain("gallery"))


def _offer_to_take_away(gallery: Digits, result: SearchResult, verdict: Verdict, link: str | None, key: str) -> None:
    """What to save or share, which is sent to the page once a visitor opens it."""
    folded = st.popover("Save or share", icon=":material/download:", key=f"{key}-take-away", on_change="rerun")
    if not folded.open:
        return
    with folded:
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
