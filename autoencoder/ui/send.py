"""A drawing goes to the class: what its author meant, and whether it is there."""

import time

import streamlit as st

from autoencoder.classroom.room import WITHDRAWN_WITHIN_S, Classroom
from autoencoder.classroom.store import ClassError, Sent
from autoencoder.data import NO_DIGIT
from autoencoder.query.engine import Engine, SearchResult
from autoencoder.query.question import Drawing
from autoencoder.query.search import SearchError
from autoencoder.query.verdict import judge, named
from autoencoder.ui.visit import Visit, current_visit

MEANT = [*range(NO_DIGIT), NO_DIGIT]
REFUSED = "send_refused"  # a sentence: what a click's own function shows is lost where a part of the page runs again


def show_send(room: Classroom, engine: Engine, visit: Visit, result: SearchResult | None) -> None:
    """Buttons that send the drawing to the class, or take it back; without a `result` there is nothing to send.

    The class judges by `engine`, that of the gallery alone.
    """
    question, wall = visit.question, room.wall
    if problem := st.session_state.pop(REFUSED, None):
        st.toast(problem, icon=":material/block:")
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="send"):
        if result is None or not isinstance(question, Drawing):
            _show_choice(None, "meant-nothing", disabled=True)
            _button("Send to the class", disabled=True)
        elif (index := wall.index_of(question)) is not None:
            _show_sent(room, wall.sent[index], visit)
        else:
            key = f"meant-{hash(question)}"  # each drawing has a choice of its own, which begins with what was found
            likely = judge([neighbor.label for neighbor in result.neighbors], digit=visit.told).digit
            _show_choice(likely, key)
            _button("Send to the class", on_click=_send, args=(room, engine, question, key))
            if wall.is_frozen:  # as far as this page knows: a click finds out
                st.markdown("The wall is frozen.", width="content")


def _show_choice(digit: int | None, key: str, *, disabled: bool = False) -> None:
    st.selectbox(
        "What you meant",
        MEANT,
        digit,
        format_func=lambda digit: f"I meant {named(digit)}",
        key=key,
        placeholder="I meant …",
        disabled=disabled,
        label_visibility="collapsed",
        width=150,
    )


def _button(label: str, **options: object) -> None:
    st.button(label, icon=":material/send:", key="send_to_class", **options)  # type: ignore[arg-type]


def _show_sent(room: Classroom, sent: Sent, visit: Visit) -> None:
    is_own = sent.visit == visit.number
    what = "Sent" if is_own else "On the wall already"
    st.markdown(f":green[:material/check:] {what}: {named(sent.digit, '**')}.", width="content")
    if is_own and time.time() - sent.at <= WITHDRAWN_WITHIN_S:
        st.button("Take it back", key="withdraw", on_click=_withdraw, args=(room, sent.number))


def _send(room: Classroom, engine: Engine, drawing: Drawing, key: str) -> None:
    visit, digit = current_visit(), st.session_state.get(key)
    if not isinstance(digit, int):
        st.session_state[REFUSED] = "Say first which digit you meant."
        return
    try:
        room.send(drawing, digit, engine, visit=visit.number)
    except (ClassError, SearchError) as problem:
        st.session_state[REFUSED] = str(problem)
    else:
        visit.tell(drawing, None if digit == NO_DIGIT else digit)


def _withdraw(room: Classroom, number: int) -> None:
    try:
        room.withdraw(number, visit=current_visit().number)
    except ClassError as problem:
        st.session_state[REFUSED] = str(problem)
