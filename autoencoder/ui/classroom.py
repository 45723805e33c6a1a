"""The page for a whole class: where the others find it."""

import socket
from urllib.parse import urlsplit

import segno
import streamlit as st

PRESENTER_TYPE_PX = "20px"  # 16 is Streamlit's own
QR_PX = 400  # to be scanned from the last row
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def lan_host():
    """This machine's address on its network, as a text; "localhost" where it has no network.

    A UDP socket is bound to the interface that its packets would leave by; none is sent.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documentation: RFC 5737
        except OSError:
            return "localhost"
        return probe.getsockname()[0]


def address_for_others():
    """Where other devices find this page, or None where it is served to this machine alone."""
    url = urlsplit(st.context.url or "")
    if url.hostname and url.hostname not in THIS_MACHINE:
        return f"{url.scheme}://{url.netloc}"
    if st.get_option("server.address") in THIS_MACHINE or lan_host() == "localhost":
        return None
    return f"http://{lan_host()}:{st.get_option('server.port')}"


def invite():
    """A button that shows the page's address as a QR code for the pupils' tablets, and in letters."""
    address = address_for_others()
    with st.popover(address or "Join", icon=":material/qr_code_2:"):
        if address is None:
            st.markdown("Only this machine can open this page. `make class` serves it to the classroom's network.")
            return
        st.image(segno.make(address).svg_inline(scale=10, light="white"), width=QR_PX, alt=f"QR code of {address}")
        st.markdown(f"**{address}**")


def fit_screen(present):
    """Have the answer on a projector's first screen, 1280 x 720, and in larger type where the page is presented.

    Streamlit sets neither for a single page, so that it takes two lines of CSS. On wider screens than 100 letters'
    width canvas and answer stay side by side in the middle.
    """
    type_px = PRESENTER_TYPE_PX if present else "inherit"
    page = ".stMainBlockContainer { padding-top: 2.5rem; max-width: 100rem }"
    st.html(f"<style>{page} html {{ font-size: {type_px} }}</style>")
