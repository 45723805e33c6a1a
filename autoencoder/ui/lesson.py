"""What the teaching pages share: how they begin, their query, and digits in a row."""

from time import perf_counter

import streamlit as st

from autoencoder.query.verdict import named
from autoencoder.ui import visit
from autoencoder.ui.address import RANDOM
from autoencoder.ui.loading import NOT_TO_BE_HAD, is_studied, load_engine
from autoencoder.ui.options import is_presented
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.query import ask_random, asked_query, settle_random
from autoencoder.ui.style import fit_screen

QUERY_PX = 112
SMALL_PX, LARGE_PX = 74, 160  # on a phone four in a row, and two
LETTERS_PX = 15
LARGEST_GALLERY = 100_000
OURS = "#d9480f"  # of what a chart is to show beside others; dark and light backgrounds bear it


def begin(title, claim):
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


def need_study(gallery):
    """End the page with a sentence where the build has not studied the gallery: one of the server's own."""
    if not is_studied(gallery.name):
        st.info(
            f"This server searches {gallery.title}, and there is nothing here for them: this page shows what comes "
            "with the app, of MNIST and the bundled digits.",
            icon=":material/info:",
        )
        st.stop()


def begin_without_engine(title, claim):
    """Show a page's title and what it is about."""
    visit.open_address(title)
    fit_screen(present=is_presented())
    st.header(title, anchor=False)
    st.markdown(claim)


def show_query(engine):
    """Show what is asked, here or on the page before, or a random digit where nothing is.

    Returns the Query, to be searched for by the engine that `begin` has given.
    """
    whole = engine.whole
    source, _ = visit.question()
    if source == RANDOM:
        settle_random(whole)
    query = asked_query(whole.gallery)
    if isinstance(query, str):  # nothing is asked, or something that is no digit
        if visit.question()[1] is not None or st.session_state.get("problem"):
            st.info(f"{query} So here is a random digit.")
        ask_random()
        settle_random(whole)
        query = asked_query(whole.gallery)
    visit.write_address()
    with st.container(horizontal=True, vertical_alignment="center"):
        show_digit(query.digit, alt="the query", width=QUERY_PX)
        with st.container(gap="xsmall", width="content"):
            st.markdown(str(query))
            st.button("Random query", icon=":material/casino:", key="random", on_click=ask_random)
            st.caption("To draw one, go to **Search** and come back: it comes along.")
    searched = query.within(engine.gallery)
    if searched.index != query.index:
        st.caption("The network was trained on this digit, so it is not among those that are searched here.")
    return searched


def show_row(digits, captions, alts, *, width=SMALL_PX):
    """Digits float32 (n, 28, 28) side by side, each with a caption and a text for those who cannot see it."""
    with st.container(horizontal=True, gap="xsmall"):
        for digit, caption, alt in zip(digits, captions, alts, strict=True):
            show_digit(digit, alt=alt, caption=caption, width=width)


def show_neighbors(gallery, indices, digit):
    """Digits of a gallery in a row, nearest first; those that show another than `digit`, if it is known, are marked."""
    labels = [gallery.label(index) for index in indices]
    odd = f" **≠ {digit}**"
    captions = [named(label) + (odd if None not in (label, digit) and label != digit else "") for label in labels]
    alts = [f"neighbor {rank}, {named(label)}" for rank, label in enumerate(labels, 1)]
    show_row(gallery.images[indices], captions, alts)


def fastest_ms(task, n_calls):
    """The fastest of so many calls of a task, in milliseconds: whatever else the machine does makes them slower."""
    task()
    times_s = []
    for _ in range(n_calls):
        started = perf_counter()
        task()
        times_s.append(perf_counter() - started)
    return 1000 * min(times_s)


def show_chart(chart, *, height, **options):
    """An Altair chart as wide as its place, in letters that can be read from the last row."""
    axes = {"labelFontSize": LETTERS_PX, "titleFontSize": LETTERS_PX, "labelLimit": 300}
    letters = {"labelFontSize": LETTERS_PX, "labelLimit": 300, "symbolSize": 150}
    ink = "white" if st.context.theme.type == "dark" else "black"  # which Streamlit's chart theme leaves to us
    chart = chart.properties(height=height).configure_axis(**axes).configure_legend(**letters)
    chart = chart.configure_text(color=ink).configure_rule(color=ink)
    return st.altair_chart(chart.configure_view(strokeWidth=0), **options)
