"""Who is the teacher: whoever has the PIN, or opens the page on the serving machine."""

import hmac
import threading
import time
from urllib.parse import urlsplit

import streamlit as st

from autoencoder.ui.classroom import THIS_MACHINE, pin

WRONG_PIN_S = 0.2  # that a wrong PIN takes: at this pace a lesson is too short to find the right one
OF_PROXIES = "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"
TEACHER = "is_teacher"
_TRYING = threading.Lock()  # one try at a time, whoever makes it


def is_teacher() -> bool:
    """Whether the visitor is the teacher; it is asked again before each thing that the teacher alone may do."""
    return st.session_state.get(TEACHER) is True or _is_on_this_machine()


def try_pin(said: str) -> bool:
    """Whether a PIN is the right one; the visitor then is the teacher until the page is closed."""
    with _TRYING:
        is_right = hmac.compare_digest("".join(said.split()).encode(), pin().encode())
        if not is_right:
            time.sleep(WRONG_PIN_S)
    if is_right:
        st.session_state[TEACHER] = True
    return is_right


def _is_on_this_machine() -> bool:
    """Whether the page was opened on the serving machine, under its own name.

    A proxy on that machine comes from there, too: then the page has another name, or the proxy says whom it speaks for,
    or the server was started for the names that `server.allowedHosts` lists, as docs/serving.md has it.
    """
    headers = st.context.headers
    if st.context.ip_address is not None or st.get_option("server.allowedHosts"):
        return False
    if any(name in headers for name in OF_PROXIES):
        return False
    return all(_names_this_machine(said) for said in (f"//{headers.get('Host', '')}", headers.get("Origin", "")))


def _names_this_machine(address: str) -> bool:
    try:
        return urlsplit(address).hostname in THIS_MACHINE
    except ValueError:
        return False
