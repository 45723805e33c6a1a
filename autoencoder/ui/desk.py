"""The desk, the same on every page that looks at a question: the question on the left, a lens on the right."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from autoencoder.classroom.room import Classroom, Wall
from autoencoder.query.engine import Engine, SearchResult
from autoencoder.query.question import Drawing, GalleryDigit, Hint, Query, Question, from_text
from autoencoder.query.search import SearchError
from autoencoder.ui import ask
from autoencoder.ui.address import open_address, parameters_of, write_address
from autoencoder.ui.canvas import send_strokes_at_once
from autoencoder.ui.card import show_card
from autoencoder.ui.classroom import invite
from autoencoder.ui.examples import show_examples
from autoencoder.ui.loading import NOT_TO_BE_HAD, Loaded, load_class, load_engine, try_mnist_again
from autoencoder.ui.options import Options, current_options, show_options
from autoencoder.ui.seen import show_nothing_seen, show_seen
from autoencoder.ui.send import show_send
from autoencoder.ui.style import fit_screen, fit_type
from autoencoder.ui.tour import show_tour
from autoencoder.ui.visit import CAMERA, DRAW, RANDOM, UPLOAD, Visit, current_visit

HINTS = {
    DRAW: "Draw a digit from 0 to 9.",
    UPLOAD: "Choose a picture of one handwritten digit.",
    CAMERA: "Take a picture of one handwritten digit on plain paper.",
}
A_DAY_S = 86_400  # "1d" would say the same, but Streamlit loads pandas to read it


@dataclass(frozen=True)
class Asked:
    """What a lens looks at: a question, the digit that it is, and the engine to search with.

    The index of the `query` is None where the digit is not in the engine's gallery. Where that has learned from a
    class, `wall` is what the class has sent, else None.
    """

    question: Question
    query: Query
    engine: Engine
    options: Options
    visit: Visit
    wall: Wall | None = None
    _result: SearchResult | None = field(default=None, init=False)

    @property
    def label(self) -> int | None:
        """The digit that the query shows: by its own label, or as the visitor says; None where neither is known."""
        return self.visit.told if self.query.label is None else self.query.label

    def question_of(self, index: int) -> Question:
        """The question that asks for a digit of the engine's gallery, or for a drawing that was added to it."""
        if self.wall is None or index < self.engine.own:
            return GalleryDigit(self.engine.gallery.name, index)
        return from_text(self.wall.sent[index - self.engine.own].drawing)

    @property
    def result(self) -> SearchResult:
        """What the engine finds: as many neighbors as the options say, or as there are. It is searched for once.

        (Not a cached_property: until Python 3.12 that has one lock for all objects, and all visitors would wait for it
        while one of them searches.)
        """
        if self._result is None:
            available = len(self.engine.gallery) - (self.query.index is not None)
            n_neighbors = min(self.options.neighbors, available)
            result = self.engine.search(self.query.digit, n_neighbors, exclude=self.query.index)
            object.__setattr__(self, "_result", result)  # the class is frozen
            return result
        return self._result


@dataclass(frozen=True)
class Lens:
    """What a page shows of a question.

    `show` draws the answer; it may raise Hint where it has none. `only_unseen` has it search only the digits that the
    network has not seen, whatever the options say. `show_blank` draws what stands in the answer's place while there is
    none: of these options, under a key of its own. `promise` says what will be seen here.
    """

    title: str
    show: Callable[[Asked], None]
    promise: str
    only_unseen: bool = False
    show_blank: Callable[[Options, str], None] = lambda options, key: None

    def engine_of(self, engine: Engine, options: Options) -> Engine:
        """The engine of the digits that the lens searches."""
        return engine.unseen if self.only_unseen else options.part_of(engine)


def show_desk(
    title: str,
    show: Callable[[Asked], None],
    *,
    promise: str,
    only_unseen: bool = False,
    show_blank: Callable[[Options, str], None] = lambda options, key: None,
) -> None:
    """A page: what is asked, and what a lens shows of it. The arguments are those of Lens."""
    open_address(current_visit(), title)
    fit_screen()
    send_strokes_at_once()
    _show(Lens(title, show, promise, only_unseen, show_blank))


@st.fragment(run_every=A_DAY_S)  # a browser that waits for a timer asks again when its server has been restarted
def _show(lens: Lens) -> None:
    """The whole desk; a stroke or a click runs this alone again."""
    visit, options = current_visit(), current_options()
    fit_type(present=options.present)
    show_tour()
    options_place = _show_header(lens.title, visit, options)
    with st.container(key="desk"):
        question_place = st.container(key="question", gap="small")
        lens_place, seen_place = st.container(key="lens", gap="small"), st.container(key="seen")
    with question_place:
        ask.show_input(visit)
        if visit.tab != RANDOM:
            ask.show_buttons(visit)
        send_place = st.container()
    with lens_place:  # after the canvas, so that there is a page to draw on meanwhile
        loaded = _load(visit, options, lens)
    engine, room = lens.engine_of(loaded.engine, options), load_class(loaded.engine.space).room
    if visit.tab == RANDOM:
        with question_place:
            ask.show_random(visit, loaded.engine, options, searched=engine.gallery)
    with lens_place:
        asked = _answer(loaded, engine, room, lens)
    if room and visit.tab == DRAW:
        with send_place:
            found = asked.result if asked and not _is_secret(visit, options) else None
            show_send(room, loaded.engine, visit, found)
    with seen_place:
        _show_seen(asked, lens)
    with options_place:
        show_options(loaded.engine)
    write_address(visit, parameters_of(visit.question, options))  # last: the browser takes its time to take it up


def _show_header(title: str, visit: Visit, options: Options) -> DeltaGenerator:
    """Title and tabs; returns the place of the options."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="header"):
        st.header(title, anchor=False)
        if options.present:
            invite()
        ask.show_tabs(visit)
        return st.popover("Options", icon=":material/tune:", key="options")


def _load(visit: Visit, options: Options, lens: Lens) -> Loaded:
    """The shared engine; where it cannot be had, a sentence that says why, and no more of the page."""
    meanwhile = st.empty()
    if not visit.has_seen_engine:  # what is shown while there is something to wait for is as large as the answer
        with meanwhile.container():
            show_card("Loading the autoencoder…", ":gray[:material/hourglass_empty:]", key="loading")
            lens.show_blank(options, "loading")
    try:
        loaded = load_engine()
    except NOT_TO_BE_HAD as error:
        meanwhile.error(str(error), icon=":material/build:")
        st.stop()
    visit.has_seen_engine = True
    meanwhile.empty()
    return loaded


def _answer(loaded: Loaded, engine: Engine, room: Classroom | None, lens: Lens) -> Asked | None:
    """Show the answer to what is asked, or a hint; returns what is asked, if it is a digit that was searched for."""
    visit, options, asked = current_visit(), current_options(), None
    try:
        asked = _ask(loaded, engine, visit, options)
        if room and not lens.only_unseen:
            asked = _learned(asked, room.wall)
        asked.result  # noqa: B018 (searched for at once, so that a search engine that is silent is reported once)
        if _is_secret(visit, options):
            _have_it_guessed(asked, lens)
        else:
            lens.show(asked)
    except Hint as hint:
        _show_hint(str(hint), visit)
        lens.show_blank(options, "hint")
        if visit.question is None:
            st.markdown(lens.promise)
    except SearchError as error:
        asked = None
        st.error(f"{error} Ask again to try again.", icon=":material/cloud_off:")
    if loaded.problem:
        st.warning(f"This is the bundled gallery, not MNIST. {loaded.problem}", icon=":material/cloud_off:")
        st.button("Try MNIST again", key="try_mnist_again", on_click=try_mnist_again)
    return asked


def _ask(loaded: Loaded, engine: Engine, visit: Visit, options: Options) -> Asked:
    """What is asked; raises Hint where that is nothing, or no digit."""
    if visit.question is None:
        raise Hint(visit.problem or HINTS[visit.tab])
    query = visit.question.to_query(loaded.engine.gallery).within(engine.gallery)
    return Asked(visit.question, query, engine, options, visit)


def _learned(asked: Asked, wall: Wall) -> Asked:
    """The same, asked of the gallery that has learned from a class; a drawing that is in it is left out of its own
    results, and has the label that its author gave it."""
    engine = wall.teach(asked.engine)
    if engine is asked.engine:
        return asked
    query = asked.query
    if isinstance(asked.question, Drawing) and (index := wall.index_of(asked.question)) is not None:
        query = replace(query, index=engine.own + index, label=wall.sent[index].digit)
    return replace(asked, query=query, engine=engine, wall=wall)


def _is_secret(visit: Visit, options: Options) -> bool:
    """Whether the answer is still to be guessed."""
    return options.guess and not visit.is_revealed()


def _have_it_guessed(asked: Asked, lens: Lens) -> None:
    """A button in the place of the answer, which shows it."""
    reveal = asked.visit.reveal
    with show_card("Which digit is it? Guess, then reveal.", ":blue[:material/visibility_off:]", key="guess"):
        st.button("Reveal", icon=":material/visibility:", key="reveal", on_click=reveal, args=(asked.question,))
    lens.show_blank(asked.options, "guess")
    st.markdown(lens.promise)


def _show_hint(sentence: str, visit: Visit) -> None:
    """What to do, and examples while nothing is asked; or, of what is asked, why a lens cannot show it."""
    if visit.problem:
        icon = ":orange[:material/image_not_supported:]"
    elif visit.question is None:
        icon = ":blue[:material/draw:]"
    else:
        icon = ":blue[:material/info:]"
    with show_card(sentence, icon, key="hint"):
        if visit.question is None:
            show_examples(visit)


def _show_seen(asked: Asked | None, lens: Lens) -> None:
    """What the model sees of the question, and what it makes of it."""
    if asked is None:
        show_nothing_seen()
        return
    show_seen(asked.result, difference=asked.options.difference)
    if lens.only_unseen and asked.engine.gallery.name == "mnist":
        st.caption(f"Searched here: {asked.engine.gallery.title}. The network has not seen them.")
