"""The guided tour: the steps of the lesson in docs/lesson/, as a bar on each page."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

import streamlit as st

from autoencoder.query.question import Drawing, Question
from autoencoder.ui.address import parameters_of
from autoencoder.ui.examples import FOUR, SEVEN
from autoencoder.ui.links import page_at
from autoencoder.ui.options import Options, current_options
from autoencoder.ui.visit import current_visit

USUAL = Options()


@dataclass(frozen=True)
class Step:
    """A page, what the class is asked there, and how the page is set.

    `example` is what the page looks at, nothing where it is None; where the step `keeps`, only if nothing is asked yet.
    """

    path: str
    question: str
    example: Drawing | None = SEVEN
    keeps: bool = True
    options: Options = USUAL


STEPS = (
    Step("", "A 4 or a 9? What will the page find?", FOUR, keeps=False, options=Options(guess=True)),
    Step("", "Draw a digit. How many of its look-alikes are right?", None, keeps=False),
    Step("", "784 pixels became 32 numbers. What got lost?", options=Options(difference=True)),
    Step("why", "Which ink makes these two look alike?"),
    Step("map", "Where does your digit land? Which islands touch?"),
    Step("noise", "The noise is in the picture. Is it in the redrawing?"),
    Step("shift", "Moved by 2 pixels: is it the same digit? For whom?"),
    Step("compare", "Pixels, PCA, autoencoder: whose look-alikes are right?"),
    Step("class", "Which of our digits are not found? What do they share?"),
)


def show_tour() -> None:
    """The step that the address names, with links to the one before and the next; nothing where it names none."""
    number, present = current_options().tour, current_options().present
    if not number:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tour"):
        st.markdown(f"**Step {number} of {len(STEPS)}.** {STEPS[number - 1].question}", width="content")
        asked = current_visit().question
        if number > 1:
            _show_link(number - 1, asked, "Step before", ":material/arrow_back:", present=present)
        if number < len(STEPS):
            _show_link(number + 1, asked, "Next step", ":material/arrow_forward:", present=present)
        st.button("Leave the tour", icon=":material/close:", type="tertiary", key="tour_leave", on_click=_leave)


def address_of(number: int) -> str:
    """Where a step is, as the lesson names it: the path and the parameters, for a projector."""
    return f"/{STEPS[number - 1].path}?{urlencode(_parameters_of(number, None, present=True))}"


def _parameters_of(number: int, asked: Question | None, *, present: bool) -> dict[str, str]:
    step = STEPS[number - 1]
    question = asked if step.keeps and asked is not None else step.example
    return parameters_of(question, replace(step.options, present=present, tour=number))


def _show_link(number: int, asked: Question | None, label: str, icon: str, *, present: bool) -> None:
    if page := page_at(STEPS[number - 1].path):
        parameters = _parameters_of(number, asked, present=present)
        st.page_link(page, label=label, icon=icon, width="content", query_params=parameters)


def _leave() -> None:
    st.session_state.tour = 0
