import doctest

import numpy as np
import pytest
from pages import lesson

from autoencoder import artifacts
from autoencoder.__main__ import main
from autoencoder.artifacts import ArtifactError
from autoencoder.build import history as build
from autoencoder.build.train import fit_content_and_pose
from autoencoder.commands import history as command
from autoencoder.data import Digits
from autoencoder.history import History
from autoencoder.spaces import Latent
from autoencoder.ui.pages.about import _sheet, _whose_training


def some(digits, start, end):
    return Digits("some", digits.images[start:end].copy(), digits.labels[start:end].copy(), "")


@pytest.fixture(scope="module")
def training(bundled):
    return some(bundled, 0, 512)  # 4 steps an epoch


@pytest.fixture(scope="module")
def test_digits(bundled):
    return some(bundled, 512, 712)


@pytest.fixture(scope="module")
def recorded(training, test_digits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "N_PLACED", 60)
        return build.record_history(training, test_digits, epochs=3, seed=0)


def test_the_moments_are_dense_where_most_is_learned():
    assert build.moments(3) == [0, 0.1, 0.3, 1, 2, 3]
    assert build.moments(12) == [0, 0.1, 0.3, 1, 2, 3, 4, 7, 12]
    assert doctest.testmod(build).failed == 0


def test_the_first_two_of_each_kind_are_redrawn_in_the_order_of_the_kinds():
    labels = np.array([*range(9, -1, -1), *range(10), *range(10)], np.uint8)
    assert build.first_of_each(labels).tolist()[:6] == [9, 10, 8, 11, 7, 12]
    assert len(build.first_of_each(labels)) == 20


def test_a_history_measures_before_on_the_way_and_at_the_end(recorded, test_digits):
    assert recorded.epochs.tolist() == [0, 0.25, 1, 2, 3]  # a tenth of 4 steps is none
    assert (recorded.n_training, recorded.n_searched, recorded.seed) == (512, 200, 0)
    assert recorded.redrawn.shape == (5, 20, 28, 28)
    assert recorded.positions.shape == (5, 60, 2)
    assert recorded.labels.shape == (60,)
    shown = build.first_of_each(test_digits.labels)
    np.testing.assert_array_equal(recorded.digits, np.round(255 * test_digits.images[shown]))
    assert recorded.mse[-1] < recorded.mse[0]
    assert ((recorded.precision_at_4 > 0.1) & (recorded.precision_at_4 <= 1)).all()


def test_the_last_moment_is_that_of_a_training_that_nobody_watched(recorded, training, test_digits):
    model = fit_content_and_pose(training.images, epochs=3, seed=0)
    space = Latent(model.encoder, model.decoder)
    redrawn = space.inverse_transform(space.transform(test_digits.images))
    assert np.square(redrawn - test_digits.images).mean() == pytest.approx(recorded.mse[-1], rel=0.02)
    shown = build.first_of_each(test_digits.labels)
    np.testing.assert_allclose(recorded.redrawn[-1] / 255, redrawn[shown], atol=0.05)


def test_a_digit_stays_where_it_was_though_its_numbers_change():
    rng = np.random.default_rng(0)
    kinds, noise = np.arange(120) % 4, rng.normal(size=(120, 32))
    sizes = np.array([[40, 44, 48, 52], [52, 48, 44, 40], [44, 52, 40, 48]])  # the principal components change places
    latents = [(noise + (size[:, None] * np.eye(4, 32))[kinds]).astype(np.float32) for size in sizes]
    maps = build.place_one_after_another(latents, seed=0)
    assert maps.shape == (3, 120, 2)
    assert maps.min() >= 0
    assert maps.max() <= 1
    assert max(maps.max(), 1 - maps.min()) == pytest.approx(1)
    middles = np.stack([[of_moment[kinds == kind].mean(axis=0) for kind in range(4)] for of_moment in maps])
    assert np.linalg.norm(np.diff(middles, axis=0), axis=2).mean() < 0.3  # 0.66 if each map started anew


def test_a_history_comes_back_as_it_was_saved(recorded, tmp_path):
    recorded.save(tmp_path / "history.npz")
    loaded = History.load(tmp_path / "history.npz")
    for name in ("epochs", "precision_at_4", "mse", "digits", "redrawn", "labels"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(recorded, name))
        assert not getattr(loaded, name).flags.writeable
    np.testing.assert_allclose(loaded.positions, recorded.positions, atol=5e-4)
    assert (loaded.n_training, loaded.n_searched, loaded.seed) == (512, 200, 0)


def test_the_command_adds_a_history_and_changes_nothing_else(recorded, tmp_path, monkeypatch, capsys):
    with artifacts.replacing(tmp_path, seed=7) as folder:
        (folder / "one.txt").write_text("one")
    before = artifacts.verify(tmp_path)["files"]
    asked = []
    monkeypatch.setattr(command, "load_mnist", lambda *split: split)
    monkeypatch.setattr(build, "record_history", lambda *digits, **options: asked.append((digits, options)) or recorded)
    assert main(["history", "--out", str(tmp_path), "--epochs", "3", "--seed", "5"]) == 0
    assert asked == [((("train",), ()), {"epochs": 3, "seed": 5})]
    manifest = artifacts.verify(tmp_path, required=[artifacts.HISTORY])
    assert manifest["seed"] == 7
    assert {name: manifest["files"][name] for name in before} == before
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 5
    assert lines[-1].split() == ["3", f"{recorded.precision_at_4[-1]:.4f}", f"{recorded.mse[-1]:.4f}"]


@pytest.fixture
def kept(recorded, tmp_path, monkeypatch):
    """A folder of artifacts with the history, which is that of the pages."""
    with artifacts.replacing(tmp_path, epochs=60) as folder:
        recorded.save(folder / artifacts.HISTORY)
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    return tmp_path


@pytest.mark.parametrize("number", [0, 2, 4])
def test_the_page_shows_a_moment_s_own_figures(kept, recorded, number):
    app = lesson("about")
    app.select_slider(key="epoch").set_value(number).run()
    assert not app.exception
    shown = [metric.value for metric in app.metric]
    assert shown == [f"{recorded.precision_at_4[number]:.1%}", f"{recorded.mse[number]:.4f}"]
    said = " ".join(element.value for element in (*app.markdown, *app.caption))
    assert "3 passes over 512 training digits" in said
    assert "200 test digits" in said
    assert ("Even untrained" in said) == (number == 0)


def test_the_page_says_that_it_is_another_training(recorded):
    assert "learned in 60 passes" in _whose_training(recorded, 60)
    assert "a shorter training by the same recipe" in _whose_training(recorded, 60)
    assert "another training by the same recipe" in _whose_training(recorded, 3)
    assert "not the training of the app's network" in _whose_training(recorded, None)


def test_each_digit_is_above_what_it_is_redrawn_as():
    digits = np.full((20, 28, 28), 255, np.uint8) - np.arange(20, dtype=np.uint8)[:, None, None]
    redrawn = 100 + np.arange(20, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    tiles = _sheet(digits, redrawn)[14 * 4 :: 28 * 4, 14 * 4 :: 28 * 4]
    assert tiles.tolist() == [
        [0, 2, 4, 6, 8, 10, 12, 14, 16, 18],
        [100, 102, 104, 106, 108, 110, 112, 114, 116, 118],
        [1, 3, 5, 7, 9, 11, 13, 15, 17, 19],
        [101, 103, 105, 107, 109, 111, 113, 115, 117, 119],
    ]


def test_a_damaged_history_is_named_with_the_command_that_makes_it(kept):
    path = kept / artifacts.HISTORY
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match=r"history\.npz is damaged.*`python -m autoencoder history`"):
        artifacts.verify(kept)
    app = lesson("about")
    assert [("git checkout artifacts" in error.value, "history.npz" in error.value) for error in app.error] == [
        (True, True)
    ]


def test_a_missing_history_is_said_and_the_rest_of_the_page_is_there(kept):
    (kept / artifacts.HISTORY).unlink()
    app = lesson("about")
    assert "python -m autoencoder history" in app.info[0].value
    assert not app.error
    assert [heading.value for heading in app.subheader] == ["See it learn", "Data and licenses"]


def test_the_history_that_ships_is_of_mnist_and_gets_better():
    history = History.load(artifacts.DIRECTORY / artifacts.HISTORY)
    assert (history.n_training, history.n_searched) == (60_000, 10_000)
    assert 6 <= len(history.epochs) <= 10
    assert history.epochs[0] == 0
    assert history.precision_at_4[-1] == history.precision_at_4.max() > 0.97
    assert history.mse[-1] == history.mse.min()
    assert (artifacts.DIRECTORY / artifacts.HISTORY).stat().st_size < 300_000
