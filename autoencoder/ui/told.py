"""What the visitor says that a drawing or a picture is, and where the nearest of that is."""

import streamlit as st

from autoencoder.data import NO_DIGIT
from autoencoder.query.engine import Engine, SearchResult
from autoencoder.query.question import Query, Question
from autoencoder.query.verdict import UNLIKE, Verdict, named
from autoencoder.ui.links import show_link
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.visit import Visit, current_visit

OTHER = "told_other"
PICTURE_PX = 60


def show_choices(found: Verdict, labeled: list[int], visit: Visit) -> None:
    """Ask whether the query, which has no label, shows the digit that was found, or which of those that are labeled.

    Once the visitor has said it, say so, and let the visitor change it.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        if (digit := visit.told) is not None:
            st.markdown(f"You said: {named(digit, '**')}.", width="content")
            st.button("Change", key="told_change", on_click=visit.tell, args=(visit.question, None))
            return
        is_open = found.level == UNLIKE or found.digit == NO_DIGIT
        st.markdown("Is it a digit?" if is_open else f"Is it {named(found.digit)}?", width="content")
        if not is_open:
            st.button("Yes", key="told_yes", on_click=visit.tell, args=(visit.question, found.digit))
        st.selectbox(
            "What is it?",
            [digit for digit in labeled if is_open or digit != found.digit],
            None,
            key=OTHER,
            placeholder="Yes, a …" if is_open else "No, a …",
            label_visibility="collapsed",
            width=120,
            on_change=_tell_other,
            args=(visit.question,),
        )


def show_nearest_of(digit: int, engine: Engine, query: Query, result: SearchResult) -> None:
    """Show where the nearest of a digit is among the look-alikes."""
    rank, nearest = engine.find_nearest_of(digit, result, exclude=query.index)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_digit(engine.gallery.images[nearest.index], alt=f"the nearest {digit}", width=PICTURE_PX)
        sentence = f"The nearest {digit} is look-alike number **{rank:,}**, at distance {nearest.distance:.2f}."
        st.markdown(sentence, width="stretch")
        show_link("why", f"Why not {named(digit)}?", ":material/troubleshoot:")


def _tell_other(question: Question | None) -> None:
    current_visit().tell(question, st.session_state[OTHER])
