"""The Failures page: the queries that the search fails, by digit and by what they are mistaken for."""

import math
from collections import Counter

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.data import Digits
from autoencoder.query.question import GalleryDigit
from autoencoder.query.verdict import named
from autoencoder.ui.evidence import begin
from autoencoder.ui.links import page_at
from autoencoder.ui.loading import load_study
from autoencoder.ui.needs import need_memory, need_study
from autoencoder.ui.options import Options
from autoencoder.ui.pictures import show_row
from autoencoder.ui.random_digit import ANY
from autoencoder.ui.visit import current_visit

AT_A_TIME = 6
PAGE = "page_of_failures"
FEW = 2  # of 4 right: from here on downward a search has failed


def failures_page() -> None:
    """The gallery's worst queries, each with the neighbors that it draws."""
    engine = begin(
        "Failures",
        "These digits find at most 2 of their own kind among 4, the worst first. Would you have read them correctly?",
        need_memory,
        need_study,
    )
    gallery, study = engine.gallery, load_study(engine.gallery.name)
    hits, found = study.hits["latent"], gallery.labels[study.neighbors]
    failed = np.flatnonzero(hits <= FEW)
    taken_for = {int(index): _taken_for(found[index].tolist(), gallery.labels[index]) for index in failed}
    with st.container(horizontal=True):
        digit = _choose_digit("Digit", "failed_digit")
        taken = _choose_digit("Mistaken for", "taken_for")
    shown = [
        index
        for index in failed[np.argsort(hits[failed], kind="stable")]
        if digit in (ANY, gallery.labels[index]) and taken in (ANY, taken_for[index])
    ]
    of_all = "" if len(shown) == len(failed) else f" of **{len(failed)}**"
    st.markdown(
        f"**{len(shown)}**{of_all} failed {'query' if len(shown) == 1 else 'queries'}, "
        f"{len(shown) / len(gallery):.1%} of {gallery.title}."
    )
    n_pages = max(1, math.ceil(len(shown) / AT_A_TIME))
    number = st.session_state[PAGE] = min(st.session_state.get(PAGE, 1), n_pages)
    if n_pages > 1:
        number = st.number_input(f"Page, 1 to {n_pages}", 1, n_pages, key=PAGE, persist_state="session", width=140)
    for index in shown[(number - 1) * AT_A_TIME : number * AT_A_TIME]:
        _show_failure(gallery, int(index), study.neighbors[index])


def _choose_digit(label: str, key: str) -> int | str:
    choices = [ANY, *range(10)]
    return st.selectbox(label, choices, key=key, width=140, persist_state="session", on_change=_to_first_page)


def _to_first_page() -> None:
    st.session_state.pop(PAGE, None)


def _taken_for(labels: list[int], digit: int) -> int:
    """Of the labels of neighbors, nearest first, the most frequent that is not the digit; of two, the nearer's."""
    return Counter(label for label in labels if label != digit).most_common(1)[0][0]


def _show_failure(gallery: Digits, index: int, neighbors: NDArray[np.int64]) -> None:
    label = int(gallery.labels[index])
    with st.container(border=True):
        labels = gallery.labels[neighbors].tolist()
        captions = [f"Query: {label}", *map(str, labels)]
        alts = [f"the query, {named(label)}", *map(named, labels)]
        show_row(gallery.images[[index, *neighbors]], captions, alts)
        if st.button(f"Open digit {index} in Search", icon=":material/search:", key=f"open-{index}"):
            current_visit().ask(GalleryDigit(gallery.name, index))
            # The other digits of MNIST mend many a failure, so Search is opened with the test digits alone.
            only_these = Options(test=True).to_parameters() if gallery.name == "mnist" else None
            if search := page_at(""):
                st.switch_page(search, query_params=only_these)
