"""What a visit remembers: the question, those before it, and the address that says it."""

from urllib.parse import urlencode

import streamlit as st

from autoencoder.ink.strokes import LONGEST_TEXT
from autoencoder.ui import address, canvas
from autoencoder.ui.address import DRAW
from autoencoder.ui.classroom import address_for_others
from autoencoder.ui.options import nonsense_in_address

PARAMETER = "q"
LONGEST_HISTORY = 100


def question():
    """The source that is chosen and what is asked there, None where nothing is yet.

    That is strokes as `simplify` gives them, (gallery name, index), or a digit float32 (28, 28).
    """
    source = st.session_state.setdefault("source", DRAW)
    return source, canvas.strokes() if source == DRAW else st.session_state.get(_kept(source))


def ask(source, value):
    """Ask something else; `go_back` returns to what was asked before."""
    if question()[1] is not None:
        history = st.session_state.setdefault("history", [])
        history.append(question())
        del history[:-LONGEST_HISTORY]
    _put(source, value)


def settle(source, value):
    """Have a source ask this; it is no new question, and `go_back` knows nothing of it."""
    st.session_state[_kept(source)] = value


def go_back():
    """Ask again what was asked before."""
    if can_go_back():
        _put(*st.session_state.history.pop())


def can_go_back():
    return bool(st.session_state.get("history"))


def open_address(page):
    """Ask what the address asks, where it is another question than the page itself has written there.

    So it is at the start of a visit, and when the visitor goes back by the browser's own button. An address that asks
    nothing, when the visitor comes from another page, is that of a link to this one: the question goes along.
    """
    came_from = st.session_state.get("page")
    st.session_state.page = page
    if "address" not in st.session_state and (wrong := nonsense_in_address()):
        show_hint(f"The address sets {' and '.join(wrong)} to something that cannot be, so it is ignored.")
    asked = st.query_params.get(PARAMETER)
    if came_from not in (None, page):
        canvas.restore_drawing()
        if asked is None:
            st.session_state.address = None
            return
    if asked == st.session_state.get("address"):
        return
    st.session_state.address = asked
    try:
        _put(*(address.from_text(asked) if asked else (DRAW, None)))
    except ValueError:
        show_hint("The address names no digit that can be shown, so the page starts afresh.")
        _put(DRAW, None)
    if can_go_back() and address.to_text(*st.session_state.history[-1]) == asked:
        st.session_state.history.pop()


def write_address():
    """Have the address say what is asked, unless that is a drawing too long for it.

    It is left alone where it does so already: Streamlit writes all of it, with the settings as they were when it began
    to run, and the visitor may have changed one since.
    """
    st.session_state.address = asked = _asked_briefly()
    if asked == st.query_params.get(PARAMETER):
        return
    if asked:
        st.query_params[PARAMETER] = asked
    else:
        del st.query_params[PARAMETER]


def link():
    """An address that shows the page as it is to others, or None where the question is too long for it."""
    asked = _asked_briefly()
    if not asked:
        return None
    parameters = {key: value for key, value in st.query_params.items() if key != "present"} | {PARAMETER: asked}
    page = address_for_others() or st.context.url or ""  # None under AppTest
    return f"{page.rstrip('/')}/?{urlencode(parameters)}"


def reveal():
    """Show the answer to the present question, whatever is to be guessed first."""
    st.session_state.revealed = _asked()


def is_revealed():
    return st.session_state.get("revealed") == _asked()


def tell(digit):
    """Take down which digit the present question shows, as the visitor says; None forgets it."""
    st.session_state.told = _asked(), digit


def told():
    """The digit that the visitor has said the present question shows; None where nothing was said of it."""
    question, digit = st.session_state.get("told", (None, None))
    return digit if question == _asked() else None


def show_hint(sentence):
    st.toast(sentence, icon=":material/link_off:", duration="long")


def _put(source, value):
    st.session_state.source = source
    if source == DRAW:
        canvas.show_strokes(value or [])
    else:
        settle(source, value)


def _asked():
    """The question as a text, however long; None where nothing is asked."""
    source, value = question()
    return None if value is None else address.to_text(source, value)


def _asked_briefly():
    """The question as a text that an address can hold; None where there is none."""
    asked = _asked()
    return asked if asked and len(asked) <= LONGEST_TEXT else None


def _kept(source):
    return f"asked by {source}"
