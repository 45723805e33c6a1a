"""A visitor without a browser: speaks to the app as its pages do, by WebSocket and HTTP, and as they do not."""

from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

ANSWER_S = 30


class Visitor:
    """One open page.

    Args:
        address: of the app.
        origin: the page's that opens the connection; the app's own unless given.
        host: the name that the app is called by, with its port; that of the address unless given.

    Raises:
        websockets.InvalidStatus: the app refuses.
    """

    def __init__(self, address, *, origin=None, host=None):
        self.address = address
        there = urlsplit(address)
        self.token = cookie_of(address, host or there.netloc)
        self._socket = connect(
            f"ws://{host or there.netloc}/_stcore/stream",
            address=(there.hostname, there.port),
            proxy=None,
            origin=origin or address,
            additional_headers={"Cookie": f"_streamlit_xsrf={self.token}"},
            subprotocols=["streamlit", self.token],
            max_size=None,
        )

    def send(self, message):
        """Send a BackMsg, or bytes or a text as they are."""
        self._socket.send(message.SerializeToString() if isinstance(message, BackMsg) else message)

    def open_page(self, query=""):
        """Ask for the page as a browser does that opens it; returns the session's id once it is there."""
        message = BackMsg()
        message.rerun_script.query_string = query
        self.send(message)
        new = self.wait_for("new_session")
        self.wait_for("script_finished")
        return new.new_session.initialize.session_id

    def wait_for(self, kind):
        """The next message of a kind from the app; raises TimeoutError if there is none in time."""
        while True:
            message = self.receive(ANSWER_S)
            if message.WhichOneof("type") == kind:
                return message

    def receive(self, timeout_s):
        """The next message from the app; raises TimeoutError if there is none in time."""
        return ForwardMsg.FromString(self._socket.recv(timeout_s))

    def upload(self, session_id, file_id, content):
        """Send a file as the uploader does; returns the status."""
        line = b"edge"
        head = b'Content-Disposition: form-data; name="file"; filename="digit.png"\r\nContent-Type: image/png\r\n\r\n'
        body = b"--" + line + b"\r\n" + head + content + b"\r\n--" + line + b"--\r\n"
        request = Request(f"{self.address}/_stcore/upload_file/{session_id}/{file_id}", body, method="PUT")
        request.add_header("Content-Type", "multipart/form-data; boundary=edge")
        request.add_header("Cookie", f"_streamlit_xsrf={self.token}")
        request.add_header("X-Xsrftoken", self.token)
        with urlopen(request, timeout=ANSWER_S) as response:
            return response.status

    def close(self):
        self._socket.close()


@contextmanager
def visiting(address, **headers):
    """A Visitor who leaves at the end of the block."""
    visitor = Visitor(address, **headers)
    try:
        yield visitor
    finally:
        visitor.close()


def cookie_of(address, host):
    """The token against forged requests that the app gives to a browser, which calls it by a host."""
    with urlopen(Request(f"{address}/_stcore/health", headers={"Host": host}), timeout=ANSWER_S) as response:
        return response.headers["Set-Cookie"].split(";")[0].partition("=")[2]
