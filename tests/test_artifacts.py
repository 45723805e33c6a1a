import errno
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from autoencoder import artifacts
from autoencoder.__main__ import main
from autoencoder.artifacts import ArtifactError


@pytest.fixture
def written(tmp_path):
    """A folder with two artifacts and their manifest."""
    with artifacts.replacing(tmp_path, seed=7, data={"mnist": "abc"}) as folder:
        (folder / "one.txt").write_text("one")
        np.save(artifacts.latents_path("mnist", folder), np.eye(3, dtype=np.float32))
    return tmp_path


def test_what_was_written_is_verified(written):
    manifest = artifacts.verify(written)
    assert manifest["seed"] == 7
    assert manifest["data"] == {"mnist": "abc"}
    assert set(manifest["files"]) == {"one.txt", "mnist_latents.npy"}
    assert {"python", "tensorflow", "keras", "numpy"} <= set(manifest["versions"])


def test_loaded_latents_cannot_be_changed(written):
    latents = artifacts.load_latents("mnist", written)
    with pytest.raises(ValueError, match="read-only"):
        latents[0, 0] = 2


def test_files_that_are_not_written_again_stay_listed(written):
    with artifacts.replacing(written) as folder:
        (folder / "one.txt").write_text("another")
    assert set(artifacts.verify(written)["files"]) == {"one.txt", "mnist_latents.npy"}
    assert (written / "one.txt").read_text() == "another"


@pytest.mark.parametrize("name", ["one.txt", "mnist_latents.npy", "manifest.json"])
def test_a_new_build_repairs_what_was_damaged(written, name):
    (written / name).unlink()
    with artifacts.replacing(written) as folder:
        (folder / "one.txt").write_text("new")
    assert artifacts.verify(written, required=["one.txt"])
    (written / name).write_text("damaged")
    with artifacts.replacing(written) as folder:
        (folder / "one.txt").write_text("new")
        (folder / "mnist_latents.npy").write_text("new")
    assert artifacts.verify(written, required=["one.txt", "mnist_latents.npy"])


def test_a_build_that_fails_leaves_what_was_there(written):
    before = {path.name: path.read_bytes() for path in written.iterdir()}

    def failing_build():
        with artifacts.replacing(written) as folder:
            (folder / "one.txt").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing_build()
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


# The renamings: one of the manifest, one of the folder, three of files; the last is one that never comes.
@pytest.mark.parametrize("moment", range(6))
def test_a_build_that_is_killed_leaves_the_old_artifacts_or_the_new(written, monkeypatch, moment):
    rename, done = os.replace, []

    def rename_until_killed(*names):
        if len(done) == moment:
            raise KeyboardInterrupt  # no code of the block runs after it, as in a process that is killed
        done.append(names)
        rename(*names)

    monkeypatch.setattr(os, "replace", rename_until_killed)
    with suppress(KeyboardInterrupt), artifacts.replacing(written, seed=8) as folder:
        (folder / "one.txt").write_text("new")
        (folder / "two.txt").write_text("new, too")
    monkeypatch.undo()
    manifest = artifacts.verify(written)
    texts = [path.read_text() for path in sorted(written.glob("*.txt"))]
    assert (manifest["seed"], texts) == ((7, ["one"]) if moment <= 1 else (8, ["new", "new, too"]))
    assert not (written / artifacts.READY).exists()


@pytest.mark.parametrize("refusal", [OSError(errno.ENOSPC, "No space left on device"), PermissionError("read-only")])
@pytest.mark.parametrize("step", ["write_text", "mkdir"])
def test_a_build_that_finds_no_room_leaves_what_was_there(written, monkeypatch, refusal, step):
    def refuse(*_, **__):
        raise refusal

    before = {path.name: path.read_bytes() for path in written.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(Path, step, refuse)
        with pytest.raises(type(refusal)), artifacts.replacing(written) as folder:
            (folder / "one.txt").write_bytes(b"new")
    assert {path.name: path.read_bytes() for path in written.iterdir()} == before


@pytest.mark.parametrize("name", ["one.txt", "mnist_latents.npy", "manifest.json"])
@pytest.mark.parametrize("spoil", ["remove", "empty", "truncate", "flip"])
def test_every_spoiled_file_is_named_with_the_command_that_repairs_it(written, name, spoil):
    path = written / name
    content = path.read_bytes()
    if spoil == "remove":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "truncate": content[:-2], "flip": bytes([content[0] ^ 1]) + content[1:]}[spoil])
    with pytest.raises(ArtifactError, match="python -m autoencoder train") as error:
        artifacts.verify(written)
    assert name in str(error.value)


def test_a_file_of_another_model_is_refused(written, tmp_path):
    with artifacts.replacing(tmp_path / "other") as folder:
        (folder / "one.txt").write_text("two")
    shutil.copy(tmp_path / "other" / "one.txt", written / "one.txt")
    with pytest.raises(ArtifactError, match="of another run"):
        artifacts.verify(written)


def test_a_manifest_without_a_required_file_is_refused(written):
    assert artifacts.verify(written, required=["one.txt"])
    with pytest.raises(ArtifactError, match="damaged"):
        artifacts.verify(written, required=["two.txt"])


@pytest.mark.parametrize(
    "content", ["[]", '{"files": 3}', '{"files": {}}', '{"files": {"../one.txt": 1}, "data": {}}', "null"]
)
def test_a_manifest_that_says_something_else_is_refused(written, content):
    (written / "manifest.json").write_text(content)
    with pytest.raises(ArtifactError, match="damaged"):
        artifacts.verify(written)


SPOILED = {
    "removed": lambda content: None,
    "emptied": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[:100] + bytes([content[100] ^ 1]) + content[101:],
    "another file": lambda content: artifacts.load_latents("digits").tobytes() + content[:1],
}


@pytest.mark.parametrize("spoiled", SPOILED)
@pytest.mark.parametrize("name", sorted([*artifacts.verify()["files"], artifacts.MANIFEST]))
def test_no_answer_is_given_with_a_spoiled_artifact(tmp_path, monkeypatch, capsys, name, spoiled):
    directory = tmp_path / "artifacts"
    shutil.copytree(artifacts.DIRECTORY, directory)
    monkeypatch.setattr(artifacts, "DIRECTORY", directory)
    content = SPOILED[spoiled]((directory / name).read_bytes())
    (directory / name).unlink() if content is None else (directory / name).write_bytes(content)
    picture = tmp_path / "digit.png"
    Image.new("L", (28, 28), 255).save(picture)
    assert main(["search", str(picture)]) == 1
    error = capsys.readouterr().err
    assert name in error
    assert "git checkout artifacts" in error
    assert len(error.splitlines()) == 1
    page = AppTest.from_function(_search_page, default_timeout=30).run()
    assert not page.exception
    assert [name in error.value and "git checkout artifacts" in error.value for error in page.error] == [True]


def _search_page():
    from autoencoder.ui import canvas, loading
    from autoencoder.ui.pages.search import search_page

    loading.load_engine.clear()
    canvas.draw_canvas = lambda visit: None
    search_page()


def test_the_committed_artifacts_are_whole():
    manifest = artifacts.verify()
    metrics = json.loads((artifacts.DIRECTORY / "metrics.json").read_text())
    assert set(manifest["data"]) == {"mnist", "digits"} <= set(metrics)


@pytest.mark.parametrize("unreadable", ["manifest.json", "mnist_latents.npy", "."])
def test_what_may_not_be_read_is_reported(written, as_nobody, unreadable):
    (written / unreadable).chmod(0)
    with as_nobody(), pytest.raises(ArtifactError, match=r"cannot be read: give this user the right to"):
        artifacts.verify(written)
