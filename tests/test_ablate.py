import pytest

from autoencoder import artifacts
from autoencoder.__main__ import main
from autoencoder.build import ablate
from autoencoder.commands import ablate as command
from autoencoder.data import Digits


def test_every_ingredient_is_left_out_in_turn(bundled, monkeypatch):
    monkeypatch.setattr(ablate, "HELD_OUT", 100)
    few = Digits("few", bundled.images[:400].copy(), bundled.labels[:400].copy(), "")
    some = {"epochs": 3, "seeds": [0, 1], "left_out": ["nothing", "agreement"]}
    rows = list(ablate.ablate(few, {"digits": (few, None)}, **some))
    assert [(row["left_out"], row["seed"]) for row in rows] == [
        (left_out, seed) for seed in (0, 1) for left_out in ("whitening", "look map", "nothing", "agreement")
    ]
    assert set(rows[0]) == {"left_out", "seed", "held_out", "held_out_noisy", "digits", "look", "mse"}
    assert len({row["digits"] for row in rows}) > 1
    assert len({row["look"] for row in rows}) == 8
    assert list(ablate.ablate(few, {}, done=rows, **some)) == []
    some["left_out"] = ["nothing"]  # a row that earlier runs did not have is made up for
    (missing,) = ablate.ablate(few, {}, done=[row for row in rows if row != rows[1]], **some)
    assert missing["left_out"] == "look map"


def test_the_table_has_mean_and_deviation_over_the_seeds():
    rows = [
        {"left_out": "nothing", "seed": seed, "held_out": precision, "mse": 0.01}
        for seed, precision in enumerate([0.9, 0.8])
    ]
    assert ablate.format_rows(rows).splitlines()[2] == "| nothing | 0.8500 ± 0.0500 | 0.0100 ± 0.0000 |"


def test_one_run_has_no_deviation():
    rows = [{"left_out": "nothing", "seed": 0, "held_out": 0.9}]
    assert ablate.format_rows(rows).splitlines()[2] == "| nothing | 0.9000 |"


def test_the_command_goes_on_from_the_rows_that_are_kept(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(artifacts, "DIRECTORY", tmp_path)
    monkeypatch.setattr(command, "load_mnist", lambda split="test": None)
    row = {"left_out": "nothing", "held_out": 0.9}

    def one_more(*_, seeds, done, **__):
        given.append(done)
        yield row | {"seed": seeds[0]}

    monkeypatch.setattr(ablate, "ablate", one_more)
    for arguments in (["--seeds", "0"], ["--seeds", "1"], ["--seeds", "2", "--epochs", "9"]):
        assert main(["ablate", *arguments]) == 0
    assert given == [[], [row | {"seed": 0}], []]  # rows of another length are others
    assert {length: len(kept["rows"]) for length, kept in artifacts.load_metrics(tmp_path)["ablation"].items()} == {
        "3 epochs": 2,
        "9 epochs": 1,
    }


def test_an_ingredient_that_there_is_not_cannot_be_left_out(capsys):
    with pytest.raises(SystemExit):
        main(["ablate", "--left-out", "salt"])
    assert "--left-out: expected some of 'nothing', 'noise'" in capsys.readouterr().err


def test_the_kept_rows_are_such_as_the_command_goes_on_from():
    for kept in artifacts.load_metrics()["ablation"].values():
        assert kept["data"] == ["digits", "drawn"]
        assert set(kept["rows"][0]) == {"left_out", "seed", "held_out", "held_out_noisy", "look", "mse", *kept["data"]}
