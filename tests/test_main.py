import argparse
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from autoencoder import artifacts
from autoencoder.__main__ import GALLERY_VERBS, VERBS, main
from autoencoder.build import train
from autoencoder.commands import benchmark, evaluate


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
        (["evaluate", "--not-digits", "no-such-file"], "there is no file no-such-file"),
        (["evaluate", "--teach", "no-such-file"], "there is no file no-such-file"),
        (["evaluate", "--teach", __file__], "cannot be read as pen strokes"),
        (["evaluate", "--failures", "no-such-folder/x.png"], "in a folder that is there"),
        (["evaluate", "--failures", "picture.tiff"], "ends in .png"),
        (["train", "--drawn", "no-such-file"], "there is no file no-such-file"),
        (["train", "--out", __file__], "cannot be a folder"),
        (["ablate", "--drawn", "tests"], "there is no file tests"),
        (["gallery", "build", "tests", "--out", "x", "--labels", "no-such-file"], "there is no file no-such-file"),
        (["search", __file__], "not a picture"),
    ],
)
def test_a_failure_is_one_line_and_a_status(arguments, message, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--textbook", "--not-digits", "x", "--decoder-epochs", "12"], "--decoder-epochs, --not-digits"),
        (["evaluate", "--drawn-percent", "35"], "without --drawn FILE or --teach FILE, leave out --drawn-percent"),
        (["evaluate", "--teach", "x", "--drawn", "x", "--keep"], "with --teach FILE, leave out --drawn, --keep"),
        (["evaluate", "--teach", "x", "--gallery", "x"], "GALLERY in the environment), leave out --teach"),
        (["evaluate", "--teach", "x", "--n-queries", "9"], "(--gallery DIR), leave out --n-queries"),
        (["evaluate", "--n-queries", "10000"], "(--gallery DIR), leave out --n-queries"),
        (["evaluate", "--milvus", "x.db"], "(--gallery DIR), leave out --milvus"),
        (["evaluate", "--gallery", "x", "--keep", "--not-digits", "x"], "leave out --keep, --not-digits"),
        (["search", "x", "--milvus", "x.db"], "(--gallery DIR), leave out --milvus"),
        (["search", "x", "--gallery", "x", "--part", "all"], "leave out --part"),
        (["benchmark", "--milvus", "x.db"], "without --large, leave out --milvus"),
        (["gallery", "build", __file__, "--out", "x", "--part", "x"], "with a file that is no .npz, leave out --part"),
    ],
)
def test_what_would_be_ignored_is_refused(arguments, message, capsys):
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)


def test_a_milvus_in_the_environment_is_not_for_mnist(picture, monkeypatch, capsys):
    monkeypatch.setenv("MILVUS", "http://nowhere:19530")
    assert main(["search", str(picture)]) == 0
    assert "Searched:" in capsys.readouterr().out


def test_a_gallery_in_the_environment_is_nothing_to_the_other_verbs(monkeypatch):
    monkeypatch.setenv("GALLERY", "nowhere")
    monkeypatch.setenv("MILVUS", "http://nowhere:19530")
    monkeypatch.setattr(benchmark, "load_gallery", lambda: (None, None))
    monkeypatch.setattr(benchmark.Engine, "load", lambda *_: None)
    monkeypatch.setattr(benchmark.speed, "benchmark", lambda engine: [])
    assert main(["benchmark"]) == 0


def test_missing_artifacts_name_the_command_that_repairs_them(picture, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    assert main(["search", str(picture)]) == 1
    assert "python -m autoencoder train" in capsys.readouterr().err


def test_an_experiment_is_trained_into_a_folder_of_its_own(monkeypatch, tmp_path):
    runs = []
    monkeypatch.setattr(train, "train", lambda **run: runs.append(run) or {})
    monkeypatch.setattr(train, "train_textbook", lambda **run: runs.append(run) or {})
    out = tmp_path / "experiments" / "first"
    assert main(["train", "--out", str(out)]) == 0
    assert main(["train", "--out", str(out), "--textbook"]) == 0
    assert [run["directory"] for run in runs] == [out, out]
    assert out in runs[0]["checkpoints"].parents


def test_an_experiment_s_model_is_searched_with_and_measured(picture, monkeypatch, tmp_path, capsys):
    experiment = tmp_path / "experiment"
    shutil.copytree(artifacts.DIRECTORY, experiment)
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path / "none")
    monkeypatch.setattr(evaluate, "evaluate_all", lambda *_: {"knn": {"accuracy": 0.5}})
    assert main(["search", str(picture), "--artifacts", str(experiment)]) == 0
    assert main(["evaluate", "--artifacts", str(experiment), "--keep"]) == 0
    assert artifacts.load_metrics(experiment)["knn"]["accuracy"] == 0.5
    (experiment / "encoder.keras").unlink()
    capsys.readouterr()
    assert main(["search", str(picture), "--artifacts", str(experiment)]) == 1
    assert f"python -m autoencoder train --out {experiment}" in capsys.readouterr().err


def test_more_neighbors_than_digits_are_refused(picture, capsys):
    assert main(["search", str(picture), "--n-neighbors", "100000"]) == 1
    assert "more than the gallery's" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["search"], ["search", "x.png", "--n-neighbors", "0"]])
def test_a_wrong_call_says_how_to_call(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("call", [*VERBS, *(f"gallery {verb}" for verb in GALLERY_VERBS)])
def test_help_shows_the_defaults_that_there_are(call, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*call.split(), "--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert "None" not in printed
    assert "(default: False)" not in printed
    parser = argparse.ArgumentParser()
    (VERBS | {f"gallery {verb}": module for verb, module in GALLERY_VERBS.items()})[call].add_options(parser)
    for option in parser._actions:
        assert option.help, option.dest
        if option.default and option.default != argparse.SUPPRESS:
            assert "(default: " in option.help, option.dest


def test_evaluate_prints_every_space_on_the_data_that_is_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MNIST_NPZ", str(tmp_path / "none"))
    assert main(["evaluate", "--json"]) == 0
    printed = capsys.readouterr()
    results = json.loads(printed.out)
    assert set(results) == {"digits", "digits_noisy", "digits_shifted"}
    assert set(results["digits"]) >= {"pixels", "pca", "latent"}
    assert {"precision_at_4", "at_least_3_of_4", "all_4", "mse"} <= set(results["digits"]["latent"])
    assert "without MNIST" in printed.err


def test_training_by_default_is_that_of_the_artifacts(monkeypatch, tmp_path):
    runs = []
    monkeypatch.setattr(train, "train", lambda **run: runs.append(run) or {})
    main(["train", "--out", str(tmp_path)])
    manifest = artifacts.verify()
    asked = "epochs", "decoder_epochs", "seed"
    assert {name: runs[0][name] for name in asked} == {name: manifest[name] for name in asked}
