from autoencoder import ablate
from autoencoder.data import Digits


def test_every_ingredient_is_left_out_in_turn(bundled, monkeypatch):
    monkeypatch.setattr(ablate, "HELD_OUT", 100)
    monkeypatch.setattr(ablate, "LEFT_OUT", {"nothing": {}, "agreement": {"agreement_weight": 0.0}})
    few = Digits("few", bundled.images[:400].copy(), bundled.labels[:400].copy(), "")
    rows = list(ablate.ablate(few, {"digits": (few, None)}, epochs=2, seeds=[0]))
    assert [row["left_out"] for row in rows] == ["whitening", *ablate.LEFT_OUT]
    assert set(rows[0]) == {"left_out", "seed", "held_out", "digits", "mse"}
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
