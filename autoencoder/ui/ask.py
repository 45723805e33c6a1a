"""How a visitor asks: by the canvas, with a random digit, by an upload or with the camera."""

import threading

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from autoencoder.data import Digits
from autoencoder.ink.photo import read_gray
from autoencoder.ink.preprocess import NoDigitError, digit_from_gray
from autoencoder.ink.strokes import CANVAS_PX
from autoencoder.query.engine import Engine
from autoencoder.query.question import Picture
from autoencoder.ui import canvas
from autoencoder.ui.glossary import explain
from autoencoder.ui.options import Options
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.random_digit import ANY, need_digit, show_random_button
from autoencoder.ui.visit import CAMERA, DRAW, RANDOM, TABS, UPLOAD, Visit, current_visit

UPLOAD_TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
READING = threading.Semaphore(2)  # pictures at a time: more would hold up all who draw


def show_tabs(visit: Visit) -> None:
    """The choice of where the query comes from."""
    st.session_state.tab = visit.tab  # a neighbor, the address or another page may have led to another
    st.segmented_control(
        "Where the query comes from",
        TABS,
        required=True,
        key="tab",
        on_change=_turn,
        label_visibility="collapsed",
    )


def show_input(visit: Visit) -> None:
    """What the tab has to ask by, as far as it needs no gallery."""
    if visit.tab == DRAW:
        canvas.draw_canvas(visit)
    elif visit.tab != RANDOM:
        _take_picture(visit)


def show_buttons(visit: Visit) -> None:
    """What changes the question, whichever it is."""
    with _row():
        if visit.tab == DRAW:
            canvas.show_undo_and_clear(visit)
        _show_back_and_random(visit)


def show_random(visit: Visit, engine: Engine, options: Options, *, searched: Digits) -> None:
    """The digit of the gallery that is asked, and the buttons that ask for another; `searched` is the lens' gallery."""
    wanted = ANY if options.guess else st.session_state.get("digit", ANY)
    query = need_digit(visit, engine, wanted).to_query(engine.gallery)
    show_digit(query.digit, alt="the query", width=CANVAS_PX)
    is_secret = options.guess and not visit.is_revealed()
    what = f"Gallery digit {query.index}" if is_secret else str(query)
    is_searched = query.within(searched).index is not None
    with _row():
        _show_back_and_random(visit)
        if engine.gallery.labeled and not options.guess:  # the choice would give the digit away
            st.selectbox(
                "Which digit",
                [ANY, *engine.gallery.labeled],
                key="digit",
                on_change=visit.ask,
                args=(None, RANDOM),
                label_visibility="collapsed",
                persist_state="session",
                width=90,
            )
    st.caption(f"{what} (left out of its own results)" if is_searched else what, help=explain("query"))


def _row() -> DeltaGenerator:
    return st.container(horizontal=True, gap="xsmall")


def _show_back_and_random(visit: Visit) -> None:
    no_way_back = not visit.can_go_back()
    st.button("Back", icon=":material/arrow_back:", key="back", on_click=visit.go_back, disabled=no_way_back)
    show_random_button(visit)


def _turn() -> None:
    current_visit().turn_to(st.session_state.tab)


def _take_picture(visit: Visit) -> None:
    """Have the visitor upload a picture or take one."""
    label = "A picture of one digit, light on dark or dark on light"
    if visit.tab == UPLOAD:
        given = st.file_uploader(label, type=UPLOAD_TYPES, key=UPLOAD, on_change=_read_picture, args=(UPLOAD,))
    else:
        given = st.camera_input(label, key=CAMERA, width=CANVAS_PX, on_change=_read_picture, args=(CAMERA,))
        st.caption("Browsers give a camera to https and localhost alone; elsewhere, **Upload** can take a picture too.")
    question = visit.question
    if not isinstance(question, Picture):
        return
    gray = visit.picture[1] if visit.picture and visit.picture[0] == question else None
    if gray is None:  # an earlier picture's digit, from the address or the history
        show_digit(question.digit, alt="the query", width=CANVAS_PX)
    elif not given or visit.tab == UPLOAD:  # the camera shows its picture itself
        st.image(gray, width=CANVAS_PX, alt="the picture, in gray")


def _read_picture(tab: str) -> None:
    """Ask for the digit in the picture that the visitor has given."""
    visit, file = current_visit(), st.session_state[tab]
    visit.ask(None, tab)
    if not file:
        return
    try:
        with READING:
            gray = read_gray(file.getvalue())
        picture = Picture.of(digit_from_gray(gray))
    except NoDigitError as problem:
        visit.problem = str(problem)
    else:
        visit.replace(picture, tab)
        visit.picture = picture, gray
