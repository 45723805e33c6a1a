"""What the documents say is so: figures were measured, and files, make targets and commands are there."""

import re
import shlex
from pathlib import Path

import pytest

from autoencoder import __main__ as main_module
from autoencoder import artifacts
from autoencoder.build.ablate import format_rows
from autoencoder.build.evaluate import format_table

ROOT = Path(__file__).parent.parent
README, CONTRIBUTING, CARD = "README.md", "CONTRIBUTING.md", "artifacts/MODEL_CARD.md"
WRITTEN = (
    README,
    CONTRIBUTING,
    "CHANGELOG.md",
    CARD,
    "docs/scaling.md",
    "docs/serving.md",
    *(f"docs/lesson/{path.name}" for path in sorted((ROOT / "docs/lesson").glob("*.md"))),
)  # by hand
FIGURES = {
    README: [("mnist", "mnist_all", "drawn_all")],
    CARD: [
        ("mnist", "mnist_all"),
        ("drawn", "drawn_all"),
        ("mnist_noisy", "mnist_shifted"),
        ("digits",),
        ("knn",),
        ("not_digits",),
    ],
}


def text_of(document):
    return (ROOT / document).read_text("utf-8")


@pytest.mark.parametrize("document", FIGURES)
def test_the_figures_are_those_of_the_metrics(document):
    metrics = artifacts.load_metrics()
    tables = [format_table({data: metrics[data] for data in table}) for table in FIGURES[document]]
    blocks = [block.strip("\n") for block in text_of(document).split("```")[1::2]]
    assert [block for block in blocks if not block.startswith("loss =")] == tables


def test_the_model_card_has_all_that_the_build_measures():
    others = {"ablation", "pca_by_size"}  # a table of its own, and a page
    assert {data for table in FIGURES[CARD] for data in table} == set(artifacts.load_metrics()) - others


def test_the_ablation_is_that_of_the_metrics():
    card = text_of(CARD)
    for length, kept in artifacts.load_metrics()["ablation"].items():
        assert f"--epochs {length.removesuffix(' epochs')} " in card
        assert format_rows(kept["rows"]) in card


def test_the_table_of_what_a_class_teaches_begins_with_what_the_gallery_alone_finds():
    metrics = artifacts.load_metrics()
    rows = dict(re.findall(r"^\| ([^|]+): P@4 \| ([\d.]+) \|", text_of(README), re.MULTILINE))
    alone = {"MNIST's 10,000 test digits": "drawn", "MNIST's 70,000 digits": "drawn_all"}
    assert rows == {title: f"{metrics[data]['latent']['precision_at_4']:.3f}" for title, data in alone.items()}


@pytest.mark.parametrize("document", WRITTEN)
def test_every_linked_file_is_there(document):
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(document)):
        assert ((ROOT / document).parent / link).exists(), link


@pytest.mark.parametrize("document", WRITTEN)
def test_every_file_that_is_named_is_there(document):
    for name in re.findall(r"(?:autoencoder|artifacts|deploy|docs|tests)/[\w./]*|app\.py", code(document)):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("document", WRITTEN)
def test_every_make_target_that_is_named_is_there(document):
    assert set(re.findall(r"\bmake ([a-z]+)", code(document))) <= targets()


def test_contributing_names_every_make_target():
    assert set(re.findall(r"^\| `make ([a-z]+)` \|", text_of(CONTRIBUTING), re.MULTILINE)) == targets()


@pytest.mark.parametrize("document", WRITTEN)
def test_every_command_that_is_named_can_be_called_so(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in re.findall(r"python -m autoencoder (.*)", code(document)):
        arguments = shlex.split(command, comments=True)
        for file in (Path(argument) for argument in arguments if "." in argument):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        try:
            main_module._parser().parse_args(arguments)
        except SystemExit:
            pytest.fail(command)


def targets():
    return set(re.search(r"^\.PHONY: (.*)$", text_of("Makefile"), re.MULTILINE)[1].split())


def code(document):
    """What a document sets as code, a piece a line: the lines that are indented by four, and what is in backticks."""
    text = re.sub(r"```.*?```", "", text_of(document), flags=re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    return "\n".join(re.findall(r"^    (\S.*)$", text, re.MULTILINE) + spans)
