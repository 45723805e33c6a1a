import json
import shutil

import numpy as np
import pytest

from autoencoder import artifacts
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


@pytest.mark.parametrize("name", ["one.txt", "mnist_latents.npy", "manifest.json"])
@pytest.mark.parametrize("spoil", ["remove", "empty", "truncate", "flip"])
def test_every_spoilt_file_is_named_with_the_command_that_repairs_it(written, name, spoil):
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
    with pytest.raises(ArtifactError, match="another training run"):
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


def test_the_committed_artifacts_are_whole():
    manifest = artifacts.verify()
    metrics = json.loads((artifacts.DIRECTORY / "metrics.json").read_text())
    assert set(manifest["data"]) == {"mnist", "digits"} <= set(metrics)
