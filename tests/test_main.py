import json

import numpy as np
import pytest
from PIL import Image

from autoencoder import __main__ as main_module
from autoencoder import artifacts
from autoencoder.__main__ import main


@pytest.fixture
def picture(tmp_path, gallery):
    path = tmp_path / "digit.png"
    Image.fromarray(np.round(255 - gallery.images[0] * 255).astype(np.uint8)).save(path)
    return path


def test_search_prints_json(picture, gallery, capsys):
    assert main(["search", str(picture), "--n-neighbors", "3", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"neighbors", "reconstruction_mse", "searched", "verdict", "unlike"}
    assert (answer["searched"], answer["unlike"]) == (gallery.title, False)
    assert [found["rank"] for found in answer["neighbors"]] == [1, 2, 3]
    assert set(answer["neighbors"][0]) == {"rank", "index", "label", "distance"}
    assert answer["neighbors"][0]["index"] == 0
    assert answer["neighbors"][0]["label"] == gallery.labels[0]
    assert 0 < answer["reconstruction_mse"] < 0.1


def test_search_prints_a_table(picture, gallery, capsys):
    assert main(["search", str(picture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["rank", "label", "distance", "index"]
    rank, label, distance, index = lines[1].split()
    assert (rank, label, index) == ("1", str(gallery.labels[0]), "0")
    assert float(distance) < 0.01  # the picture's own latent is kept in 16 bits
    assert lines[-1] == f"Searched: {gallery.title}. All 4 look-alikes are {label}s."
    assert len(lines) == 7


@pytest.mark.mnist
def test_search_can_keep_to_the_test_digits(picture, capsys):
    found = {}
    for part in ("all", "test"):
        assert main(["search", str(picture), "--n-neighbors", "20", "--json", "--part", part]) == 0
        found[part] = [neighbor["index"] for neighbor in json.loads(capsys.readouterr().out)["neighbors"]]
    assert max(found["test"]) < 10_000 <= max(found["all"])
    assert [index for index in found["all"] if index < 10_000] == found["test"][: sum(i < 10_000 for i in found["all"])]


def test_a_part_of_what_has_none_is_refused(picture, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("MNIST_NPZ", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["search", str(picture), "--part", "test"]) == 1
    assert "--part test is of MNIST" in capsys.readouterr().err


def test_without_mnist_the_bundled_digits_are_searched_and_it_is_said(picture, monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("MNIST_NPZ", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["search", str(picture)]) == 0
    assert "without MNIST" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "no-such-file.png"], "no-such-file.png"),
        (["search", __file__], "not a picture"),
    ],
)
def test_a_failure_is_one_line_and_a_status(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1


def test_missing_artifacts_name_the_command_that_repairs_them(picture, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    assert main(["search", str(picture)]) == 1
    assert "python -m autoencoder train" in capsys.readouterr().err


def test_more_neighbors_than_digits_are_refused(picture, capsys):
    assert main(["search", str(picture), "--n-neighbors", "100000"]) == 1
    assert "more than the gallery's" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["search"], ["search", "x.png", "--n-neighbors", "0"]])
def test_a_wrong_call_says_how_to_call(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_shows_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["search", "--help"])
    assert "(default: 4)" in capsys.readouterr().out


def test_evaluate_prints_every_space_on_the_data_that_is_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "none"))
    assert main(["evaluate", "--json"]) == 0
    printed = capsys.readouterr()
    results = json.loads(printed.out)
    assert set(results) == {"digits", "digits_noisy", "digits_shifted"}
    assert set(results["digits"]) >= {"pixels", "pca", "latent"}
    assert {"precision_at_4", "at_least_3_of_4", "all_4", "mse"} <= set(results["digits"]["latent"])
    assert "without MNIST" in printed.err


def test_training_by_default_is_that_of_the_artifacts():
    options = main_module._parser().parse_args(["train"])
    manifest = artifacts.verify()
    assert {name: manifest[name] for name in ("epochs", "decoder_epochs", "seed")} == {
        "epochs": options.epochs,
        "decoder_epochs": options.decoder_epochs,
        "seed": options.seed,
    }
