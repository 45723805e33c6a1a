"""What the verbs' arguments have in common: their types, the model that they name, and the refusal of those ignored."""

import argparse
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoencoder import artifacts

WITH_OWN_GALLERY = "with a gallery of your own (--gallery, or GALLERY in the environment)"
WITHOUT_OWN_GALLERY = "without a gallery of your own (--gallery DIR)"


class UsageError(Exception):
    """Options do not go together, or not with the data; the message says what to do."""


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers from `least` on, or to `most`."""
    wanted = f"from {least} to {most}" if most else f"from {least} on"

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most and int(text) > most):
            raise argparse.ArgumentTypeError(f"expected a whole number {wanted}, received {text}")
        return int(text)

    return parse


def add_artifacts_option(parser: ArgumentParser) -> None:
    """Let a command line name the folder of another model, as --artifacts."""
    parser.add_argument(
        "--artifacts",
        type=Path,
        default=artifacts.DIRECTORY,
        metavar="DIR",
        help="the model to use, in the folder that `train --out` has written (default: %(default)s)",
    )


def verify_artifacts(directory: Path) -> dict[str, Any]:
    """The manifest of a model's folder, verified.

    Raises:
        ArtifactError: as `artifacts.verify` does. A model that is not the committed one is repaired by training anew.
    """
    required = *artifacts.NETWORKS, artifacts.PCA
    if directory.resolve() == artifacts.DIRECTORY.resolve():
        return artifacts.verify(directory, required=required)
    repair = f"build it with `python -m autoencoder train --out {directory}`"
    return artifacts.verify(directory, required=required, repair=repair)


def require_files(*paths: Path | None) -> None:
    """Refuse files to read that are not there, before anything takes long; None is an option that is not given.

    Raises:
        UsageError: one of them is not there.
    """
    for path in filter(None, paths):
        if not path.exists() or path.is_dir():
            raise UsageError(f"there is no file {path}: correct its name.")


def make_folder(path: Path) -> None:
    """Make a folder to write to, unless it is there.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {path} cannot be a folder ({error.strerror}): name another.") from None


def refuse_ignored(options: Namespace, when: str, *names: str) -> None:
    """Refuse options that would be ignored.

    Args:
        options: those of the command line.
        when: the case in which they would be, as the beginning of a sentence: "with --textbook".
        names: of the options, as attributes have them.

    Raises:
        UsageError: some of them are given.
    """
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]
    if given:
        raise UsageError(f"{when}, leave out {', '.join(given)}.")


def refuse_milvus_alone(options: Namespace) -> None:
    """Refuse --milvus where no gallery is named; MILVUS may be in the environment for other commands and is ignored.

    Raises:
        UsageError: it is given.
    """
    if options.milvus != os.environ.get("MILVUS"):
        refuse_ignored(options, WITHOUT_OWN_GALLERY, "milvus")


def note_without_mnist(problem: str | None) -> None:
    """Say why MNIST is not searched, if there is a reason; results have standard output for themselves."""
    if problem:
        print(f"note: without MNIST. {problem}", file=sys.stderr)
