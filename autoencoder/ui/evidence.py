"""The pages that ask nothing: how they begin, and what they need of the gallery."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import streamlit as st

from autoencoder.data import Digits
from autoencoder.query.engine import Engine
from autoencoder.query.question import Hint
from autoencoder.ui.address import open_address, parameters_of, write_address
from autoencoder.ui.loading import NOT_TO_BE_HAD, is_studied, load_engine
from autoencoder.ui.options import current_options
from autoencoder.ui.style import fit_screen
from autoencoder.ui.visit import current_visit

LARGEST_GALLERY = 100_000


def begin(title: str, claim: str, *needs: Callable[[Digits], None]) -> Engine:
    """Show a page's title and what it is about; returns the engine, or ends the page with a sentence without one.

    Of MNIST it is that of the test digits, which the network has not seen: what the pages say was measured on those.
    Each of `needs` raises a Hint where the gallery is not for the page.
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
    try:
        for need in needs:
            need(engine.gallery)
    except Hint as hint:
        st.info(str(hint), icon=":material/info:")
        st.stop()
    return engine


def begin_without_engine(title: str, claim: str) -> None:
    """Show a page's title and what it is about; the address keeps the question and the options."""
    visit = current_visit()
    open_address(visit, title)
    options = current_options()
    fit_screen(present=options.present)
    st.header(title, anchor=False)
    st.markdown(claim)
    write_address(visit, parameters_of(visit.question, options))


def need_study(gallery: Digits) -> None:
    """Raise a Hint where the build has not studied the gallery: one of the server's own."""
    if not is_studied(gallery.name):
        raise Hint(
            f"This server searches {gallery.title}, and there is nothing here for them: this page shows what comes "
            "with the app, of MNIST and the bundled digits."
        )


def need_memory(gallery: Digits) -> None:
    """Raise a Hint where the gallery is too large for a page that holds every digit in memory several times over."""
    if len(gallery) > LARGEST_GALLERY:
        raise Hint(
            f"This server searches {gallery.title}. This page holds every digit in memory several times over, so it is "
            f"for at most {LARGEST_GALLERY:,} digits. **Search** has no such limit."
        )


def fastest_ms(task: Callable[[], Any], n_calls: int) -> float:
    """The fastest of so many calls of a task, in milliseconds: whatever else the machine does makes them slower."""
    task()
    times_s = []
    for _ in range(n_calls):
        started = perf_counter()
        task()
        times_s.append(perf_counter() - started)
    return 1000 * min(times_s)
