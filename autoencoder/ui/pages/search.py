"""The Search page: ask on the left, the answer on the right."""

import threading
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from autoencoder.data import Digits
from autoencoder.ink.photo import read_gray
from autoencoder.ink.preprocess import NoDigitError, digit_from_gray
from autoencoder.ink.strokes import CANVAS_PX
from autoencoder.query.question import Drawing, Hint, Picture, Query, Question
from autoencoder.query.search import SearchError
from autoencoder.ui import canvas
from autoencoder.ui.address import link_to, open_address, parameters_of, write_address
from autoencoder.ui.answer import show_answer, show_no_answer
from autoencoder.ui.classroom import invite
from autoencoder.ui.loading import NOT_TO_BE_HAD, Loaded, load_engine, try_mnist_again
from autoencoder.ui.options import Options, current_options, show_options
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.random_digit import ANY, need_digit, show_random_button
from autoencoder.ui.style import fit_screen
from autoencoder.ui.visit import CAMERA, DRAW, RANDOM, TABS, UPLOAD, Visit, current_visit

HINTS = {
    DRAW: "Draw a digit from 0 to 9: its look-alikes appear here.",
    UPLOAD: "Choose a picture of one handwritten digit: its look-alikes appear here.",
    CAMERA: "Take a picture of one handwritten digit on plain paper: its look-alikes appear here.",
}
UPLOAD_TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
INPUT_PX, PRESENTED_INPUT_PX = 328, 420  # what a phone of 360 px has; and what leaves an answer one screen high
READING = threading.Semaphore(2)  # pictures at a time: more would hold up all who draw
A_DAY_S = 86_400  # "1d" would say the same, but Streamlit loads pandas to read it


def search_page() -> None:
    """Draw, pick or photograph a digit on the left; its look-alikes on the right."""
    open_address(current_visit(), "Search")
    _search()


@st.fragment(run_every=A_DAY_S)  # a browser that waits for a timer asks again when its server has been restarted
def _search() -> None:
    """The whole of a search; a stroke or a click runs this alone again."""
    visit, options = current_visit(), current_options()
    fit_screen(present=options.present)
    _show_header(visit, present=options.present)
    with st.container(horizontal=True, gap="medium"):  # one below the other where both do not fit
        input_column = st.container(width=PRESENTED_INPUT_PX if options.present else INPUT_PX)
        answer_column = st.container()
    with input_column:
        _show_input(visit, options, answer_column)
    loaded = _load(visit, options, answer_column)  # after the canvas, so that there is a page to draw on meanwhile
    question = visit.question
    parameters = parameters_of(question, options)
    with answer_column:
        _answer(question, loaded, visit, options, link_to(parameters))
    switches = (
        st.popover("Options", icon=":material/tune:") if options.present else st.container(horizontal=True, gap="large")
    )
    with switches:
        show_options(loaded.engine)
    write_address(visit, parameters)  # last: the browser takes its time to take it up, and the answer does not wait


def _show_header(visit: Visit, *, present: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Digit look-alikes", anchor=False, width="content")
        if present:
            invite()
        if st.session_state.get("tab") != visit.tab:  # a neighbor or the address has led to another
            st.session_state.tab = visit.tab
        st.segmented_control(
            "Where the query comes from",
            TABS,
            required=True,
            key="tab",
            on_change=_turn,
            label_visibility="collapsed",
        )


def _turn() -> None:
    current_visit().turn_to(st.session_state.tab)


def _show_input(visit: Visit, options: Options, answer_column: DeltaGenerator) -> None:
    """What the tab has to ask by, and the buttons below it."""
    if visit.tab == DRAW:
        st.markdown("Draw a digit")  # short: under a mouse the canvas shows its bar of tools beside it
        canvas.draw_canvas(visit)
    elif visit.tab == RANDOM:
        _show_random(visit, options, _load(visit, options, answer_column))
    else:
        _take_picture(visit)
    with st.container(horizontal=True, gap="xsmall"):
        if visit.tab == DRAW:
            canvas.show_undo_and_clear(visit)
        no_way_back = not visit.can_go_back()
        st.button("Back", icon=":material/arrow_back:", key="back", on_click=visit.go_back, disabled=no_way_back)
        show_random_button(visit)


def _show_random(visit: Visit, options: Options, loaded: Loaded) -> None:
    """The digit of the gallery that is asked, and what others may be asked for."""
    engine = loaded.engine
    wanted = ANY if options.guess else st.session_state.get("digit", ANY)
    query = need_digit(visit, engine, wanted).to_query(engine.gallery)
    what = f"Digit {query.index} of the gallery" if options.guess and not visit.is_revealed() else str(query)
    is_searched = query.within(options.part_of(engine).gallery).index is not None
    st.markdown(f"{what}, left out of its own answer" if is_searched else what)
    show_digit(query.digit, alt="the query", width=CANVAS_PX)
    if engine.gallery.labeled and not options.guess:  # the choice would give the digit away
        digits = [ANY, *engine.gallery.labeled]
        st.selectbox(
            "Which digit",
            digits,
            key="digit",
            on_change=visit.ask,
            args=(None, RANDOM),
            persist_state="session",
            width=160,
        )


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


def _load(visit: Visit, options: Options, answer_column: DeltaGenerator) -> Loaded:
    """The shared engine; where it cannot be had, a sentence that says why, and no more of the page."""
    meanwhile = answer_column.empty()
    if not visit.has_seen_engine:  # what is shown while there is something to wait for is as large as the answer
        with meanwhile.container():
            show_no_answer("Loading the autoencoder…", options, key="loading")
    try:
        loaded = load_engine()
    except NOT_TO_BE_HAD as error:
        meanwhile.error(str(error), icon=":material/build:")
        st.stop()
    visit.has_seen_engine = True
    meanwhile.empty()
    return loaded


def _answer(question: Question | None, loaded: Loaded, visit: Visit, options: Options, link: str | None) -> None:
    """The answer to what is asked, or a hint."""
    engine = options.part_of(loaded.engine)
    hidden = options.guess and not visit.is_revealed()
    try:
        queries = _queries(question, loaded.engine.gallery, visit, options)
        for number, query in enumerate(queries, 1):
            show_answer(
                engine,
                query.within(engine.gallery),
                options,
                visit,
                hidden=hidden,
                link=link,
                key=f"answer-{number}",
                may_tell=number == len(queries),
            )
    except Hint as hint:
        show_no_answer(str(hint), options, key="none", problem=visit.problem is not None)
    except SearchError as error:
        st.error(f"{error} Ask again to try again.", icon=":material/cloud_off:")
    else:
        if hidden:
            st.button("Reveal", icon=":material/visibility:", key="reveal", on_click=visit.reveal, args=(question,))
    if loaded.problem:
        st.warning(f"This is the bundled gallery, not MNIST. {loaded.problem}", icon=":material/cloud_off:")
        st.button("Try MNIST again", key="try_mnist_again", on_click=try_mnist_again)


def _queries(question: Question | None, gallery: Digits, visit: Visit, options: Options) -> list[Query]:
    """What to search for: one query, or two where a drawing is to be searched as it is, too.

    Raises:
        Hint: nothing is asked, or what is asked is no digit.
    """
    if question is None:
        raise Hint(visit.problem or HINTS[visit.tab])
    query = question.to_query(gallery)
    if options.prepare or not isinstance(question, Drawing):
        return [query]
    as_it_is = replace(question.to_shrunk_query(), title="Just shrunk to 28 × 28")
    return [as_it_is, replace(query, title="Centered and scaled like MNIST's")]
