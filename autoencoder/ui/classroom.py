"""The page for a whole class: where the others find it, and what its teacher is told."""

import argparse
import os
import secrets
import socket
import sys
from functools import cache
from urllib.parse import urlsplit

import segno
import streamlit as st
from streamlit import config

THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
ALL_ADDRESSES = ("0.0.0.0", "::")
QR_PX = 400  # to be scanned from the last row
PIN_DIGITS = 8


def lan_host() -> str | None:
    """This machine's IP address on its network as a text, or None where no network leads elsewhere.

    A UDP socket is bound to the interface that its packets would leave by; none is sent.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: RFC 5737
        except OSError:
            return None
        return probe.getsockname()[0]


def class_file() -> str | None:
    """The file of the class that the server was given; None where it was given none.

    It is named by `CLASS` in the environment, or after `streamlit run app.py --` as --class.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--class", dest="file", default=os.environ.get("CLASS"))
    return parser.parse_known_args(sys.argv[1:])[0].file or None


@cache
def pin() -> str:
    """The teacher's PIN: `CLASS_PIN` in the environment, or a new one for each start of the server."""
    return os.environ.get("CLASS_PIN") or f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"


def announce() -> None:
    """Print where the page is, on this machine and on the network where it is served there; of a class more."""
    here = f"http://localhost:{st.get_option('server.port')}"
    if file := class_file():
        print(f"The class is kept in {file}. The teacher's PIN on other devices: {pin()}", flush=True)
    if address := _address_of_proxy():
        print(f"{'For the class' if file else 'Digit look-alikes'}: {address}", flush=True)
        return
    if named := st.get_option("server.allowedHosts"):
        print(f"Digit look-alikes: on port {st.get_option('server.port')}, for {' and '.join(named)} alone", flush=True)
        return
    if st.get_option("server.address") in THIS_MACHINE:
        print(f"Digit look-alikes: {here}", flush=True)
        return
    host = lan_host() or "(this machine's address on the network)"
    print(f"For the class: http://{host}:{st.get_option('server.port')}")
    print(f"On the projector: {here}/{'class' if file else ''}?present=true", flush=True)


def address_for_others() -> str | None:
    """Where other devices find this page, or None where it is served to this machine alone or has no such address."""
    url = urlsplit(st.context.url or "")
    if url.hostname and url.hostname not in (*THIS_MACHINE, *ALL_ADDRESSES):
        return f"{url.scheme}://{url.netloc}{_base_path()}"
    if address := _address_of_proxy():
        return address
    if st.get_option("server.address") in THIS_MACHINE or not (host := lan_host()):
        return None
    return f"http://{host}:{st.get_option('server.port')}{_base_path()}"


def _address_of_proxy() -> str | None:
    """Where visitors find the server if it was told that, as one behind a proxy is; else None."""
    if not config.is_manually_set("browser.serverAddress"):
        return None
    return f"http://{st.get_option('browser.serverAddress')}:{st.get_option('browser.serverPort')}{_base_path()}"


def _base_path() -> str:
    path = st.get_option("server.baseUrlPath").strip("/")
    return f"/{path}" if path else ""


def invite() -> None:
    """A button that shows the page's address as a QR code for the pupils' tablets, and in letters."""
    address = address_for_others()
    with st.popover(address or "Join", icon=":material/qr_code_2:"):
        if address:
            code = segno.make(address).svg_inline(scale=10, light="white")
            st.image(code, width=QR_PX, alt=f"QR code of {address}")
            st.markdown(f"**{address}**")
        elif st.get_option("server.address") in THIS_MACHINE:
            st.markdown("Only this machine can open this page. `make class` serves it to the classroom's network.")
        else:
            st.markdown("This machine's address on the network is not known: its network settings show it.")
