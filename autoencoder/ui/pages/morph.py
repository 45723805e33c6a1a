"""Lens "Morph": the way between two digits, played, and what each of the 32 numbers draws."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from autoencoder.data import NO_DIGIT, Digits
from autoencoder.query.engine import Engine
from autoencoder.query.explain import Knobs
from autoencoder.query.verdict import judge, named
from autoencoder.ui.animation import pair_sheet, play, small
from autoencoder.ui.card import show_card
from autoencoder.ui.desk import Asked, show_desk
from autoencoder.ui.glossary import explain
from autoencoder.ui.loading import load_knobs
from autoencoder.ui.needs import LARGEST_GALLERY
from autoencoder.ui.pictures import caption_of, show_digit

N_STEPS = 20  # of the way: a frame at each end and after each step
STEP = 100 // N_STEPS  # in percent
ROW_STEPS = 2  # from one picture of the row to the next
COLUMNS, COLUMN_PX, WAY_SPAN = 8, 80, 2  # of the grids: a picture, and beside it what belongs to it
ROW_PX, END_PX = 50, 72
SHEET_PX, SHEET_COLUMNS = 400, 4
GOAL, CHOSEN, PLAYS, SHARE = "goal", "goal_chosen", "morph_plays", "share"
KNOB, TURN, OVERVIEW = "knob", "turn", "knobs"
ENDS_IN_WORDS = "Below the first and the last picture: the digit that it is said to be, where somebody has said so."


def morph_page() -> None:
    """From one digit to another in a straight line, and one of the 32 numbers turned at a time."""
    show_desk(
        "Morph", _show_morph, promise="Watch it turn into another digit, and see what each of the 32 numbers draws."
    )


def _show_morph(asked: Asked) -> None:
    goals = find_goals(asked)
    goal = _current_goal(asked, goals)
    latents = way(asked.result.latent, asked.engine.nearest.vectors[goals[goal]])
    frames = asked.engine.space.inverse_transform(latents)
    ends = asked.label, asked.engine.gallery.label(goals[goal])
    kinds = with_ends(kinds_on_the_way(asked.engine.unseen, latents), *ends)
    show_card(describe_way(kinds), ":blue[:material/animation:]", key="morph")
    st.session_state.setdefault(SHARE, 50)
    grid = st.grid(COLUMNS, min_column_width=COLUMN_PX)
    with grid.cell(column_span=WAY_SPAN):
        _show_frame(frames)
    with grid.cell(column_span=COLUMNS - WAY_SPAN):
        _show_controls(list(goals))
        _show_row(frames, kinds, asked.engine.unseen.gallery.title)
    _show_knob(asked, load_knobs(asked.engine.unseen, asked.engine.gallery.name))


def find_goals(asked: Asked) -> dict[str, int]:
    """What the query can become, by its name: the gallery's first digit of each kind, and the query's neighbors."""
    gallery = asked.engine.unseen.gallery
    goals: dict[str, int] = {}
    for digit, indices in load_firsts(gallery, gallery.name, gallery.sha256).items():
        others = [index for index in indices if index != asked.query.index]
        goals |= {str(digit): others[0]} if others else {}
    for rank, neighbor in enumerate(asked.result.neighbors, 1):
        goals[f"{caption_of(neighbor.label, None)} (look-alike {rank})"] = neighbor.index
    return goals


@st.cache_resource(show_spinner=False)
def load_firsts(_gallery: Digits, gallery_name: str, sha256: str) -> dict[int, list[int]]:
    """The first two indices of each label in a gallery: one is left where the other is the query's.

    They are the same in all of MNIST and in its test digits, which come first.
    """
    return {digit: np.flatnonzero(_gallery.labels == digit)[:2].tolist() for digit in _gallery.labeled}


def _current_goal(asked: Asked, goals: dict[str, int]) -> str:
    """The goal that the visitor has chosen; until then, and where it is gone, one of another kind than the query."""
    goal = st.session_state.get(GOAL)
    if goal not in goals or not st.session_state.get(CHOSEN):
        digit = judge([neighbor.label for neighbor in asked.result.neighbors], digit=asked.label).digit
        labels = {name: asked.engine.gallery.label(index) for name, index in goals.items()}
        goal = next((name for name, label in labels.items() if label not in (digit, None)), next(iter(goals)))
        st.session_state[GOAL], st.session_state[CHOSEN] = goal, False
    return goal


def way(start: NDArray[np.float32], end: NDArray[np.float32]) -> NDArray[np.float32]:
    """The points float32 (21, dim) on the straight line from one latent (dim,) to another, both included."""
    shares = np.linspace(0, 1, N_STEPS + 1)[:, None]
    return ((1 - shares) * start + shares * end).astype(np.float32)


def kinds_on_the_way(engine: Engine, latents: NDArray[np.float32]) -> list[int | None]:
    """The label of the gallery's digit that is nearest to each latent (n, dim).

    All are None where the gallery is too large to be searched so often.
    """
    if len(engine.gallery) > LARGEST_GALLERY:
        return [None] * len(latents)
    _, indices = engine.nearest.kneighbors(latents, 1)
    return [engine.gallery.label(index) for index in indices[:, 0]]


def with_ends(kinds: list[int | None], start: int | None, end: int | None) -> list[int | None]:
    """The kinds on a way, those of its ends by their own labels where they have one.

    >>> with_ends([2, 2, 9, 4], 7, None)
    [7, 2, 9, 4]
    """
    first, *between, last = kinds
    unknown = None, NO_DIGIT
    return [first if start in unknown else start, *between, last if end in unknown else end]


def describe_way(kinds: list[int | None]) -> str:
    """What a digit is on its way to another, by the kinds of the digits that are nearest to points at equal steps.

    >>> describe_way([7, 7, 9, 4])
    'It goes from 7 to 4 by way of 9.'
    >>> describe_way([7, 7, 4, 4, 4])
    'A 7 turns into a 4 at 50% of the way.'
    >>> describe_way([7, 4, 7, 4, 4])
    'A 7 turns into a 4 and back. It stays a 4 from 75% of the way on.'
    """
    if None in kinds:
        return "It goes from one digit to another."
    start, end = kinds[0], kinds[-1]
    between = [str(kind) for kind in dict.fromkeys(kinds) if kind not in (start, end)]
    if between:
        listed = " and ".join(filter(None, [", ".join(between[:-1]), between[-1]]))
        return f"It goes from {start} to {end} by way of {listed}."
    if start == end:
        return f"It stays {named(start)} all the way."
    turn = f"A{named(start)[1:]} turns into {named(end)}"
    first, stays = kinds.index(end), len(kinds) - kinds[::-1].index(start)
    if first < stays:
        return f"{turn} and back. It stays {named(end)} from {stays / (len(kinds) - 1):.0%} of the way on."
    return f"{turn} at {first / (len(kinds) - 1):.0%} of the way."


def _show_frame(frames: NDArray[np.float32]) -> None:
    """The way, played; or as it is at the chosen position."""
    if st.session_state.get(PLAYS):
        st.image(play(frames), alt="the way from the query to the other digit and back, played", width="stretch")
        return
    share = st.session_state[SHARE]
    show_digit(frames[share // STEP], alt=f"the digit at {share} % of the way")


def _show_controls(goals: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Morph into", goals, key=GOAL, on_change=_choose, persist_state="session", width=170)
        plays = st.session_state.get(PLAYS, False)
        label, icon = ("Stop", ":material/stop:") if plays else ("Play", ":material/play_arrow:")
        st.button(label, icon=icon, key="play", on_click=_play, args=(not plays,))
        st.slider(
            "Position",
            0,
            100,
            step=STEP,
            format="%d%%",
            key=SHARE,
            on_change=_play,
            args=(False,),
            persist_state="session",
        )


def _choose() -> None:
    st.session_state[CHOSEN] = True


def _play(plays: bool) -> None:
    st.session_state[PLAYS] = plays


def _show_row(frames: NDArray[np.float32], kinds: list[int | None], searched: str) -> None:
    """Every second frame, with the kind of the digit that is nearest to it of those that were `searched`."""
    steps = range(0, N_STEPS + 1, ROW_STEPS)
    alts = [f"{step * STEP} % of the way" for step in steps]
    captions = ["" if kinds[step] is None else str(kinds[step]) for step in steps]
    with st.container(gap=None):
        st.image([small(frames[step]) for step in steps], captions, width=ROW_PX, alt=alts)
        if None not in kinds:
            st.caption(f"Below each picture: the nearest of {searched}.", help=ENDS_IN_WORDS)


def _show_knob(asked: Asked, knobs: Knobs) -> None:
    """The query with one of its numbers turned, between the low end of that number and its high end."""
    latent = asked.result.latent
    number, percent = st.session_state.setdefault(KNOB, int(knobs.order[-1])), st.session_state.setdefault(TURN, 0)
    turned = np.stack([knobs.turn(latent, number, to) for to in (percent, -100, 100)])
    picture, low, high = asked.engine.space.inverse_transform(turned)
    name = f"number {number + 1}"
    grid = st.grid(COLUMNS, min_column_width=COLUMN_PX, vertical_alignment="center")
    with grid.cell():
        show_digit(picture, alt=f"the query with {name} at {turned[0, number]:.2f}")
    with grid.cell(column_span=COLUMNS - 1), st.container(gap="xsmall"):
        _choose_knob(knobs)
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            show_digit(low, alt=f"{name} at its low end", width=END_PX)
            _show_turn()
            show_digit(high, alt=f"{name} at its high end", width=END_PX)
        own, here, least, most = (
            f"{value:.2f}".replace("-", "−")
            for value in (latent[number], turned[0, number], knobs.low[number], knobs.high[number])
        )
        st.caption(
            f"In the query it is {own}, in this picture **{here}**. "
            f"Among the digits measured it goes from {least} to {most}."
        )
    overview = st.expander("What all 32 numbers draw", icon=":material/tune:", key=OVERVIEW, on_change="rerun")
    if overview.open:
        with overview:
            _show_overview(asked, knobs)


def _choose_knob(knobs: Knobs) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            "**Turn one of the 32 numbers**",
            width="content",
            help=explain("kind and pose") if knobs.is_kind is not None else None,
        )
        st.selectbox(
            "Which number",
            knobs.order.tolist(),
            format_func=knobs.name,
            key=KNOB,
            label_visibility="collapsed",
            persist_state="session",
            width=215,
        )


def _show_turn() -> None:
    st.slider(
        "From its low end to its high end",
        -100,
        100,
        step=5,
        format="%d%%",
        key=TURN,
        persist_state="session",
        width="stretch",
    )


def _show_overview(asked: Asked, knobs: Knobs) -> None:
    """The query with each of its numbers at the low and the high end, by the sorts of numbers."""
    latent = asked.result.latent
    turned = np.stack([knobs.turn(latent, number, to) for number in knobs.order for to in (-100, 100)])
    pairs = asked.engine.space.inverse_transform(turned).reshape(-1, 2, 28, 28)
    st.caption("The query with one number at its low end (left) and at its high end (right).")
    with st.container(horizontal=True, gap="medium"):
        for title, places in knobs.sorts:
            with st.container(gap="xsmall", width=SHEET_PX):
                st.markdown(f"**{title}**")
                names = [str(number + 1) for number in knobs.order[places]]
                sheet = pair_sheet(pairs[places], names, n_columns=SHEET_COLUMNS, theme=st.context.theme.type)
                st.image(
                    sheet, alt=f"the query with each of the numbers {', '.join(names)} at its ends", width="stretch"
                )
