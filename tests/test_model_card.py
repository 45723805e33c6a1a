"""What README and model card say is what was measured."""

import re
from pathlib import Path

import pytest

from autoencoder import artifacts
from autoencoder.build.ablate import format_rows
from autoencoder.build.evaluate import format_table

ROOT = Path(__file__).parent.parent
TABLE = (
    "mnist", "mnist_all", "mnist_noisy", "mnist_shifted", "drawn", "drawn_all", "digits", "knn", "not_digits"
)  # fmt: skip


@pytest.mark.parametrize("path", ["README.md", "artifacts/MODEL_CARD.md"])
def test_the_results_are_those_of_the_metrics(path):
    metrics = artifacts.load_metrics()
    results = {data: metrics[data] for data in TABLE}
    assert format_table(results) in (ROOT / path).read_text("utf-8")


def test_the_ablation_is_that_of_the_metrics():
    card = (ROOT / "artifacts" / "MODEL_CARD.md").read_text("utf-8")
    for length, kept in artifacts.load_metrics()["ablation"].items():
        assert f"--epochs {length.removesuffix(' epochs')} " in card
        assert format_rows(kept["rows"]) in card


@pytest.mark.parametrize("path", ["README.md", "artifacts/MODEL_CARD.md"])
def test_every_linked_file_is_there(path):
    document = ROOT / path
    for link in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        assert (document.parent / link).exists(), link
