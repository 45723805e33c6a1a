"""How the pages begin that ask nothing."""

from collections.abc import Callable

import streamlit as st

from autoencoder.data import Digits
from autoencoder.query.engine import Engine
from autoencoder.query.question import Hint
from autoencoder.ui.address import open_address, parameters_of, write_address
from autoencoder.ui.loading import NOT_TO_BE_HAD, Loaded, load_engine
from autoencoder.ui.options import current_options
from autoencoder.ui.style import fit_screen, fit_type
from autoencoder.ui.tour import show_tour
from autoencoder.ui.visit import current_visit


def begin(title: str, claim: str, *needs: Callable[[Digits], None]) -> Engine:
    """Show a page's title and what it is about; returns the engine, or ends the page with a sentence without one.

    Of MNIST it is that of the test digits, which the network has not seen: what the pages say was measured on those.
    Each of `needs` raises a Hint where the gallery is not for the page.
    """
    begin_without_engine(title, claim)
    loaded = load_or_stop()
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


def load_or_stop() -> Loaded:
    """The shared engine, or the end of the page with a sentence that says why it cannot be had."""
    try:
        with st.spinner("Loading the autoencoder…"):
            return load_engine()
    except NOT_TO_BE_HAD as error:
        st.error(str(error), icon=":material/build:")
        st.stop()


def begin_without_engine(title: str, claim: str) -> None:
    """Show a page's title and what it is about; the address keeps the question and the options."""
    visit = current_visit()
    open_address(visit, title)
    options = current_options()
    fit_screen()
    fit_type(present=options.present)
    show_tour()
    st.header(title, anchor=False)
    st.markdown(claim)
    write_address(visit, parameters_of(visit.question, options))
