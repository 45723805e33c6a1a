"""The Class page: what a class has drawn, how the search does on it, and a gallery that learns from it."""

from datetime import datetime

import streamlit as st

from autoencoder.classroom.room import Classroom, Wall
from autoencoder.classroom.score import WINDOW, curves, score
from autoencoder.classroom.store import Sent
from autoencoder.query.engine import Engine
from autoencoder.query.question import Drawing, Hint
from autoencoder.query.verdict import named
from autoencoder.ui import teacher, teachers_desk, wall
from autoencoder.ui.card import show_card
from autoencoder.ui.charts import show_chart
from autoencoder.ui.class_charts import found_bars, learning_curves
from autoencoder.ui.class_map import show_map
from autoencoder.ui.classroom import invite
from autoencoder.ui.evidence import begin_without_engine, load_or_stop
from autoencoder.ui.links import show_link
from autoencoder.ui.loading import load_class
from autoencoder.ui.visit import Visit, current_visit

CLAIM = "Draw on **Search** and send it: your digit joins the wall, and look-alikes for the whole class."
NO_CLASS = (
    "There is no class here now. On the teacher's computer, `make class` starts one: all that a class sends is then "
    "kept in one file there."
)
WALL, SCORE, MAP, TEACH = SECTIONS = "Wall", "Score", "Map", "Teach"
LOOKS_EVERY_S = 1.0
MOST_ON_WALL = 500  # the newest
FEW = 30  # digits, that say little of what the search gains
CURVE_PX, BARS_PX = 320, 340


def classroom_page() -> None:
    """What a class sends, as it comes."""
    begin_without_engine("Class", CLAIM)
    engine = load_or_stop().engine
    loaded = load_class(engine.space)
    if not (room := loaded.room):
        st.info(f"{loaded.problem or ''} {NO_CLASS}".strip(), icon=":material/groups:")
        return
    shown = room.wall
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        section = st.segmented_control(
            "What to see of the class",
            SECTIONS,
            default=WALL,
            required=True,
            key="class_section",
            label_visibility="collapsed",
            persist_state="session",
        )
        invite()
        teachers_desk.show(room)
    if shown.is_frozen:
        st.caption(":material/ac_unit: The wall is frozen: nothing can be sent now.")
    try:
        _show(section, room, shown, engine)
    except Hint as hint:
        st.info(str(hint), icon=":material/info:")
    _watch(room, shown.version)


@st.fragment(run_every=LOOKS_EVERY_S)
def _watch(room: Classroom, version: int) -> None:
    """Show the page again once the class has changed."""
    if room.wall.version != version:
        st.rerun()


def _show(section: str | None, room: Classroom, shown: Wall, engine: Engine) -> None:
    """A section of the page; raises Hint where there is nothing to see."""
    if section == TEACH:
        _show_teach(room, shown, engine)
    elif not shown.sent and shown.n_hidden:
        raise Hint(f"What was sent is hidden ({shown.n_hidden}). The teacher can undo it.")
    elif not shown.sent:
        raise Hint("Nothing has been sent yet. The first digit appears here by itself.")
    elif section == WALL:
        _show_wall(room, shown)
    elif section == SCORE:
        _show_score(shown)
    else:
        show_map(shown, engine)


def _show_wall(room: Classroom, shown: Wall) -> None:
    visit = current_visit()
    chosen = _chosen(shown, visit)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"**{wall.counted(len(shown.sent))}**, newest first. ✓ found, ✗ not found.", width="content")
        by_digit = st.toggle("Group by digit", key="wall_by_digit", persist_state="session", width="content")
    if chosen:
        _show_chosen(room, chosen)
    if len(shown.sent) > MOST_ON_WALL:
        st.caption(f"Here are the newest {MOST_ON_WALL}.")
    wall.show_wall(
        shown.sent[-MOST_ON_WALL:],
        by_digit=by_digit,
        chosen=chosen.number if chosen else None,
    )


def _chosen(shown: Wall, visit: Visit) -> Sent | None:
    """The drawing of the class that is asked for, if one is."""
    index = shown.index_of(visit.question) if isinstance(visit.question, Drawing) else None
    return None if index is None else shown.sent[index]


def _show_chosen(room: Classroom, sent: Sent) -> None:
    said = wall.describe(sent)
    icon = ":green[:material/check:]" if sent.found else ":orange[:material/close:]"
    with show_card(f"{said[0].upper()}{said[1:]}", icon, key="chosen"):
        st.caption(f"sent at {_clock(sent.at)}", width="content")
        show_link("", "Search", ":material/search:")
        show_link("why", "Why these?", ":material/troubleshoot:")
        show_link("compare", "Compare", ":material/compare:")
        show_link("map", "Map", ":material/map:")
        show_link("morph", "Morph", ":material/animation:")
        if teacher.is_teacher():
            st.button(
                "Hide",
                icon=":material/visibility_off:",
                key="hide",
                on_click=teachers_desk.hide,
                args=(room, sent.number),
            )


def _show_score(shown: Wall) -> None:
    result = score(shown.sent)
    show_card(f"{result.found} of {result.many} found", ":blue[:material/leaderboard:]", key="score")
    st.caption(
        "Found: at least 3 of the 4 nearest show the digit that was meant; of what is no digit, nothing looks like it."
    )
    bars, mistaken = st.columns([2, 1])
    with bars:
        show_chart(found_bars(result.by_digit), height=BARS_PX)
    with mistaken:
        st.markdown("**Taken for another**")
        if not result.mistaken:
            st.markdown("None so far.")
        for digit, taken, n in result.mistaken[:8]:
            name = named(digit, "**")
            st.markdown(f"{name[0].upper()}{name[1:]} for {named(taken, '**')}: {n} {'time' if n == 1 else 'times'}")


def _show_teach(room: Classroom, shown: Wall, engine: Engine) -> None:
    """The switch, and the two curves."""
    icon = ":green[:material/school:]" if shown.learns else ":gray[:material/school:]"
    sentence = "The gallery learns from the class." if shown.learns else "The gallery does not learn from the class."
    with show_card(sentence, icon, key="teach"):
        if teacher.is_teacher():
            label, symbol = ("Stop", ":material/pause:") if shown.learns else ("Let it learn", ":material/play_arrow:")
            st.button(label, icon=symbol, key="learn", on_click=teachers_desk.learn, args=(room, not shown.learns))
    alone, learned = curves(shown.sent)
    if not len(alone):
        st.info("Send digits to see how much the search gains from them.", icon=":material/info:")
        return
    of = f"of the last {WINDOW} digits" if len(alone) > WINDOW else f"of {len(alone)} digits"
    st.markdown(
        f"Right neighbors {of}: **{alone[-1]:.0%}** by {engine.gallery.title} alone, **{learned[-1]:.0%}** with the "
        "class' own digits among them."
    )
    show_chart(learning_curves(alone, learned), height=CURVE_PX)
    st.caption(
        "To teach a search, add examples: nothing is trained here. Each drawing is judged before it is added, so none "
        "can find itself. Both curves are computed whether the switch is on or off."
    )
    if len(alone) < FEW:
        st.caption(f"Of fewer than {FEW} digits the curves go up or down by chance.")


def _clock(at: float) -> str:
    """The time of day, as the teacher's computer has it."""
    return datetime.fromtimestamp(at).strftime("%H:%M")
