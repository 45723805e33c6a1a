"""What the server refuses and bounds, tried on a real one by programs."""

import asyncio
import io
import resource
import socket
import struct
import threading
import warnings
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import visitor
from browser import serving
from PIL import Image
from starlette.formparsers import MultiPartParser
from streamlit import config, net_util
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from visitor import cookie_of, visiting
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from autoencoder.ui import guard
from autoencoder.ui.classroom import lan_host
from autoencoder.ui.guard import FILES_AT_ONCE, guarded, is_from_a_page

EVIL = "evil.example:80"


@pytest.fixture(scope="module")
def address():
    """That of a server for a class."""
    with serving("--server.address", "0.0.0.0") as address:
        yield address


def ask(address, host):
    """The status and the text that a page's address gives under a Host."""
    try:
        response = urlopen(Request(address, headers={"Host": host}))
    except HTTPError as error:
        response = error
    return response.status, response.read().decode()


def status_without_host(address):
    """What a check gets that speaks HTTP 1.0 and names no Host."""
    there = urlsplit(address)
    with socket.create_connection((there.hostname, there.port)) as connection:
        connection.sendall(b"GET /_stcore/health HTTP/1.0\r\n\r\n")
        return int(connection.recv(100).split()[1])


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:8501", "192.168.1.5:8501", "[::1]:8501", socket.gethostname()]
)
def test_the_machine_is_reached_by_its_numbers_and_its_names(address, host):
    assert ask(address, host)[0] == 200
    with visiting(address, host=host) as pupil:
        pupil.open_page()


@pytest.mark.parametrize(
    "host", [EVIL, "", "localhost.evil.example", "127.0.0.1.evil.example", "[", "localhost@evil.example"]
)
def test_a_foreign_host_is_refused(address, host):
    status, sentence = ask(address, host)
    assert (status, f"by its IP address, http://{lan_host() or '127.0.0.1'}:" in sentence) == (400, True)


def test_a_page_that_leads_its_own_name_here_is_refused(address, monkeypatch):
    with pytest.raises(HTTPError, match="400"):
        cookie_of(address, EVIL)
    monkeypatch.setattr(visitor, "cookie_of", lambda *_: "made-up")
    with pytest.raises(InvalidStatus, match="403"), visiting(address, host=EVIL, origin=f"http://{EVIL}"):
        pass


def test_who_names_no_host_is_no_browser_and_gets_an_answer(address):
    assert status_without_host(address) == 200


def test_where_names_are_given_at_the_start_they_alone_are_answered():
    with serving("--server.allowedHosts", "school.example") as address:
        assert ask(address, "school.example:80")[0] == 200
        with visiting(address, host="school.example") as pupil:
            pupil.open_page()
        for host in ("localhost", "127.0.0.1", EVIL):
            status, sentence = ask(address, host)
            assert (status, "answers to school.example alone" in sentence) == (400, True)


@contextmanager
def listening():
    """A proxy's address, and the list of what has connected to it."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def note():
            while True:
                try:
                    connection, _ = proxy.accept()
                except OSError:
                    return
                connections.append(connection.recv(1000))
                connection.close()

        threading.Thread(target=note, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.getsockname()[1]}", connections


def test_nothing_outside_is_asked_at_the_start_or_for_a_foreign_origin():
    with listening() as (proxy, connections):
        ways_out = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        with serving("--server.address", "0.0.0.0", MNIST_NPZ="/none", **ways_out) as address:
            for _ in range(3):
                with pytest.raises(InvalidStatus, match="403"), visiting(address, origin="http://evil.example"):
                    pass
            with visiting(address) as pupil:
                pupil.open_page()
        assert connections == []


@contextmanager
def limited(kind, soft):
    """Have what is started meanwhile begin with a lower limit."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


def test_a_class_is_not_locked_out_by_descriptors():
    with limited(resource.RLIMIT_NOFILE, 256):
        app = serving()
        address = app.__enter__()
    visitors = []
    try:
        for _ in range(100):  # three or four descriptors each
            visit = visiting(address)
            visitors.append((visit, visit.__enter__()))
        visitors[-1][1].open_page()
    finally:
        for visit, _ in visitors:
            visit.__exit__(None, None, None)
        app.__exit__(None, None, None)


def metrics(address):
    """What the server says of its own memory, {cache: bytes}."""
    lines = urlopen(f"{address}/_stcore/metrics").read().decode().splitlines()
    rows = [line for line in lines if line.startswith("cache_memory_bytes{")]
    return {row.split('"')[1]: int(row.split()[-1]) for row in rows}


def test_of_a_visitor_s_uploads_the_last_two_are_kept(address):
    with visiting(address) as pupil:
        session = pupil.open_page()
        for number in range(5):
            assert pupil.upload(session, f"file-{number}", bytes(100_000 + number)) == 204
    assert metrics(address)["UploadedFileManager"] == 100_003 + 100_004


def test_an_upload_needs_no_room_on_the_disk():
    with limited(resource.RLIMIT_FSIZE, 500_000), serving() as address, visiting(address) as pupil:
        assert pupil.upload(pupil.open_page(), "file", bytes(4_000_000)) == 204


@pytest.fixture
def unchanged(monkeypatch):
    """What `guarded` changes is given back."""
    monkeypatch.setattr(guard, "raise_descriptor_limit", lambda: None)
    changed = [(net_util, "get_external_ip"), (MultiPartParser, "spool_max_size")]
    changed += [(config, "get_options_for_section"), (MemoryUploadedFileManager, "add_file")]
    for place, name in changed:
        monkeypatch.setattr(place, name, getattr(place, name))
    with warnings.catch_warnings():
        yield


async def serve_for(seconds):
    async with guarded(None):
        await asyncio.sleep(seconds)


def test_a_download_is_forgotten_when_its_visitor_has_left(unchanged, monkeypatch):
    storage = MemoryMediaFileStorage("/media")
    manager = MediaFileManager(storage)
    monkeypatch.setattr(guard.runtime, "get_instance", lambda: SimpleNamespace(media_file_mgr=manager))
    monkeypatch.setattr(guard, "FORGET_EVERY_S", 0.01)
    button = manager.add_deferred(lambda: b"a card", "image/png", "where the button is")
    url = manager.execute_deferred(button)
    assert storage.get_file(url.split("/")[-1]).content == b"a card"
    manager.clear_session_refs()
    asyncio.run(serve_for(0.2))
    with pytest.raises(MediaFileStorageError):
        storage.get_file(url.split("/")[-1])


def test_the_theme_is_looked_up_once(unchanged, monkeypatch):
    looked_up = []
    get_options = config.get_options_for_section
    monkeypatch.setattr(config, "get_options_for_section", lambda name: looked_up.append(name) or get_options(name))

    async def look_up_twice():
        async with guarded(None):
            app_session._populate_theme_msg(themes[0])
            app_session._populate_theme_msg(themes[1])

    themes = CustomThemeConfig(), CustomThemeConfig()
    asyncio.run(look_up_twice())
    assert looked_up == ["theme"]
    assert themes[0] == themes[1]
    assert themes[0].base_radius == "8px"


def test_a_visitor_cannot_drop_the_caches_or_see_the_checkout(address):
    with visiting(address) as pupil:
        pupil.open_page()
        assert "st_cache_resource" in metrics(address)
        for message in (BackMsg(clear_cache=True), BackMsg(load_git_info=True), BackMsg(app_heartbeat=True)):
            pupil.send(message)
        answers = []
        while "heartbeat_ack" not in answers:
            answers.append(pupil.receive(5).WhichOneof("type"))
        assert "git_info_changed" not in answers
        assert "st_cache_resource" in metrics(address)


def test_a_message_of_more_than_a_megabyte_ends_the_connection(address):
    with visiting(address) as pupil:
        pupil.open_page()
        message = BackMsg()
        message.rerun_script.widget_states.widgets.add(id="canvas", string_value="x" * 1_100_000)
        pupil.send(message)
        with pytest.raises(ConnectionClosedError, match="1009"):
            pupil.wait_for("script_finished")


@pytest.mark.parametrize("junk", [b"\xff", "a text"])
def test_what_is_no_message_ends_the_connection(address, junk):
    with visiting(address) as pupil:
        pupil.open_page()
        pupil.send(junk)
        with pytest.raises(ConnectionClosed):
            pupil.wait_for("heartbeat_ack")


def test_a_picture_of_odd_tags_fills_no_log(unchanged):
    with warnings.catch_warnings(record=True) as said:
        asyncio.run(serve_for(0))
        exif = b"II*\0\x08\0\0\0\x02\0" + b"".join(struct.pack("<HHII", tag, 7, 9**9, 9) for tag in (1, 2)) + bytes(4)
        picture = io.BytesIO()
        Image.new("L", (8, 8)).save(picture, "JPEG", exif=b"Exif\0\0" + exif)
        Image.open(picture).getexif()
    assert [str(warning.message) for warning in said] == []


def test_what_pages_send_passes_and_what_they_do_not_send_is_dropped():
    files = BackMsg()
    files.file_urls_request.file_names.append("digit.png")
    assert is_from_a_page(files)
    files.file_urls_request.file_names.extend(["x"] * FILES_AT_ONCE)
    assert not is_from_a_page(files)
    operation = BackMsg()
    operation.backend_operation_request.deferred_file.file_id = "a card"
    assert is_from_a_page(operation)
    operation.backend_operation_request.install_skills.SetInParent()
    assert not is_from_a_page(operation)
    assert not is_from_a_page(BackMsg())
