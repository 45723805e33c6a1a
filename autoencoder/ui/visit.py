"""What a visit remembers: the question, those before it, and the address that says it."""

import streamlit as st

from autoencoder.ui import address, canvas
from autoencoder.ui.address import DRAW

LONGEST_HISTORY = 100
PARAMETER = "q"
SWITCHES = ("prepare", "difference", "guess", "present")  # widgets whose state the address holds by itself
MOST_NEIGHBORS = 20


def question():
    """The source that is chosen and what is asked there: strokes, an index, a digit; None where nothing is yet."""
    source = st.session_state.setdefault("source", DRAW)
    return source, canvas.strokes() if source == DRAW else st.session_state.get(_kept(source))


def ask(source, value):
    """Ask something else; `go_back` returns to what was asked before."""
    _remember()
    _put(source, value)


def settle(source, value):
    """Have a source ask this; it is no new question, and `go_back` knows nothing of it."""
    st.session_state[_kept(source)] = value


def go_back():
    """Ask again what was asked before."""
    _put(*st.session_state.history.pop())


def can_go_back():
    return bool(st.session_state.get("history"))


def open_address():
    """Ask what the address asks, where it is another question than the page itself has written there."""
    asked = st.query_params.get(PARAMETER)
    if "address" not in st.session_state:
        _check_switches()
    if asked == st.session_state.get("address"):
        return
    st.session_state.address = asked
    try:
        _put(*(address.read(asked) if asked else (DRAW, None)))
    except ValueError:
        hint("The address names no digit that can be shown, so the page starts afresh.")
        _put(DRAW, None)


def write_address():
    """Have the address say what is asked."""
    st.session_state.address = asked = address.write(*question())
    if asked:
        st.query_params[PARAMETER] = asked
    elif PARAMETER in st.query_params:
        del st.query_params[PARAMETER]


def written_address():
    """The parameters that say what is asked and how, or an empty dict where the question does not fit an address."""
    return st.query_params.to_dict() if st.session_state.address else {}


def is_presented():
    """Whether the page is to be read from the last row."""
    return st.session_state.get("present", st.query_params.get("present", "").lower() == "true")


def reveal():
    """Show the answer to the present question, whatever is to be guessed first."""
    st.session_state.revealed = st.session_state.address


def is_revealed():
    return st.session_state.get("revealed", "") == st.session_state.address


def hint(sentence):
    st.toast(sentence, icon=":material/link_off:")


def _remember():
    source, value = question()
    if value is not None:
        history = st.session_state.setdefault("history", [])
        history.append((source, value))
        del history[:-LONGEST_HISTORY]


def _put(source, value):
    st.session_state.source = source
    if source == DRAW:
        canvas.show_strokes(value or [])
    else:
        st.session_state[_kept(source)] = value


def _kept(source):
    return f"asked by {source}"


def _check_switches():
    """Say so where the address sets a switch to nonsense, which Streamlit leaves out without a word."""
    expected = dict.fromkeys(SWITCHES, ("true", "false"))
    expected["neighbors"] = [str(number) for number in range(1, MOST_NEIGHBORS + 1)]
    wrong = [name for name, texts in expected.items() if st.query_params.get(name, texts[0]).lower() not in texts]
    if wrong:
        hint(f"The address sets {' and '.join(wrong)} to something that cannot be, so it is ignored.")
