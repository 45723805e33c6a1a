"""The page's address: it holds the question and the options, so that a copy of it shows the same page elsewhere."""

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from autoencoder.ink.strokes import LONGEST_TEXT
from autoencoder.query.question import Question, from_text
from autoencoder.ui.classroom import address_for_others
from autoencoder.ui.options import Options, current_options, set_options
from autoencoder.ui.visit import DRAW, Visit

QUESTION, TOUR = "q", "tour"


def parameters_of(question: Question | None, options: Options) -> dict[str, str]:
    """The parameters that say what is asked and how; a drawing that is too long for an address is left out."""
    text = question.to_text() if question else ""
    said = {QUESTION: text} if 0 < len(text) <= LONGEST_TEXT else {}
    return said | options.to_parameters()


def open_address(visit: Visit, page: str) -> None:
    """Ask what the address asks where the page did not write it.

    So it is at the start of a visit, on arrival from another page, from one step of the tour to another, and after the
    browser's Back. A link without a question keeps what is asked. Such links are in the browser's history, too: Back
    onto one asks what the page was reached with, and leaves the address as it is, since writing it would make a new
    entry that Back cannot pass.
    """
    begins, comes_from_elsewhere, goes_back = visit.page is None, visit.page not in (None, page), _goes_back()
    parameters = st.query_params.to_dict()
    steps = {address[TOUR] for address in (visit.address or {}, parameters) if TOUR in address}
    goes_a_step = len(steps) == 2  # who leaves the tour is in none
    is_new = parameters != visit.address and (begins or comes_from_elsewhere or goes_back or goes_a_step)
    hints = []
    # Streamlit may end a run at any call, in favor of a newer one. So the visit changes at once, between two calls.
    if is_new:
        was_reached = goes_back and visit.reached_with.get(page) is not None
        is_link = QUESTION not in parameters and (comes_from_elsewhere or was_reached)
        if wrong := set_options(parameters, keep_others=is_link):
            hints.append(f"The address sets {' and '.join(wrong)} to something that cannot be, so it is ignored.")
        visit.address = parameters
        if not is_link and not _ask_again(visit, parameters.get(QUESTION)):
            hints.append("The address names no digit that can be shown, so the page starts afresh.")
    if is_new and goes_back and is_link:
        visit.replace(visit.reached_with.get(page, visit.question))
        visit.left_unwritten = parameters_of(visit.question, current_options())
    elif begins or comes_from_elsewhere:
        visit.reached_with[page] = visit.question
    visit.page = page
    if comes_from_elsewhere:
        visit.restart_canvas()
    for hint in hints:
        show_hint(hint)


def _ask_again(visit: Visit, text: str | None) -> bool:
    """Ask what an address' text asks, nothing where there is none; returns whether it could be understood."""
    try:
        asked = from_text(text) if text else None
    except ValueError:
        visit.replace(None, DRAW)
        return False
    visit.replace(asked, None if asked else DRAW)
    if visit.history and visit.history[-1][1] == asked:
        visit.history.pop()
    return True


def write_address(visit: Visit, parameters: Mapping[str, str]) -> None:
    """Have the address say this, unless it does.

    The browser may still be taking up what was written before, and then its own address is behind or ahead of it. So
    the address is left alone only where both the browser's and the one written last say this.
    """
    if parameters == visit.left_unwritten or parameters == visit.address == st.query_params.to_dict():
        return
    visit.left_unwritten = None
    visit.address = dict(parameters)
    st.query_params.from_dict(parameters)


def link_to(parameters: Mapping[str, str]) -> str | None:
    """An address that shows the page to others, or None where the question is too long for it."""
    if QUESTION not in parameters:
        return None
    page = address_for_others() or st.context.url or ""  # None under AppTest
    for_others = {name: value for name, value in parameters.items() if name != "present"}
    return f"{page.rstrip('/')}/?{urlencode(for_others)}"


def show_hint(sentence: str) -> None:
    st.toast(sentence, icon=":material/link_off:", duration="long")


def _goes_back() -> bool:
    """Whether this run shows an earlier page of the browser's history. Only Streamlit's own context knows it."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
