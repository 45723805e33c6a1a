"""The page's scripts on a real server: compressed for those who can read that, and the same for all."""

import gzip
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
import streamlit
from browser import serving

from autoencoder.ui.compression import COMPRESSIBLE, MOST_BYTES


@pytest.fixture(scope="module")
def script():
    """The address of the page's largest script."""
    with serving() as address:
        names = re.findall(r"static/js/index[^\"]*js", urlopen(address).read().decode())
        yield f"{address}/{names[0]}"


def get(address, **headers):
    response = urlopen(Request(address, headers={name.replace("_", "-"): value for name, value in headers.items()}))
    return response.status, response.headers, response.read()


def test_a_script_is_sent_compressed_to_who_can_read_it_and_as_it_is_to_others(script):
    _, plain_headers, plain = get(script)
    for _ in range(2):  # made, then kept
        status, headers, compressed = get(script, Accept_Encoding="gzip, br")
        assert status == 200
        assert headers["Content-Encoding"] == "gzip"
        assert headers["Vary"] == "Accept-Encoding"
        assert headers["Cache-Control"] == plain_headers["Cache-Control"]
        assert headers["Content-Type"] == plain_headers["Content-Type"]
        assert int(headers["Content-Length"]) == len(compressed) < len(plain) / 2
        assert gzip.decompress(compressed) == plain
    assert "Content-Encoding" not in plain_headers


def test_a_visitor_who_leaves_at_once_leaves_the_scripts_whole_for_the_next():
    with serving() as address:
        url = urlsplit(address)
        scripts = set(re.findall(r"static/[^\"]*\.(?:js|css)", urlopen(address).read().decode()))
        for script in scripts:
            with socket.create_connection((url.hostname, url.port)) as connection:
                request = f"GET /{script} HTTP/1.1\r\nHost: {url.netloc}\r\nAccept-Encoding: gzip\r\n\r\n"
                connection.sendall(request.encode())
        time.sleep(1)
        assert scripts
        for script in scripts:
            _, _, compressed = get(f"{address}/{script}", Accept_Encoding="gzip")
            assert gzip.decompress(compressed) == get(f"{address}/{script}")[2]


def test_a_class_that_comes_at_once_gets_the_same(script):
    _, _, plain = get(script)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: get(script, Accept_Encoding="gzip")[2], range(30)))
    assert {gzip.decompress(answer) for answer in answers} == {plain}


def test_what_is_not_there_is_not_kept_and_a_part_is_sent_as_it_is(script):
    _, headers, page = get(script.replace("index", "none"), Accept_Encoding="gzip")
    assert headers["Content-Type"].startswith("text/html")
    assert page.startswith(b"<!")
    _, headers, _ = get(script.replace("/static/js/", "/static/./js/"), Accept_Encoding="gzip")
    assert "Content-Encoding" not in headers  # many names of one file would fill the memory
    for path in ("/static/../x.js", "//static/x.js"):
        connection = HTTPConnection(urlsplit(script).netloc)
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        assert connection.getresponse().status in (200, 400)
    status, headers, part = get(script, Accept_Encoding="gzip", Range="bytes=0-99")
    assert (status, len(part)) == (206, 100)
    assert "Content-Encoding" not in headers
    with pytest.raises(HTTPError, match="304"):
        get(script, Accept_Encoding="gzip", If_None_Match=get(script)[1]["ETag"])


def test_all_that_streamlit_has_can_be_kept():
    files = [path for path in Path(streamlit.__file__).parent.rglob("static/**/*") if path.suffix in COMPRESSIBLE]
    assert len(files) > 100
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in files) < MOST_BYTES
