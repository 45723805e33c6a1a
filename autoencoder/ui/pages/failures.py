"""Lesson "Failures": the queries that the search fails, by digit and by what they are taken for."""

from collections import Counter

import numpy as np
import streamlit as st

from autoencoder.query.verdict import named
from autoencoder.ui import visit
from autoencoder.ui.address import RANDOM
from autoencoder.ui.lesson import begin, need_study, show_row
from autoencoder.ui.loading import load_study
from autoencoder.ui.options import PART
from autoencoder.ui.pages.search import search_page
from autoencoder.ui.query import ANY

AT_A_TIME = 6
PAGE = "page_of_failures"
FEW = 2  # of 4 right: from here on downward a search has failed


def failures_page():
    """The gallery's worst queries, each with the neighbours that it draws."""
    engine = begin(
        "Failures",
        "The gallery's queries that find at most 2 of their own kind among 4, the worst first. Would you have known?",
    )
    need_study(engine.gallery)
    gallery, study = engine.gallery, load_study(engine.gallery.name)
    hits, found = study.hits["latent"], gallery.labels[study.neighbors]
    failed = np.flatnonzero(hits <= FEW)
    taken_for = {int(index): _taken_for(found[index].tolist(), gallery.labels[index]) for index in failed}
    with st.container(horizontal=True):
        choice = {"options": [ANY, *range(10)], "width": 140, "persist_state": "session", "on_change": _to_first_page}
        digit = st.selectbox("The digit", key="failed_digit", **choice)
        taken = st.selectbox("taken for", key="taken_for", **choice)
    shown = [
        index
        for index in failed[np.argsort(hits[failed], kind="stable")]
        if digit in (ANY, gallery.labels[index]) and taken in (ANY, taken_for[index])
    ]
    of_all = "" if len(shown) == len(failed) else f" of **{len(failed)}**"
    st.markdown(
        f"**{len(shown)}**{of_all} such {'query' if len(shown) == 1 else 'queries'}, "
        f"{len(shown) / len(gallery):.1%} of {gallery.title}."
    )
    n_pages = max(1, -(-len(shown) // AT_A_TIME))
    number = st.number_input(f"Page, of {n_pages}", 1, n_pages, 1, key=PAGE, width=140) if n_pages > 1 else 1
    for index in shown[(number - 1) * AT_A_TIME : number * AT_A_TIME]:
        _show_failure(gallery, int(index), study.neighbors[index])


def _to_first_page():
    st.session_state.pop(PAGE, None)


def _taken_for(labels, digit):
    """Of the labels of neighbours, nearest first, the most frequent that is not the digit; of two, the nearer's."""
    return Counter(label for label in labels if label != digit).most_common(1)[0][0]


def _show_failure(gallery, index, neighbors):
    label = int(gallery.labels[index])
    with st.container(border=True):
        captions = [f"the query, {named(label)}", *(named(int(gallery.labels[neighbor])) for neighbor in neighbors)]
        show_row(gallery.images[[index, *neighbors]], captions, captions)
        if st.button(f"Open digit {index} in Search", icon=":material/search:", key=f"open-{index}"):
            visit.ask(RANDOM, (gallery.name, index))
            only_these = {PART: "true"} if gallery.name == "mnist" else None  # its other digits mend many a failure
            st.switch_page(st.Page(search_page, title="Search", default=True), query_params=only_these)
