"""What the server refuses and bounds where Streamlit, as of 1.67, has no setting for it.

`Guard` stands before Streamlit, as middleware of its `App`, and sees each request and each message first. `guarded`
changes the few things that no middleware reaches, while the server starts. Each change has a test in
tests/test_guard.py that fails when another version of Streamlit makes it void.
"""

import asyncio
import ipaddress
import logging
import socket
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit import config, net_util, runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from autoencoder.ui.classroom import announce, lan_host

MEGABYTE = 1024**2
DESCRIPTORS = 10_240  # open files and connections: as many as macOS grants; some 2,500 visitors
UPLOADS_OF_A_VISITOR = 2  # one by upload, one by camera
FORGET_EVERY_S = 30
FILES_AT_ONCE = 10  # a page asks for one at a time
POLICY_VIOLATION = 1008  # RFC 6455
MESSAGES = "rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"
LOGGER = logging.getLogger(__name__)


class Guard:
    """ASGI middleware that refuses a foreign Host and drops the messages that no page sends."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif not is_answered(Headers(scope=scope).get("host")):
            is_page = scope["type"] == "http"
            refusal = PlainTextResponse(_refusal(), 400) if is_page else WebSocketClose(POLICY_VIOLATION)
            await refusal(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, _only_from_pages(receive), send)
        else:
            await self._app(scope, receive, send)


@asynccontextmanager
async def guarded(_app: ASGIApp) -> AsyncIterator[None]:
    """While the server runs: what middleware does not reach is bounded, and the server has said where it is."""
    # Streamlit asks an address on the internet for this machine's own, to judge a foreign origin, and everybody waits.
    net_util.get_external_ip = lambda: None
    # Starlette writes uploads above 1 MB to the disk, which may be full.
    MultiPartParser.spool_max_size = (config.get_option("server.maxUploadSize") + 1) * MEGABYTE
    # Streamlit keeps all that a visitor uploads until the visitor has left.
    keep_the_last = _keeping_the_last(MemoryUploadedFileManager.add_file)
    MemoryUploadedFileManager.add_file = keep_the_last  # type: ignore[method-assign]  # it has no setting for this
    # Pillow warns of each odd tag in a picture, and one picture may have 65,535.
    warnings.filterwarnings("ignore", module="PIL")
    # Streamlit goes through all of its options at each answer, for those of the theme.
    config.get_options_for_section = cache(config.get_options_for_section)
    # Streamlit keeps three or four descriptors for each visitor, and for two minutes more.
    raise_descriptor_limit()
    # Streamlit drops a download when a whole page has been run for the second time after, and most answers run a part.
    forgetting = asyncio.create_task(_forget_downloads())
    announce()
    try:
        yield
    finally:
        forgetting.cancel()


def is_answered(host: str | None) -> bool:
    """Whether the Host that a request names, with or without a port, None where it names none, gets an answer.

    A page elsewhere can have its own name lead to this server, and then reads its answers (DNS rebinding). It cannot do
    so with an IP address. So the server answers to any of these and to the names of its machine; where
    `server.allowedHosts` is set, to what that names alone, as Streamlit does for its WebSocket.
    """
    if host is None:  # no browser, but a check whether the server lives
        return True
    if config.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in (*_own_names(), config.get_option("browser.serverAddress").lower()):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _refusal() -> str:
    """A sentence for who calls the server by a name that it does not answer to."""
    if named := config.get_option("server.allowedHosts"):
        return f"This server answers to {' and '.join(named)} alone, as its --server.allowedHosts says.\n"
    there = f"http://{lan_host() or '127.0.0.1'}:{config.get_option('server.port')}"
    return (
        f"This server does not answer to that name. Open it by its IP address, {there}, "
        "or start it with --server.allowedHosts and the name.\n"
    )


@cache
def _own_names() -> set[str]:
    """The names that this machine has on its network, in small letters."""
    whole = socket.gethostname().lower()
    short = whole.partition(".")[0]
    return {"localhost", whole, short, f"{short}.local"}


def raise_descriptor_limit() -> None:
    """Have the process open as many files and connections as its system lets it, up to 10,240."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def is_from_a_page(message: BackMsg) -> bool:
    """Whether a BackMsg is one that a page of this app sends.

    Others would have the server drop its caches, list the checkout's files, install things or name thousands of files.
    """
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") == "deferred_file"
    return kind in MESSAGES and len(message.file_urls_request.file_names) <= FILES_AT_ONCE


def _only_from_pages(receive: Receive) -> Receive:
    """What `receive` gives, without the messages that no page sends; what is no message ends the connection."""

    async def receive_from_pages() -> Message:
        while True:
            event = await receive()
            if event["type"] != "websocket.receive":
                return event
            message = BackMsg()
            try:
                message.ParseFromString(event.get("bytes"))
            except (DecodeError, TypeError):  # a text has no bytes
                return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
            if is_from_a_page(message):
                return event

    return receive_from_pages


async def _forget_downloads() -> None:
    """Have Streamlit forget the files that no page shows, every 30 s; a download goes at the second time."""
    while True:
        await asyncio.sleep(FORGET_EVERY_S)
        try:
            runtime.get_instance().media_file_mgr.remove_orphaned_files()
        except Exception:
            LOGGER.exception("files that no page shows could not be forgotten")


def _keeping_the_last(add_file: Callable[..., None]) -> Callable[..., None]:
    """`add_file` of the uploads' manager, which then forgets all but a visitor's last."""

    def add_and_forget(manager: MemoryUploadedFileManager, session_id: str, file: UploadedFileRec) -> None:
        add_file(manager, session_id, file)
        for file_id in list(manager.file_storage[session_id])[:-UPLOADS_OF_A_VISITOR]:
            manager.remove_file(session_id, file_id)

    return add_and_forget
