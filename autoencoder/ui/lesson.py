"""What the teaching pages share: how they begin, their query, and digits in a row."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.data import Digits
from autoencoder.query.engine import Engine, SearchResult
from autoencoder.query.question import Hint, Query
from autoencoder.query.verdict import judge, named
from autoencoder.ui.address import open_address, parameters_of, write_address
from autoencoder.ui.loading import NOT_TO_BE_HAD, is_studied, load_engine
from autoencoder.ui.options import Options, current_options
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.random_digit import need_digit, show_random_button
from autoencoder.ui.style import fit_screen
from autoencoder.ui.visit import RANDOM, Visit, current_visit

if TYPE_CHECKING:
    import altair as alt

QUERY_PX = 112
SMALL_PX, LARGE_PX = 74, 160  # on a phone four in a row, and two
LETTERS_PX = 15
LARGEST_GALLERY = 100_000
OURS = "#d9480f"  # of what a chart is to show beside others; dark and light backgrounds bear it


def begin(title: str, claim: str) -> Engine:
    """Show a page's title and what it is about; returns the engine, or ends the page with a sentence without one.

    Of MNIST it is that of the test digits, which the network has not seen: what the pages say was measured on those.
    """
    begin_without_engine(title, claim)
    try:
        with st.spinner("Loading the autoencoder…"):
            loaded = load_engine()
    except NOT_TO_BE_HAD as error:
        st.error(str(error), icon=":material/build:")
        st.stop()
    engine = loaded.engine.unseen
    if loaded.problem:
        st.caption(f"Without MNIST: this is {engine.gallery.title}.")
    if engine is not loaded.engine:
        st.caption(f"On this page: {engine.gallery.title}. The network has not seen them.")
    if len(engine.gallery) > LARGEST_GALLERY:
        st.info(
            f"This server searches {engine.gallery.title}. The pages that teach hold every digit in memory "
            f"several times over, so they are for at most {LARGEST_GALLERY:,} digits. **Search** has no such limit.",
            icon=":material/info:",
        )
        st.stop()
    return engine


def need_study(gallery: Digits) -> None:
    """End the page with a sentence where the build has not studied the gallery: one of the server's own."""
    if not is_studied(gallery.name):
        st.info(
            f"This server searches {gallery.title}, and there is nothing here for them: this page shows what comes "
            "with the app, of MNIST and the bundled digits.",
            icon=":material/info:",
        )
        st.stop()


def begin_without_engine(title: str, claim: str) -> None:
    """Show a page's title and what it is about."""
    open_address(current_visit(), title)
    fit_screen(present=current_options().present)
    st.header(title, anchor=False)
    st.markdown(claim)


def show_query(engine: Engine) -> Query:
    """Show what is asked, here or on the page before, or a random digit where nothing is.

    Returns the Query, to be searched for by the engine that `begin` has given.
    """
    visit = current_visit()
    query = _asked(visit, load_engine().engine)
    write_address(visit, parameters_of(visit.question, Options(present=current_options().present)))
    with st.container(horizontal=True, vertical_alignment="center"):
        show_digit(query.digit, alt="the query", width=QUERY_PX)
        with st.container(gap="xsmall", width="content"):
            st.markdown(str(query))
            show_random_button(visit)
            st.caption("To draw one, go to **Search** and come back: it comes along.")
    searched = query.within(engine.gallery)
    if searched.index != query.index:
        st.caption("The network was trained on this digit, so it is not among those that are searched here.")
    return searched


def _asked(visit: Visit, engine: Engine) -> Query:
    """What is asked. Where nothing is asked, or what is asked is no digit, a random digit."""
    question, problem = visit.question, visit.problem
    if question is not None and visit.tab != RANDOM:
        try:
            return question.to_query(engine.gallery)
        except Hint as hint:
            problem = str(hint)
    if problem:
        st.info(f"{problem} So here is a random digit.")
    if visit.tab != RANDOM:  # after the message: Streamlit may end a run there
        visit.ask(None, RANDOM)
    return need_digit(visit, engine).to_query(engine.gallery)


def show_row(
    digits: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    captions: Sequence[str],
    alts: Sequence[str],
    *,
    width: int = SMALL_PX,
) -> None:
    """Digits float32 (n, 28, 28) side by side, each with a caption and a text for those who cannot see it."""
    with st.container(horizontal=True, gap="xsmall"):
        for digit, caption, alt in zip(digits, captions, alts, strict=True):
            show_digit(digit, alt=alt, caption=caption, width=width)


def show_neighbors(gallery: Digits, indices: Sequence[int] | NDArray[np.int64], digit: int | None) -> None:
    """Digits of a gallery in a row, nearest first; those that show another than `digit`, if it is known, are marked."""
    labels = [gallery.label(index) for index in indices]
    is_odd = [None not in (label, digit) and label != digit for label in labels]
    captions = [
        f"{named(label)} **≠ {digit}**" if odd else named(label) for label, odd in zip(labels, is_odd, strict=True)
    ]
    alts = [f"neighbor {rank}, {named(label)}" for rank, label in enumerate(labels, 1)]
    show_row(gallery.images[indices], captions, alts)


def show_found(gallery: Digits, result: SearchResult, label: int | None) -> None:
    """The neighbors that a search has found; those that show another digit than the query, or than most, are marked."""
    indices = [neighbor.index for neighbor in result.neighbors]
    labels = [neighbor.label for neighbor in result.neighbors]
    show_neighbors(gallery, indices, judge(labels, digit=label).digit)


def fastest_ms(task: Callable[[], Any], n_calls: int) -> float:
    """The fastest of so many calls of a task, in milliseconds: whatever else the machine does makes them slower."""
    task()
    times_s = []
    for _ in range(n_calls):
        started = perf_counter()
        task()
        times_s.append(perf_counter() - started)
    return 1000 * min(times_s)


def show_chart(chart: "alt.Chart | alt.LayerChart", *, height: int, **options: Any) -> Any:
    """An Altair chart as wide as its place, in letters that can be read from the last row."""
    ink = "white" if st.context.theme.type == "dark" else "black"  # Streamlit's chart theme does not set it
    chart = chart.properties(height=height).configure_view(strokeWidth=0)
    chart = chart.configure_axis(labelFontSize=LETTERS_PX, titleFontSize=LETTERS_PX, labelLimit=300)
    chart = chart.configure_legend(labelFontSize=LETTERS_PX, labelLimit=300, symbolSize=150)
    chart = chart.configure_text(color=ink).configure_rule(color=ink)
    return st.altair_chart(chart, **options)
