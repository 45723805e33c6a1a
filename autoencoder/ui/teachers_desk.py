"""What the teacher alone can do with a class: behind a button, and a PIN where the page is open elsewhere."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import streamlit as st

from autoencoder.classroom import export
from autoencoder.classroom.room import Classroom
from autoencoder.classroom.store import ClassError
from autoencoder.query.search import SearchError
from autoencoder.ui.loading import load_class, load_engine
from autoencoder.ui.teacher import is_teacher, try_pin

PIN, TABLE = "pin", "class_table"
NOT_THE_TEACHER = "Only the teacher can do this: enter the PIN first."


def show(room: Classroom) -> None:
    """A button that opens what the teacher can do, or asks for the PIN."""
    with st.popover("For the teacher", icon=":material/school:", key="teachers_desk"):
        if is_teacher():
            _show_tools(room)
        else:
            st.text_input(
                "The PIN that `make class` printed", type="password", key=PIN, on_change=_take_pin, max_chars=20
            )


def hide(room: Classroom, number: int) -> None:
    """Take a drawing off the wall."""
    _as_teacher(lambda: room.hide(number))


def learn(room: Classroom, learns: bool) -> None:
    """Have the gallery learn from the class, or no longer."""
    _as_teacher(lambda: room.learn(learns))


def _show_tools(room: Classroom) -> None:
    shown = room.wall
    st.caption(f"`{room.path}`")
    with st.container(horizontal=True, gap="small"):
        label = "Take drawings again" if shown.is_frozen else "Freeze"
        _button(label, ":material/ac_unit:", lambda: room.freeze(not shown.is_frozen))
        _button("Clear the wall", ":material/delete_sweep:", room.clear, disabled=not shown.sent)
        undo = f"Undo hiding ({shown.n_hidden} hidden)" if shown.n_hidden else "Undo hiding"
        _button(undo, ":material/undo:", room.undo, disabled=not shown.n_hidden)
    if shown.sent:
        name = room.path.stem
        with st.container(horizontal=True, gap="small"):
            _download("Gallery (NPZ)", f"{name}.npz", lambda: export.to_npz(shown), "application/octet-stream")
            _download("Table (CSV)", f"{name}.csv", lambda: export.to_csv(shown.sent), "text/csv")
            _download("Picture (PNG)", f"{name}.png", lambda: export.to_png(shown), "image/png")
    st.file_uploader("Bring in the table of another class", type=["csv"], key=TABLE, on_change=_bring)
    _button("Start a new class", ":material/add:", lambda: _start_anew(room))
    st.caption("The file of this class is kept.")


def _button(label: str, icon: str, act: Callable[[], None], *, disabled: bool = False) -> None:
    st.button(label, icon=icon, key=f"teacher-{icon}", on_click=_as_teacher, args=(act,), disabled=disabled)


def _download(label: str, name: str, make: Callable[[], str | bytes], mime: str) -> None:
    st.download_button(label, make, name, mime, icon=":material/download:", key=f"download-{mime}", on_click="ignore")


def _as_teacher(act: Callable[[], object]) -> None:
    """Do what the teacher alone may do; say so where it is somebody else, or where it cannot be done."""
    try:
        if not is_teacher():
            raise ClassError(NOT_THE_TEACHER)
        act()
    except (ClassError, SearchError) as problem:
        st.toast(str(problem), icon=":material/block:")


def _take_pin() -> None:
    if (said := st.session_state.get(PIN)) and not try_pin(str(said)):
        st.toast("That is not the PIN. It stands where `make class` was started.", icon=":material/block:")
    st.session_state[PIN] = ""


def _bring() -> None:
    """Take what is in the table that was chosen."""
    if not (file := st.session_state.get(TABLE)):
        return

    def bring() -> None:
        engine = load_engine().engine
        if room := load_class(engine.space).room:
            n = room.bring(export.from_csv(file.getvalue()), engine)
            st.toast(f"{n:,} new {'drawing' if n == 1 else 'drawings'}.", icon=":material/check:")

    _as_teacher(bring)


def _start_anew(room: Classroom) -> None:
    """Begin a new class, and print where it is kept: another start of the server needs its name to go on with it."""
    room.start_anew(_next_file(room.path))
    print(f"A new class is kept in {room.path}. To go on with it later: make class CLASS={room.path}", flush=True)


def _next_file(path: Path) -> Path:
    """A file of today's that is not there yet, beside another."""
    number, today = 1, date.today().isoformat()
    while (new := path.with_name(f"{today}{f'-{number}' if number > 1 else ''}.db")).exists():
        number += 1
    return new
