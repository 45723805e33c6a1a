"""The page's scripts and styles, compressed: a third of their size, for classrooms on a slow line.

Streamlit sends them as they are, since compressing them for each visitor would keep the server busy. Here each is
compressed once.
"""

import asyncio
import gzip
from posixpath import normpath

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMPRESSIBLE = (".js", ".css", ".svg")
MOST_BYTES = 10_000_000  # that are kept, compressed; all that Streamlit has are fewer


class CompressedStatics:
    """ASGI middleware that compresses the scripts, styles and drawings of Streamlit's page, and keeps them so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[str, Response] = {}  # by path
        self._n_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _may_be_compressed(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._kept:
            status, headers, body = await self._response(scope)
            is_page = headers.get("content-type", "").startswith("text/html")  # sent for each path that is no file's
            if status != 200 or is_page or self._n_bytes > MOST_BYTES:
                await Response(body, status, headers)(scope, receive, send)
                return
            compressed = await asyncio.to_thread(gzip.compress, body, 6)
            self._n_bytes += len(compressed)
            del headers["content-length"]
            headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            self._kept[path] = Response(compressed, headers=headers)
        await self._kept[path](scope, receive, send)

    async def _response(self, scope: Scope) -> tuple[int, dict[str, str], bytes]:
        """The status, the headers as a dict and the body of what the app behind this answers.

        The app does not hear of a browser that leaves before the answer is complete: it would stop, and what is kept
        for all others would be cut short.
        """
        events: list[Message] = []

        async def keep(event: Message) -> None:
            events.append(event)

        async def wait_forever() -> Message:
            return await asyncio.Future()

        await self._app(scope, wait_forever, keep)
        start, *rest = events
        body = b"".join(event.get("body", b"") for event in rest)
        return start["status"], dict(Headers(raw=start["headers"])), body


def _may_be_compressed(scope: Scope) -> bool:
    """Whether a request is for the whole of a compressible file, by a browser that can read it compressed."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    if "range" in headers or "if-none-match" in headers or "if-modified-since" in headers:
        return False
    path = scope["path"]
    is_static = "/static/" in path and path.endswith(COMPRESSIBLE) and path == normpath(path)  # a file has one such
    return is_static and "gzip" in headers.get("accept-encoding", "")
