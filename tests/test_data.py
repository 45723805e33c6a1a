import gzip
import hashlib
import http.server
import io
import json
import os
import re
import threading
import time
import tracemalloc
import zipfile

import numpy as np
import pooch  # noqa: F401, now, since `as_nobody` may not read it later
import pytest

from autoencoder import data
from autoencoder.data import (
    UNLABELED,
    DataError,
    load_bundled,
    load_drawn,
    load_mnist,
    read_strokes,
    read_writers,
    unseen_part,
)

SHAPES = {"x_train": (6, 28, 28), "y_train": (6,), "x_test": (4, 28, 28), "y_test": (4,)}


@pytest.fixture
def arrays(monkeypatch):
    """A tiny MNIST, which the module takes for the real one."""
    rng = np.random.default_rng(0)
    made = {name: rng.integers(0, 256, shape, np.uint8) for name, shape in SHAPES.items()}
    hashes = {name: (array.shape, hashlib.sha256(array.tobytes()).hexdigest()) for name, array in made.items()}
    monkeypatch.setattr(data, "MNIST_ARRAYS", hashes)
    return made


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Where Keras' cache would be: empty, and nothing named in the environment."""
    monkeypatch.delenv("MNIST_NPZ", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(data, "_download", None)
    return tmp_path / "datasets" / "mnist.npz"


def packed(arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def in_zip_directory(content, offset, value):
    """The archive with one byte changed in each entry of its central directory."""
    changed = bytearray(content)
    for entry in re.finditer(b"PK\x01\x02", content):
        changed[entry.start() + offset] = value
    return bytes(changed)


@pytest.fixture
def named(monkeypatch, tmp_path, arrays):
    """A file that `MNIST_NPZ` names; call it with the bytes to put there."""

    def put(content):
        path = tmp_path / "my.npz"
        path.write_bytes(content)
        monkeypatch.setenv("MNIST_NPZ", str(path))
        return path

    return put


@pytest.fixture
def served(monkeypatch):
    """A web server on this machine in the place of MNIST's; call it with what to send and how."""
    servers, requests = [], []

    def serve(content, *, send=None, delay_s=0.0, sha256=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                time.sleep(delay_s)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[:send])

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(data, "MNIST_URL", f"http://127.0.0.1:{server.server_port}/mnist.npz")
        monkeypatch.setattr(data, "MNIST_FILE_SHA256", sha256 or hashlib.sha256(content).hexdigest())
        return requests

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_bundled_digits_look_like_those_of_mnist():
    digits = load_bundled()
    assert digits.images.shape == (1797, 28, 28)
    assert digits.images.dtype == np.float32
    assert digits.images.min() == 0
    assert digits.images.max() == 1
    assert digits.labels[:10].tolist() == list(range(10))
    rows = [np.flatnonzero(image.any(axis=1)) for image in digits.images]
    assert np.mean([len(np.arange(row[0], row[-1] + 1)) == 20 for row in rows]) > 0.95


def test_digits_cannot_be_changed(bundled):
    with pytest.raises(ValueError, match="read-only"):
        bundled.images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        bundled.labels[0] = 1


def test_the_named_file_is_read(named, arrays):
    named(packed(arrays))
    digits = load_mnist("train")
    np.testing.assert_array_equal(np.round(digits.images * 255), arrays["x_train"])
    assert digits.labels.tolist() == arrays["y_train"].tolist()
    assert len(load_mnist("test")) == 4


def test_all_of_mnist_has_the_test_digits_first(named, arrays, monkeypatch):
    named(packed(arrays))
    monkeypatch.setattr(data, "N_TEST", 4)
    digits = load_mnist("all")
    assert len(digits) == 10
    np.testing.assert_array_equal(digits.images[:4], load_mnist("test").images)
    np.testing.assert_array_equal(digits.images[[9, 4]], load_mnist("train").images[[5, 0]])
    assert digits.labels.tolist() == [*arrays["y_test"], *arrays["y_train"]]
    assert digits.images[0].dtype == np.float32
    assert len({load_mnist(split).sha256 for split in ("test", "train", "all")}) == 3


def test_what_the_network_has_not_seen_are_the_test_digits(named, arrays, monkeypatch, bundled):
    named(packed(arrays))
    monkeypatch.setattr(data, "N_TEST", 4)
    digits = load_mnist("all")
    unseen = unseen_part(digits)
    np.testing.assert_array_equal(unseen.images[:], digits.images[:4])
    assert unseen.labels.tolist() == arrays["y_test"].tolist()
    assert np.shares_memory(unseen.images.stored, digits.images.stored)
    assert unseen_part(bundled) is None


def test_a_split_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="received 'valid'"):
        load_mnist("valid")


def test_keras_cache_comes_before_a_download(cache, arrays):
    cache.parent.mkdir()
    cache.write_bytes(packed(arrays))
    assert len(load_mnist()) == 4


def test_a_named_file_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "none.npz"))
    with pytest.raises(DataError, match=r"MNIST_NPZ names .*none\.npz, and there is no such file"):
        load_mnist()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"no archive",
        lambda content: content[: len(content) // 2],
        lambda content: content[:200] + bytes([content[200] ^ 255]) + content[201:],
        lambda content: in_zip_directory(content, 6, 210),  # needs version 21.0
        lambda content: in_zip_directory(content, 8, 1),  # encrypted
        lambda content: saved(np.zeros(3)),
    ],
    ids=["empty", "text", "truncated", "flipped", "future", "encrypted", "one array"],
)
def test_a_damaged_file_is_named_with_what_to_do(named, arrays, spoil):
    path = named(spoil(packed(arrays)))
    with pytest.raises(DataError, match="replace it, or unset MNIST_NPZ") as error:
        load_mnist("train")
    assert str(path) in str(error.value)


def test_a_file_without_the_array_is_refused(named, arrays):
    named(packed({"x_train": arrays["x_train"]}))
    with pytest.raises(DataError, match="x_test"):
        load_mnist()


def test_arrays_of_another_shape_are_refused(named, arrays):
    named(packed(arrays | {"x_test": arrays["x_test"][:3]}))
    with pytest.raises(DataError, match=r"expected x_test uint8 \(4, 28, 28\), received uint8 \(3, 28, 28\)"):
        load_mnist()


def test_arrays_of_another_content_are_refused(named, arrays):
    named(packed(arrays | {"x_test": 255 - arrays["x_test"]}))
    with pytest.raises(DataError, match="the SHA-256 of x_test is not"):
        load_mnist()


def test_no_pickle_is_loaded(named, arrays):
    named(packed(arrays | {"x_test": np.array([{"an": "object"}], object)}))
    with pytest.raises(DataError, match=r"is not MNIST: .* received object"):
        load_mnist()


def test_a_damaged_cache_says_to_delete_it(cache, arrays):
    cache.parent.mkdir()
    cache.write_bytes(b"half a file")
    with pytest.raises(DataError, match="delete it to download it again"):
        load_mnist()


def test_mnist_is_downloaded_once_and_kept(cache, arrays, served):
    served(packed(arrays))
    assert len(load_mnist()) == 4
    served(b"", delay_s=5)
    assert len(load_mnist(wait_s=1)) == 4


def test_a_download_cut_short_leaves_nothing_behind(cache, arrays, served):
    content = packed(arrays)
    served(content, send=len(content) // 2)
    with pytest.raises(DataError, match="could not be downloaded"):
        load_mnist()
    assert list(cache.parent.iterdir()) == []


def test_a_download_of_something_else_leaves_nothing_behind(cache, arrays, served):
    served(packed(arrays), sha256="0" * 64)
    with pytest.raises(DataError, match="could not be downloaded"):
        load_mnist()
    assert list(cache.parent.iterdir()) == []


def test_a_server_that_hangs_is_not_waited_for(cache, arrays, served):
    served(packed(arrays), delay_s=3)
    start = time.monotonic()
    with pytest.raises(DataError, match="has not arrived"):
        load_mnist(wait_s=0.3)
    assert time.monotonic() - start < 2


def test_those_who_ask_meanwhile_wait_for_the_same_download(cache, arrays, served):
    requests = served(packed(arrays), delay_s=1)
    for _ in range(3):
        with pytest.raises(DataError, match="has not arrived"):
            load_mnist(wait_s=0.1)
    assert len(load_mnist()) == 4
    assert len(requests) == 1


def test_no_network_is_said_with_what_to_do(cache):
    with pytest.raises(DataError, match="set MNIST_NPZ to a copy"):
        load_mnist(wait_s=5)


def test_pen_strokes_are_read_with_y_down(tmp_path):
    path = tmp_path / "pen.jsonl.gz"
    seven = {"digit": 7, "strokes": [[[0, 100], [50, 100]], [[20, 0]]]}
    letter = {"character": "L", "strokes": [[[0, 9], [0, 0]]]}
    path.write_bytes(gzip.compress(f"{json.dumps(seven)}\n{json.dumps(letter)}\n".encode()))
    (seven_read, strokes), (letter_read, _) = read_strokes(path)
    assert (seven_read, letter_read) == (7, None)
    assert [stroke.tolist() for stroke in strokes] == [[[0, -100], [50, -100]], [[20, 0]]]
    assert {stroke.dtype for stroke in strokes} == {np.dtype(float)}


def written_by(writers, folder):
    """A file of drawings by writers; one whose writer is "nobody" does not name any."""
    path = folder / "pen.jsonl.gz"
    by = [{} if writer == "nobody" else {"writer": writer} for writer in writers]
    lines = [json.dumps({"digit": 1, "strokes": [[[0, 9], [0, 0]]]} | of) for of in by]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


@pytest.mark.parametrize(
    ("writers", "numbers"),
    [
        ([8, 3, 8], [0, 1, 0]),
        (["Ann", "Bo", "Bo"], [0, 1, 1]),
        (["3", 3], [0, 1]),
        (["nobody", "nobody"], None),
        ([None, "nobody"], None),
    ],
)
def test_writers_are_numbered_in_the_order_of_the_file(tmp_path, writers, numbers):
    path = written_by(writers, tmp_path)
    read = read_writers(path)
    assert numbers == (read if read is None else read.tolist())
    assert [digit for digit, _ in read_strokes(path)] == [1] * len(writers)


@pytest.mark.parametrize("writers", [[1, "nobody"], [None, 1], [[1]], [{}], [0.5]])
def test_writers_who_are_not_all_named_by_number_or_name_are_refused(tmp_path, writers):
    with pytest.raises(DataError, match=r"pen\.jsonl\.gz .*expected a writer"):
        read_writers(written_by(writers, tmp_path))


def test_pen_strokes_become_digits_the_right_way_up(tmp_path):
    path = tmp_path / "pen.jsonl.gz"
    seven = {"digit": 7, "strokes": [[[0, 100], [50, 100], [20, 0]]]}  # y up: the bar is at the top
    path.write_bytes(gzip.compress(json.dumps(seven).encode()))
    drawn = load_drawn(path)
    assert drawn.labels.tolist() == [7]
    rows = drawn.images[0].sum(axis=1)
    assert rows[:14].sum() > rows[14:].sum()


@pytest.mark.parametrize("percent", [35, 90])
def test_drawn_small_or_large_on_the_canvas_digits_are_nearly_the_same(tmp_path, drawings, percent):
    path = tmp_path / "strokes.jsonl.gz"
    with gzip.open(path, "wt") as file:
        for digit, examples in drawings.items():
            strokes = [[[float(x), -float(y)] for x, y in stroke] for stroke in examples[0]]
            file.write(json.dumps({"digit": digit, "strokes": strokes}) + "\n")
    exact, on_canvas = load_drawn(path), load_drawn(path, percent=percent)
    assert on_canvas.name == f"drawn {percent} %"
    changes = np.abs(exact.images - on_canvas.images).mean(axis=(1, 2))
    assert np.median(changes) < 0.02  # some are a pixel off: the center of mass is rounded to whole ones


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"no json", b'{"digit": 1}', b'{"digit": 1, "strokes": [[]]}'])
def test_a_file_of_something_else_than_strokes_is_refused(tmp_path, content):
    path = tmp_path / "pen.jsonl.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=r"pen\.jsonl\.gz"):
        load_drawn(path)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"pen\.jsonl\.gz"):
        load_drawn(path)


def test_a_file_that_claims_to_be_huge_is_refused_by_its_header(named):
    packed_file = io.BytesIO()
    with zipfile.ZipFile(packed_file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x_test.npy", "w") as file:
        shape = (2_000_000, 28, 28)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.write(bytes(50_000_000))
    named(packed_file.getvalue())
    tracemalloc.start()
    with pytest.raises(DataError, match=r"received uint8 \(2000000, 28, 28\)"):
        load_mnist()
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_a_file_that_may_not_be_read_is_reported(named, arrays, as_nobody):
    path = named(packed(arrays))
    path.chmod(0)
    with as_nobody(), pytest.raises(DataError, match=r"my.npz cannot be read as MNIST .*Permission denied"):
        load_mnist()


def test_a_folder_that_may_not_be_looked_into_is_reported(named, arrays, as_nobody):
    path = named(packed(arrays))
    path.parent.chmod(0)
    with as_nobody(), pytest.raises(DataError, match=r"my.npz cannot be read: give this user the right to"):
        load_mnist()


def test_a_cache_that_may_not_be_read_is_reported(tmp_path, monkeypatch, as_nobody):
    monkeypatch.delenv("MNIST_NPZ", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras").mkdir(mode=0)
    with as_nobody(), pytest.raises(DataError, match=r"mnist.npz cannot be read: give this user the right to"):
        load_mnist()


def test_without_a_home_it_is_said_what_to_set(monkeypatch):
    for name in ("MNIST_NPZ", "KERAS_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user without an entry in passwd
    with pytest.raises(DataError, match="no home folder"):
        load_mnist()


def test_characters_that_are_no_digits_have_no_labels(tmp_path):
    path = tmp_path / "letters.jsonl.gz"
    with gzip.open(path, "wt") as lines:
        lines.write(json.dumps({"character": "L", "strokes": [[[0, 9], [0, 0], [5, 0]]]}) + "\n")
    letters = load_drawn(path, labeled=False)
    assert (letters.name, letters.labels.tolist()) == ("not_digits", [UNLABELED])
    with pytest.raises(DataError, match="digit"):
        load_drawn(path)
