from autoencoder import __main__ as main_module
from autoencoder import ablate, artifacts
from autoencoder.data import Digits


def test_every_ingredient_is_left_out_in_turn(bundled, monkeypatch):
    monkeypatch.setattr(ablate, "HELD_OUT", 100)
    monkeypatch.setattr(ablate, "LEFT_OUT", {"nothing": {}, "agreement": {"agreement_weight": 0.0}})
    few = Digits("few", bundled.images[:400].copy(), bundled.labels[:400].copy(), "")
    rows = list(ablate.ablate(few, {"digits": (few, None)}, epochs=2, seeds=[0]))
    assert [row["left_out"] for row in rows] == ["whitening", *ablate.LEFT_OUT]
    assert set(rows[0]) == {"left_out", "seed", "held_out", "held_out_noisy", "digits", "mse"}
    assert len({row["digits"] for row in rows}) > 1
    assert list(ablate.ablate(few, {}, epochs=2, seeds=[0], done=rows)) == []


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
    monkeypatch.setattr(main_module, "load_mnist", lambda split="test": None)
    row = {"left_out": "nothing", "held_out": 0.9}

    def one_more(*_, seeds, done, **__):
        given.append(done)
        yield row | {"seed": seeds[0]}

    monkeypatch.setattr(ablate, "ablate", one_more)
    for arguments in (["--seeds", "0"], ["--seeds", "1"], ["--seeds", "2", "--epochs", "9"]):
        assert main_module.main(["ablate", *arguments]) == 0
    assert given == [[], [row | {"seed": 0}], []]  # of another length nothing is kept


def test_the_kept_rows_are_such_as_the_command_goes_on_from():
    kept = artifacts.load_metrics()["ablation"]
    assert kept["data"] == ["digits", "drawn"]
    assert set(kept["rows"][0]) == {"left_out", "seed", "held_out", "held_out_noisy", "mse", *kept["data"]}
