import gzip
import io
import os
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from autoencoder.data import UNLABELED, DataError
from autoencoder.gallery import sources
from autoencoder.gallery.sources import open_source


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)


def as_png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def as_idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def grays(source, start=0):
    return np.stack([item.gray for item in source.items(start)])


def labels(source, start=0):
    return [item.label for item in source.items(start)]


def test_a_folder_is_labeled_by_its_subfolders_and_read_in_the_order_of_names(tmp_path, images):
    for name, image in zip(("7/b.png", "7/a.png", "3/x/c.png", "d.png", "12/e.png"), images, strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(as_png(image))
    (tmp_path / "7" / "notes.txt").write_text("no picture")
    source = open_source(tmp_path)
    assert len(source) == 5
    found = [(item.name, item.label) for item in source.items()]
    assert found == [
        ("d.png", UNLABELED),
        ("12/e.png", UNLABELED),
        ("3/x/c.png", UNLABELED),
        ("7/a.png", 7),
        ("7/b.png", 7),
    ]
    np.testing.assert_array_equal(grays(source, 3), images[[1, 0]] / np.float32(255))


def test_a_damaged_picture_is_an_item_that_says_so(tmp_path, images):
    (tmp_path / "a.png").write_bytes(as_png(images[0])[:50])
    (item,) = open_source(tmp_path).items()
    assert item.gray is None
    assert "not a picture that can be read" in item.problem


@pytest.mark.parametrize("compressed", [False, True])
def test_an_npz_gives_all_its_images_with_the_labels_of_their_name(tmp_path, images, compressed):
    arrays = {"x_train": images[:3], "y_train": np.array([1, 2, 3]), "x_test": images[3:], "y_test": np.array([4, 5])}
    (np.savez_compressed if compressed else np.savez)(tmp_path / "digits.npz", **arrays)
    source = open_source(tmp_path / "digits.npz")
    assert (len(source), labels(source)) == (5, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(grays(source), images / np.float32(255))
    assert [item.name for item in source.items(2)] == ["x_train[2]", "x_test[0]", "x_test[1]"]
    assert labels(open_source(tmp_path / "digits.npz", part="test")) == [4, 5]


def test_an_npy_may_hold_floats_or_flat_images_and_has_its_labels_in_another(tmp_path, images):
    np.save(tmp_path / "images.npy", images.reshape(5, 784) / 255)
    assert labels(open_source(tmp_path / "images.npy")) == [UNLABELED] * 5
    np.save(tmp_path / "labels.npy", np.arange(5))
    source = open_source(tmp_path / "images.npy", labels=tmp_path / "labels.npy")
    assert labels(source) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(grays(source), images / 255, rtol=1e-6)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_files_belong_together_by_their_names(tmp_path, images, ending):
    for kind, array in (("images-idx3", images), ("labels-idx1", np.arange(5, dtype=np.uint8))):
        data = as_idx(array)
        path = tmp_path / f"t10k-{kind}-ubyte{ending}"
        path.write_bytes(gzip.compress(data) if ending else data)
    source = open_source(tmp_path / f"t10k-images-idx3-ubyte{ending}")
    assert labels(source, 1) == [1, 2, 3, 4]
    np.testing.assert_array_equal(grays(source, 1), images[1:] / np.float32(255))
    turned = open_source(tmp_path / f"t10k-images-idx3-ubyte{ending}", transpose=True)
    np.testing.assert_array_equal(grays(turned), images.transpose(0, 2, 1) / np.float32(255))


def test_a_start_anywhere_goes_on_from_there(tmp_path, images, monkeypatch):
    monkeypatch.setattr(sources, "BYTES_AT_ONCE", 2 * 784)
    np.savez(tmp_path / "digits.npz", images=images, labels=np.arange(5))
    source = open_source(tmp_path / "digits.npz")
    for start in range(6):
        assert labels(source, start) == list(range(start, 5))


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 5)), r"expected images \(n, h, w\) or \(n, 784\), received digits.npy \(3, 5\)"),
        (np.zeros((0, 28, 28)), "expected images"),
        (np.array([[["a"]]]), "expected numbers in C order"),
        (np.array([[[None]]], object), "expected numbers in C order"),
        (np.asfortranarray(np.zeros((3, 28, 28))), "in Fortran order"),
    ],
)
def test_arrays_of_anything_else_are_refused(tmp_path, array, sentence):
    np.save(tmp_path / "digits.npy", array)
    with pytest.raises(DataError, match=sentence):
        open_source(tmp_path / "digits.npy")


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (np.full((3, 28, 28), 7.0), np.array([1, 2, 3]), "expected bytes, or floats in"),
        (np.full((3, 28, 28), np.nan), np.array([1, 2, 3]), "expected bytes, or floats in"),
        (np.zeros((3, 28, 28)), np.array([1, 2, 26]), "expected labels from 0 to 9, received 26"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path, images, labels, sentence):
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    with pytest.raises(DataError, match=f"cannot be used as images.*{sentence}"):
        list(open_source(tmp_path / "digits.npz").items())


@pytest.mark.parametrize(("x", "y"), [("X", "y"), ("x_extra", "y_extra"), ("image", "label"), ("data", "target")])
def test_labels_are_found_by_the_usual_names_and_may_be_a_column(tmp_path, images, x, y):
    words = np.array(["zero", "one"])
    np.savez(tmp_path / "digits.NPZ", **{x: images, y: np.arange(5)[:, None]})
    (path,) = tmp_path.iterdir()
    assert labels(open_source(path.rename(tmp_path / "digits.NPZ"))) == [0, 1, 2, 3, 4]
    np.savez(tmp_path / "more.npz", train_images=images, train_labels=np.arange(5), names=words)
    with pytest.raises(DataError, match="expected numbers"):
        open_source(tmp_path / "more.npz")
    assert labels(open_source(tmp_path / "more.npz", part="train")) == [0, 1, 2, 3, 4]


def test_labels_of_another_number_are_refused(tmp_path, images):
    np.savez(tmp_path / "digits.npz", images=images, labels=np.arange(4))
    with pytest.raises(DataError, match=r"expected labels \(5,\) of whole numbers, received labels int64 \(4,\)"):
        open_source(tmp_path / "digits.npz")


def test_a_file_that_is_cut_short_is_reported(tmp_path, images):
    np.save(tmp_path / "digits.npy", images)
    whole = (tmp_path / "digits.npy").read_bytes()
    (tmp_path / "digits.npy").write_bytes(whole[:-100])
    with pytest.raises(DataError, match="it ends too early"):
        list(open_source(tmp_path / "digits.npy").items())


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x93NUMPY\x07\x00"])
@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a-idx3-ubyte", "a.gz"])
def test_what_is_no_such_file_is_reported(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match="cannot be used as images"):
        open_source(tmp_path / name)


def test_a_folder_without_pictures_and_no_file_at_all_are_reported(tmp_path):
    with pytest.raises(DataError, match="holds no pictures"):
        open_source(tmp_path)
    with pytest.raises(DataError, match="neither a file nor a folder"):
        open_source(tmp_path / "nothing")


def test_another_source_has_another_identity(tmp_path, images):
    for name in ("1/a.png", "2/b.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(as_png(images[0]))
    before = open_source(tmp_path).identity
    assert open_source(tmp_path).identity == before
    (tmp_path / "2" / "b.png").rename(tmp_path / "1" / "b.png")
    moved = open_source(tmp_path).identity
    assert moved != before
    (tmp_path / "1" / "a.png").write_bytes(as_png(images[1]))
    assert open_source(tmp_path).identity != moved


def test_arrays_of_another_file_or_with_other_labels_have_another_identity(tmp_path, images):
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", images)
        np.save(tmp_path / f"{name}-labels.npy", np.arange(5))
    ways = [("a", None), ("b", None), ("a", "a"), ("a", "b")]
    sources_of = [
        open_source(tmp_path / f"{name}.npy", labels=of and tmp_path / f"{of}-labels.npy") for name, of in ways
    ]
    assert len({source.identity for source in sources_of}) == 4


def test_what_is_for_arrays_is_refused_for_a_folder(tmp_path, images):
    (tmp_path / "a.png").write_bytes(as_png(images[0]))
    with pytest.raises(DataError, match="are for arrays"):
        open_source(tmp_path, part="train")


@pytest.mark.parametrize("header", ["(((", "{'descr': '|u1'", "{1: 2}", "{'shape': (-3, 28, 28)}"])
def test_a_damaged_header_is_reported(tmp_path, header):
    text = header.replace("{'shape'", "{'descr': '|u1', 'fortran_order': False, 'shape'").ljust(117) + "\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
    with pytest.raises(DataError, match="cannot be used as images"):
        open_source(tmp_path / "a.npy")


def test_memory_does_not_grow_with_the_source(tmp_path):
    large = np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.uint8, (400, 500, 500))
    large[:, 100:400, 240:260] = 255
    tracemalloc.start()
    try:
        for item in open_source(tmp_path / "large.npy").items():
            assert item.gray.max() == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.2 * large.nbytes


def test_what_is_no_file_or_cannot_be_read_is_an_item_that_says_so(tmp_path, images, as_nobody):
    (tmp_path / "a.png").write_bytes(as_png(images[0]))
    (tmp_path / "b.png").symlink_to("/nowhere.png")
    os.mkfifo(tmp_path / "c.png")
    (tmp_path / "d.png").symlink_to("/dev/zero")
    (tmp_path / "e.png").write_bytes(as_png(images[1]))
    (tmp_path / "e.png").chmod(0)
    (tmp_path / "f.png").mkdir()  # as a folder it is looked into, and holds nothing
    (tmp_path / "g").mkdir(mode=0)
    with as_nobody():
        found = [(item.name, item.gray is not None, item.problem) for item in open_source(tmp_path).items()]
    assert found == [
        ("a.png", True, ""),
        ("b.png", False, "It cannot be read: No such file or directory."),
        ("c.png", False, "This is no regular file."),
        ("d.png", False, "This is no regular file."),
        ("e.png", False, "It cannot be read: Permission denied."),
        ("g", False, "It cannot be read: Permission denied."),
    ]


def test_a_folder_that_cannot_be_read_is_reported(tmp_path, as_nobody):
    (tmp_path / "scans").mkdir(mode=0)
    with as_nobody(), pytest.raises(DataError, match="scans cannot be read: Permission denied"):
        open_source(tmp_path / "scans")


def test_labels_that_never_end_are_refused(tmp_path, images):
    np.save(tmp_path / "images.npy", images)
    os.mkfifo(tmp_path / "labels.npy")
    with pytest.raises(DataError, match="no regular file"):
        open_source(tmp_path / "images.npy", labels=tmp_path / "labels.npy")


@pytest.mark.parametrize("shape", [(2, 100_000, 100_000), (3, 2900, 2900)])
def test_images_that_claim_to_be_huge_are_refused_by_the_header(tmp_path, shape):
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive, archive.open("images.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.write(bytes(1000))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"at most 8.3 megapixels, received images"):
        open_source(tmp_path / "huge.npz")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
