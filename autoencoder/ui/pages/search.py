"""The Search page: get the query, search, show."""

import threading
from dataclasses import replace

import streamlit as st

from autoencoder.ink.photo import read_gray
from autoencoder.ink.preprocess import NoDigitError, digit_from_gray, shrink_strokes
from autoencoder.ink.strokes import BRUSH_PX, CANVAS_PX
from autoencoder.query.search import SearchError
from autoencoder.ui import canvas, visit
from autoencoder.ui.address import CAMERA, DRAW, RANDOM, SOURCES, UPLOAD
from autoencoder.ui.answer import show_answer, show_no_answer
from autoencoder.ui.classroom import invite
from autoencoder.ui.loading import NOT_TO_BE_HAD, load_engine, try_mnist_again
from autoencoder.ui.options import choose_options, choose_part, is_presented
from autoencoder.ui.pictures import show_digit
from autoencoder.ui.query import ANY, Query, ask_random, asked_query, settle_random
from autoencoder.ui.style import fit_screen

UPLOAD_TYPES = ["png", "jpg", "jpeg", "webp", "bmp"]
INPUT_PX, PRESENTED_INPUT_PX = 328, 420  # what a phone of 360 px has; and what leaves an answer one screen high
READING = threading.Semaphore(2)  # pictures at a time: more would hold up all who draw
A_DAY_S = 86_400  # "1d" would say the same, but Streamlit loads pandas to read it


def search_page():
    """Draw, pick or photograph a digit on the left; its look-alikes on the right."""
    visit.open_address("Search")
    _search()


@st.fragment(run_every=A_DAY_S)  # a browser that waits for a timer asks again when its server has been restarted
def _search():
    """The whole of a search; a stroke or a click runs this alone again."""
    source, _ = visit.question()
    present = is_presented()
    fit_screen(present=present)
    _show_header(present)
    with st.container(horizontal=True, gap="medium"):  # one below the other where both do not fit
        input_column = st.container(width=PRESENTED_INPUT_PX if present else INPUT_PX)
        answer_column = st.container()
    switches = st.popover("Options", icon=":material/tune:") if present else st.container(horizontal=True, gap="large")
    with switches:
        options = choose_options()

    with input_column:
        if source == DRAW:
            st.markdown("Draw a digit")  # short, for under a mouse the canvas shows its bar of tools beside it
            canvas.draw_canvas()
        elif source == RANDOM:
            chosen = st.container()  # filled once the gallery is there
        else:
            _take_picture(source)
        _show_buttons(source)
    with answer_column:
        loaded = _load(options)  # after the canvas, so that there is a page to draw on meanwhile
        with switches:
            engine = choose_part(loaded.engine)
        if source == RANDOM:
            wanted = ANY if options.guess else st.session_state.get("digit", ANY)
            settle_random(loaded.engine, wanted)
        hidden = options.guess and not visit.is_revealed()
        queries_or_hint = _queries(loaded.engine.gallery, options)
        if isinstance(queries_or_hint, str):
            show_no_answer(queries_or_hint, options, key="none", problem=bool(st.session_state.get("problem")))
        else:
            try:
                for number, query in enumerate(queries_or_hint):
                    within = query.within(engine.gallery)
                    is_last = number == len(queries_or_hint) - 1
                    show_answer(engine, within, options, hidden=hidden, key=f"answer-{number}", ask=is_last)
            except SearchError as error:
                st.error(f"{error} Ask again to try again.", icon=":material/cloud_off:")
            if hidden:
                st.button("Reveal", icon=":material/visibility:", key="reveal", on_click=visit.reveal)
        _show_gallery_notice(loaded)
    if source == RANDOM:
        with chosen:
            _show_random(queries_or_hint[0], engine.gallery, hidden)
            if loaded.engine.gallery.labelled and not options.guess:  # for it would tell the digit
                _choose_digit(loaded.engine.gallery.labelled)
    visit.write_address()  # last, for the answer would wait while the browser takes the address up


def _show_header(present):
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Digit look-alikes", anchor=False, width="content")
        if present:
            invite()
        st.segmented_control(
            "Where the query comes from",
            SOURCES,
            required=True,
            key="source",
            persist_state="session",
            on_change=_change_source,
            label_visibility="collapsed",
        )


def _change_source():
    canvas.restore_drawing()
    st.session_state.pop("problem", None)


def _show_buttons(source):
    with st.container(horizontal=True, gap="xsmall"):
        if source == DRAW:
            canvas.undo_and_clear()
        forgotten = not visit.can_go_back()
        st.button("Back", icon=":material/arrow_back:", key="back", on_click=visit.go_back, disabled=forgotten)
        st.button("Random query", icon=":material/casino:", key="random", on_click=ask_random)


def _queries(gallery, options):
    """What to search for: one query, or two where a drawing is to be searched as it is too; or else a hint."""
    query = asked_query(gallery)
    source, strokes = visit.question()
    if isinstance(query, str) or source != DRAW or options.prepare:
        return query if isinstance(query, str) else [query]
    shrunk = shrink_strokes(strokes, canvas_px=CANVAS_PX, brush_px=BRUSH_PX)
    return [Query(shrunk, title="Just shrunk to 28 × 28"), replace(query, title="Centered and scaled like MNIST's")]


def _choose_digit(labelled):
    st.selectbox("Which digit", [ANY, *labelled], key="digit", on_change=ask_random, persist_state="session", width=160)


def _show_random(query, gallery, hidden):
    what = f"Digit {query.index} of the gallery" if hidden else query
    is_searched = query.within(gallery).index is not None
    st.markdown(f"{what}{', left out of its own answer' if is_searched else ''}")
    show_digit(query.digit, alt="the query", width=CANVAS_PX)


def _take_picture(source):
    """Have the visitor upload a picture or take one."""
    label = "A picture of one digit, light on dark or dark on light"
    keep = {"on_change": _keep_picture, "args": (source,)}
    if source == UPLOAD:
        given = st.file_uploader(label, type=UPLOAD_TYPES, key=UPLOAD, **keep)
    else:
        given = st.camera_input(label, key=CAMERA, width=CANVAS_PX, **keep)
        st.caption("Browsers give a camera to https and localhost alone; elsewhere, **Upload** can take a picture too.")
    _, digit = visit.question()
    if digit is None or (given and source == CAMERA):  # which shows its picture itself
        return
    of, gray = st.session_state.get("picture", (None, None))
    if of is digit:
        st.image(gray, width=CANVAS_PX, alt="the picture, in gray")
    else:  # another picture's digit, from the address or of the history
        show_digit(digit, alt="the query", width=CANVAS_PX)


def _keep_picture(source):
    """Ask for the digit in the picture that the visitor has given."""
    file = st.session_state[source]
    st.session_state.problem = digit = None
    if file:
        try:
            with READING:
                gray = read_gray(file.getvalue())
            digit = digit_from_gray(gray)
            st.session_state.picture = digit, gray
        except NoDigitError as problem:
            st.session_state.problem = str(problem)
    visit.ask(source, digit)


def _load(options):
    """The shared engine; where it cannot be had, a sentence that says why, and no more of the page."""
    meanwhile = st.empty()
    if "ready" not in st.session_state:  # what is shown while there is something to wait for is as large as the answer
        with meanwhile.container():
            show_no_answer("Loading the autoencoder…", options, key="loading")
    try:
        loaded = load_engine()
    except NOT_TO_BE_HAD as error:
        meanwhile.error(str(error), icon=":material/build:")
        st.stop()
    st.session_state.ready = True
    meanwhile.empty()
    return loaded


def _show_gallery_notice(loaded):
    if loaded.problem:
        st.warning(f"This is the bundled gallery, not MNIST. {loaded.problem}", icon=":material/cloud_off:")
        st.button("Try MNIST again", key="try_mnist_again", on_click=try_mnist_again)
