import gc
import json
import shutil
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from autoencoder import artifacts
from autoencoder.data import UNLABELED, DataError
from autoencoder.gallery import store
from autoencoder.gallery.opening import open_engine
from autoencoder.gallery.sources import open_source
from autoencoder.measure.serving import ROOT
from autoencoder.query import search
from autoencoder.spaces import Latent

N = 2500
KEPT = "images.npy", "labels.npy", "latents.npy", "files.txt", "skipped.txt"


@pytest.fixture(scope="module")
def space():
    return Latent.load(artifacts.DIRECTORY)


@pytest.fixture(scope="module")
def encoder_sha256():
    return artifacts.verify()["files"]["encoder.keras"]


@pytest.fixture(scope="module")
def source(bundled, tmp_path_factory):
    """More digits than two batches have, one of them blank, one without a label."""
    images = np.round(np.resize(bundled.images, (N, 28, 28)) * 255).astype(np.uint8)
    images[1200] = 0
    labels = np.resize(bundled.labels, N)
    labels[3] = UNLABELED
    path = tmp_path_factory.mktemp("source") / "digits.npz"
    np.savez(path, images=images, labels=labels)
    return open_source(path)


@pytest.fixture(scope="module")
def built(source, space, encoder_sha256, tmp_path_factory):
    directory = tmp_path_factory.mktemp("built") / "School of 2026"
    store.build(source, directory, space, encoder_sha256)
    return directory


def test_a_gallery_keeps_digits_labels_and_latents_in_the_order_of_the_source(built, source, space, encoder_sha256):
    own = store.open_gallery(built, encoder_sha256)
    items = [item for number, item in enumerate(source.items()) if number != 1200]
    assert len(own.digits) == len(items) == N - 1
    assert own.digits.labels.tolist() == [item.label for item in items]
    assert (own.digits.name, own.digits.title) == ("school_of_2026", "the 2,499 digits of School of 2026")
    np.testing.assert_allclose(own.digits.images[:50], np.stack([item.gray for item in items[:50]]), atol=0.01)
    np.testing.assert_allclose(own.latents, space.transform(own.digits.images[:]), atol=1e-4)
    assert isinstance(own.latents, np.memmap)


def test_what_holds_no_digit_is_listed_and_where_digits_come_from_can_be_asked(built):
    assert (built / "skipped.txt").read_text().startswith("images[1200]\tNothing stands out")
    assert store.names_of(built, [0, 1200]) == {0: "images[0]", 1200: "images[1201]"}
    described = store.describe(built)
    assert described["digits"] == "2,499"
    assert described["skipped"].startswith("1 ")
    assert described["unlabeled"] == "1"


@pytest.mark.parametrize(("n_bytes", "size"), [(940, "1 kB"), (53_300, "53 kB"), (2_340_000_000, "2,340.0 MB")])
def test_the_size_of_a_small_gallery_is_not_zero(n_bytes, size):
    assert store._size(n_bytes) == size


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_build_that_is_stopped_goes_on_and_ends_as_one_that_is_not(
    batches, built, source, space, encoder_sha256, tmp_path, monkeypatch
):
    class Stopped(type(space)):
        asked = 0

        def transform(self, images):
            type(self).asked += 1
            if type(self).asked > batches:
                raise KeyboardInterrupt
            return super().transform(images)

    with pytest.raises(KeyboardInterrupt):
        store.build(source, tmp_path / "own", Stopped(space.encoder, space.decoder), encoder_sha256)
    assert "unfinished" in store.describe(tmp_path / "own")["gallery"]
    with pytest.raises(DataError, match="is unfinished: repeat"):
        store.open_gallery(tmp_path / "own", encoder_sha256)
    store.build(source, tmp_path / "own", space, encoder_sha256)
    for name in KEPT:
        assert (tmp_path / "own" / name).read_bytes() == (built / name).read_bytes()


def test_what_a_killed_build_wrote_beyond_its_last_batch_is_written_again(
    built, source, space, encoder_sha256, tmp_path
):
    directory = tmp_path / "own"
    store.build(source, directory, space, encoder_sha256)
    manifest = json.loads((directory / "manifest.json").read_bytes())
    (directory / "manifest.json").unlink()
    progress = {key: manifest[key] for key in store.SAME_BUILD} | {"read": 1000, "kept": 1000}
    (directory / "progress.json").write_text(json.dumps(progress))
    store.build(source, directory, space, encoder_sha256)
    for name in KEPT:
        assert (directory / name).read_bytes() == (built / name).read_bytes()


def test_a_finished_build_is_not_done_again_and_says_so(built, source, encoder_sha256, capsys):
    assert store.build(source, built, None, encoder_sha256)["n"] == N - 1
    assert capsys.readouterr().err == f"{built} holds this gallery already: there was nothing to do.\n"


def test_a_build_of_another_name_or_in_another_way_is_another_than_the_finished_one(built, source, encoder_sha256):
    other = r"holds another gallery: its name is School of 2026, not Another\. Name another folder\."
    with pytest.raises(DataError, match=other):
        store.build(source, built, None, encoder_sha256, name="Another")
    with pytest.raises(DataError, match="another gallery: its --as-is is False, not True"):
        store.build(source, built, None, encoder_sha256, as_is=True)


def test_a_folder_that_holds_something_else_is_left_alone(built, bundled, source, space, encoder_sha256, tmp_path):
    np.save(tmp_path / "few.npy", bundled.images[:10])
    few = open_source(tmp_path / "few.npy")
    with pytest.raises(DataError, match="holds another gallery"):
        store.build(few, built, space, encoder_sha256)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match="is not empty"):
        store.build(few, tmp_path / "own", space, encoder_sha256)
    with pytest.raises(DataError, match="name of something else"):
        store.build(few, tmp_path / "mnist", space, encoder_sha256)


def test_an_unfinished_build_of_another_source_is_reported(bundled, source, space, encoder_sha256, tmp_path):
    np.save(tmp_path / "few.npy", bundled.images[:10])
    with pytest.raises(AttributeError):
        store.build(source, tmp_path / "own", None, encoder_sha256)
    with pytest.raises(DataError, match=r"another unfinished build: its source is .*, not .*few\.npy"):
        store.build(open_source(tmp_path / "few.npy"), tmp_path / "own", space, encoder_sha256)


def test_a_source_with_hardly_a_digit_is_reported(space, encoder_sha256, tmp_path):
    np.save(tmp_path / "blank.npy", np.zeros((3, 28, 28)))
    told = r"holds 0 digits, at least 5 are needed. Left out: 3, the first blank.npy\[0\]: Nothing stands out"
    with pytest.raises(DataError, match=told):
        store.build(open_source(tmp_path / "blank.npy"), tmp_path / "own", space, encoder_sha256)


def test_after_too_few_digits_the_folder_takes_another_build(bundled, space, encoder_sha256, tmp_path):
    np.save(tmp_path / "few.npy", bundled.images[:2])
    with pytest.raises(DataError, match=r"the source holds 2 digits, at least 5 are needed\.$"):
        store.build(open_source(tmp_path / "few.npy"), tmp_path / "own", space, encoder_sha256)
    np.save(tmp_path / "few.npy", bundled.images[:6])
    assert store.build(open_source(tmp_path / "few.npy"), tmp_path / "own", space, encoder_sha256)["n"] == 6


def test_images_as_they_are_are_not_prepared_again(bundled, space, encoder_sha256, tmp_path):
    shifted = np.roll(np.round(bundled.images[:10] * 255).astype(np.uint8), 3, axis=2)
    np.save(tmp_path / "shifted.npy", shifted)
    source = open_source(tmp_path / "shifted.npy")
    store.build(source, tmp_path / "as-is", space, encoder_sha256, as_is=True)
    np.testing.assert_array_equal(np.load(tmp_path / "as-is" / "images.npy"), shifted)
    store.build(source, tmp_path / "prepared", space, encoder_sha256)
    assert np.abs(np.load(tmp_path / "prepared" / "images.npy") - shifted.astype(float)).mean() > 10


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "latents.npy", "typical.npz", "manifest.json"])
@pytest.mark.parametrize("spoil", ["remove", "truncate", "flip"])
def test_a_damaged_gallery_is_reported(name, spoil, bundled, space, encoder_sha256, tmp_path):
    np.save(tmp_path / "few.npy", bundled.images[:10])
    directory = tmp_path / "own"
    store.build(open_source(tmp_path / "few.npy"), directory, space, encoder_sha256)
    path = directory / name
    data = bytearray(path.read_bytes())
    if spoil == "remove":
        path.unlink()
    elif spoil == "truncate":
        path.write_bytes(data[:-2])
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pytest.raises(DataError, match=r"(missing|damaged|holds no gallery).*gallery build"):
        store.open_gallery(directory, encoder_sha256)


def test_latents_of_another_encoder_are_refused(built):
    with pytest.raises(DataError, match="another encoder's"):
        store.open_gallery(built, "0" * 64)


def test_no_pickle_is_loaded(bundled, space, encoder_sha256, tmp_path):
    np.save(tmp_path / "few.npy", bundled.images[:10])
    directory = tmp_path / "own"
    store.build(open_source(tmp_path / "few.npy"), directory, space, encoder_sha256)
    np.save(directory / "latents.npy", np.array([{}] * 10, object), allow_pickle=True)
    manifest = json.loads((directory / "manifest.json").read_bytes())
    manifest["files"]["latents.npy"] = artifacts.sha256_of(directory / "latents.npy")
    artifacts.write_manifest(directory, manifest)
    with pytest.raises(ValueError, match="Python objects in dtype"):
        store.open_gallery(directory, encoder_sha256)


def test_the_engine_searches_a_gallery_of_ones_own(built):
    engine, problem = open_engine(artifacts.DIRECTORY, own=built)
    assert problem is None
    result = engine.search(engine.gallery.images[7], exclude=7)
    # The source repeats the bundled digits, so each has a twin; the one that was left out moved those after it.
    assert [result.neighbors[0].index, result.neighbors[0].distance] == [7 + 1797 - 1, pytest.approx(0, abs=1e-3)]
    assert result.neighbors[0].label == engine.gallery.labels[7]
    assert 0 <= result.error_rank <= 1
    unlabeled = engine.search(engine.gallery.images[3], 1)
    assert (unlabeled.neighbors[0].index, unlabeled.neighbors[0].label) == (3, None)


def test_milvus_without_a_gallery_is_refused():
    with pytest.raises(DataError, match="needs a gallery of your own"):
        open_engine(artifacts.DIRECTORY, milvus="x.db")


def test_a_build_that_is_killed_goes_on_and_ends_as_one_that_is_not(bundled, space, encoder_sha256, tmp_path):
    path = tmp_path / "digits.npy"
    np.save(path, np.resize(bundled.images, (8000, 28, 28)))
    store.build(open_source(path), tmp_path / "whole", space, encoder_sha256, name="x")
    directory = tmp_path / "killed"
    command = [sys.executable, "-m", "autoencoder", "gallery", "build", path, "--out", directory, "--name", "x"]
    building = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while building.poll() is None:
        time.sleep(0.005)
        if (directory / "progress.json").is_file() and _n_read(directory) >= 3000:
            building.kill()
    assert 3000 <= _n_read(directory) < 8000
    store.build(open_source(path), directory, space, encoder_sha256, name="x")
    for name in KEPT:
        assert (directory / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def _n_read(directory):
    return json.loads((directory / "progress.json").read_bytes())["read"]


def test_a_kill_while_the_manifest_is_written_loses_nothing(
    built, source, space, encoder_sha256, tmp_path, monkeypatch
):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            store.build(source, tmp_path / "own", space, encoder_sha256, name="School of 2026")
    (tmp_path / "own" / "manifest.json.new").write_text('{"half')
    assert store.build(source, tmp_path / "own", space, encoder_sha256, name="School of 2026")["n"] == N - 1


def test_a_kill_at_the_very_start_loses_nothing(source, space, encoder_sha256, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "progress.new").write_text('{"half')
    assert store.build(source, tmp_path / "own", space, encoder_sha256)["n"] == N - 1


def test_names_are_such_as_addresses_and_milvus_can_bear(built, encoder_sha256):
    assert store._short("Übung 7/b") == "_bung_7_b"
    assert len(store._short("a" * 100)) == 40
    assert store._short("цифры") != store._short("числа")
    assert store.open_gallery(built, encoder_sha256).collection.startswith("gallery_school_of_2026_")


def test_an_index_that_there_is_not_is_reported(built):
    with pytest.raises(DataError, match="has no digit 2499"):
        store.names_of(built, [0, 2499])


@pytest.mark.parametrize("text", ["{}", "[", "[]", '{"read": 1, "kept": 2}'])
def test_a_damaged_progress_is_reported(text, tmp_path, source, encoder_sha256):
    (tmp_path / "progress.json").write_text(text)
    for ask in (
        lambda: store.describe(tmp_path),
        lambda: store.build(source, tmp_path, None, encoder_sha256, name="x"),
    ):
        with pytest.raises(DataError, match="is damaged"):
            ask()


def test_many_vectors_are_searched_where_they_are(monkeypatch):
    monkeypatch.setattr(search, "LARGEST_IN_MEMORY", 10)
    vectors = np.zeros((11, 2), np.float32)
    assert search.exact_search(vectors).vectors is vectors


def test_of_two_builds_in_one_folder_the_second_is_refused(source, space, encoder_sha256, tmp_path, monkeypatch):
    second = []

    def build_beside(digits):
        if not second:
            second.append(None)
            with pytest.raises(DataError, match="is in use: another build writes to it"):
                store.build(source, tmp_path / "own", space, encoder_sha256)
        return space.transform(digits)

    first = SimpleNamespace(transform=build_beside, inverse_transform=space.inverse_transform)
    assert store.build(source, tmp_path / "own", first, encoder_sha256)["n"] == N - 1
    assert second


def test_a_gallery_that_is_searched_is_not_built_into(source, built, space, encoder_sha256, tmp_path):
    shutil.copytree(built, tmp_path / built.name)
    own = store.open_gallery(tmp_path / built.name, encoder_sha256)
    again = store.open_gallery(tmp_path / built.name, encoder_sha256)
    for file in (tmp_path / built.name).iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"is in use: .* a server searches it"):
        store.build(source, tmp_path / built.name, space, encoder_sha256)
    assert len(own.latents) == len(again.latents) == N - 1
    del own, again
    gc.collect()
    assert store.build(source, tmp_path / built.name, space, encoder_sha256)["n"] == N - 1


def test_a_gallery_that_may_not_be_read_is_reported(built, encoder_sha256, tmp_path, as_nobody):
    shutil.copytree(built, tmp_path / "own")
    (tmp_path / "own").chmod(0)
    with as_nobody(), pytest.raises(DataError, match=r"own cannot be read: give this user the right to"):
        store.open_gallery(tmp_path / "own", encoder_sha256)
