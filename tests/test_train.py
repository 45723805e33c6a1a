from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from autoencoder import artifacts, data
from autoencoder.build import evaluate, train
from autoencoder.data import Digits, StoredImages
from autoencoder.query.engine import Engine


def some(digits, n, name):
    return Digits(name, digits.images[:n].copy(), digits.labels[:n].copy(), f"{name} {n}")


@pytest.fixture
def few_digits(monkeypatch, bundled):
    """The bundled digits in the place of MNIST's, few of them."""
    for module in (data, evaluate):
        monkeypatch.setattr(module, "N_TEST", 100)
    whole = some(bundled, 612, "mnist")
    whole = replace(whole, images=StoredImages(np.round(255 * whole.images).astype(np.uint8)))
    galleries = {"train": some(bundled, 512, "mnist"), "all": whole}
    monkeypatch.setattr(train, "load_mnist", galleries.__getitem__)
    monkeypatch.setattr(train, "load_bundled", lambda: some(bundled, 50, "digits"))
    return whole


def test_training_leaves_artifacts_that_search_in_a_new_folder(few_digits, tmp_path, capfd):
    new = tmp_path / "a" / "new one"
    metrics = train.train(epochs=3, decoder_epochs=1, seed=0, directory=new, checkpoints=tmp_path / "checkpoints")
    out, progress = capfd.readouterr()
    assert "loss" in progress
    assert "loss" not in out
    kept = artifacts.load_metrics(new)
    assert kept.pop("pca_by_size")["32"]["mse"] < 0.05
    assert kept == metrics
    assert set(metrics) == {"mnist", "digits", "mnist_noisy", "mnist_shifted", "mnist_all", "knn"}
    assert set(metrics["mnist"]) == {"pixels", "pca", "latent"}
    engine = Engine.load(few_digits, new)
    for searched, n in ((engine, 612), (engine.unseen, 100)):
        found = [neighbor.index for neighbor in searched.search(few_digits.images[3], n - 1, exclude=3).neighbors]
        assert sorted([*found, 3]) == list(range(n))


def test_encoding_anew_gives_the_same_latents(few_digits, tmp_path):
    train.train(epochs=3, decoder_epochs=1, seed=0, directory=tmp_path, checkpoints=tmp_path / "checkpoints")
    before = artifacts.load_latents("mnist", tmp_path)
    assert before.shape == (612, 32)
    manifest = artifacts.verify(tmp_path)
    artifacts.latents_path("mnist", tmp_path).write_bytes(b"damaged")
    with pytest.raises(artifacts.ArtifactError):
        train.encode(directory=tmp_path)
    artifacts.save_latents(before, "mnist", tmp_path)
    train.encode(directory=tmp_path)
    np.testing.assert_allclose(artifacts.load_latents("mnist", tmp_path), before, atol=1e-5)
    assert artifacts.verify(tmp_path)["seed"] == manifest["seed"]


def test_the_same_seed_trains_the_same_model(few_digits, tmp_path):
    images = np.tile(few_digits.images[:100], (2, 1, 1))
    first, second, other = (
        train.fit(images, epochs=3, decoder_epochs=1, seed=seed, checkpoints=tmp_path / run).transform(images[:4])
        for run, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-3)
    assert np.abs(first - other).max() > 0.1


def test_stopped_before_a_part_s_first_epoch_is_done_that_part_is_trained_all_the_same(
    few_digits, tmp_path, monkeypatch, capfd
):
    class StopsAtOnce(keras.callbacks.BackupAndRestore):
        def on_epoch_begin(self, epoch, logs=None):
            if "second third" in str(self._training_metadata_path):
                raise KeyboardInterrupt

    options = {"epochs": 6, "seed": 0, "checkpoints": tmp_path}
    with monkeypatch.context() as stopping:
        stopping.setattr(keras.callbacks, "BackupAndRestore", StopsAtOnce)
        with pytest.raises(KeyboardInterrupt):
            train.fit_content_and_pose(few_digits.images[:], **options)
    capfd.readouterr()
    train.fit_content_and_pose(few_digits.images[:], **options)
    second = capfd.readouterr().err.split("Training: ")[2]
    assert "Epoch 1/2" in second
    assert "Epoch 2/2" in second


@pytest.mark.parametrize("stage", ["encoder, first third", "encoder, last third", "decoder"])
def test_training_stopped_and_called_again_goes_on_where_it_was(few_digits, tmp_path, monkeypatch, capfd, stage):
    options = {"epochs": 9, "decoder_epochs": 3, "seed": 0, "directory": tmp_path, "checkpoints": tmp_path / "kept"}

    class StopsAfterTwo(keras.callbacks.BackupAndRestore):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            if epoch == 1 and Path(self._training_metadata_path).parent.name == stage:
                raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(keras.callbacks, "BackupAndRestore", StopsAfterTwo)
        with pytest.raises(KeyboardInterrupt):
            train.train(**options)
    assert not (tmp_path / "manifest.json").exists()
    capfd.readouterr()

    train.train(**options)
    progress = dict(part.split("\n", 1) for part in capfd.readouterr().err.split("Training: ")[1:])
    assert "Epoch 3/3" in progress[stage]
    assert "Epoch 1/3" not in progress[stage]
    assert artifacts.verify(tmp_path)
    assert not list((tmp_path / "kept").iterdir())


def test_the_textbook_s_autoencoder_adds_its_figures_and_changes_nothing_else(few_digits, tmp_path):
    train.train(epochs=3, decoder_epochs=1, seed=0, directory=tmp_path, checkpoints=tmp_path / "checkpoints")
    before = artifacts.verify(tmp_path)["files"]
    train.train_textbook(epochs=1, seed=0, directory=tmp_path)
    after = artifacts.verify(tmp_path)["files"]
    assert {name for name in after if after[name] != before[name]} == {"metrics.json"}
    assert set(artifacts.load_metrics(tmp_path)["digits"]) == {"pixels", "pca", "latent", "textbook"}


def test_the_textbook_s_figures_can_be_the_first_of_a_new_folder(few_digits, tmp_path):
    measured = train.train_textbook(epochs=1, seed=0, directory=tmp_path / "new")
    assert set(measured["digits"]) == {"textbook"}
    assert artifacts.load_metrics(tmp_path / "new") == measured
    assert set(artifacts.verify(tmp_path / "new")["files"]) == {"metrics.json"}
