"""The page's scripts and styles, compressed: a third of their size, for classrooms on a slow line.

Streamlit sends them as they are, since compressing them for each visitor would keep the server busy. Here each is
compressed once.
"""

import asyncio
import gzip

from starlette.datastructures import Headers
from starlette.responses import Response

COMPRESSIBLE = (".js", ".css", ".svg")
MOST_KEPT = 500  # files; Streamlit 1.67 has 321 such


class CompressedStatics:
    """ASGI middleware that compresses the scripts, styles and drawings of Streamlit's page, and keeps them so."""

    def __init__(self, app):
        self._app = app
        self._kept = {}  # path: Response

    async def __call__(self, scope, receive, send):
        if not _may_be_compressed(scope):
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path not in self._kept:
            status, headers, body = await self._response(scope, receive)
            is_page = headers["content-type"].startswith("text/html")  # sent for each path that is no file's
            if status != 200 or is_page or len(self._kept) == MOST_KEPT:
                await Response(body, status, headers)(scope, receive, send)
                return
            del headers["content-length"]
            headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            self._kept[path] = Response(await asyncio.to_thread(gzip.compress, body, 6), headers=headers)
        await self._kept[path](scope, receive, send)

    async def _response(self, scope, receive):
        """The status, the headers as a dict and the body of what the app behind this answers."""
        events = []

        async def keep(event):
            events.append(event)

        await self._app(scope, receive, keep)
        start, *rest = events
        body = b"".join(event.get("body", b"") for event in rest)
        return start["status"], dict(Headers(raw=start["headers"])), body


def _may_be_compressed(scope):
    """Whether a request is for the whole of a compressible file, by a browser that can read it compressed."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    headers = Headers(scope=scope)
    if "range" in headers or "if-none-match" in headers or "if-modified-since" in headers:
        return False
    is_static = "/static/" in scope["path"] and scope["path"].endswith(COMPRESSIBLE)
    return is_static and "gzip" in headers.get("accept-encoding", "")
