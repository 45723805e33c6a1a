"""Train with each ingredient left out, and keep what that costs. Goes on from the runs that are kept."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from autoencoder import artifacts
from autoencoder.commands.arguments import make_folder, require_files, whole_number
from autoencoder.data import Digits, load_bundled, load_drawn, load_mnist


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=artifacts.DIRECTORY,
        metavar="DIR",
        help="the folder whose metrics the figures are added to (default: %(default)s)",
    )
    parser.add_argument(
        "--epochs", type=whole_number(3), default=3, help="passes over the training images (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds",
        type=whole_number(0),
        nargs="+",
        default=[0, 1, 2],
        metavar="SEED",
        help="train once with each of these seeds (default: 0 1 2)",
    )
    parser.add_argument(
        "--left-out",
        type=_ingredient,
        nargs="+",
        metavar="NAME",
        help='leave out only these: "nothing", "noise", "agreement", … (default: each in turn)',
    )
    parser.add_argument("--drawn", type=Path, metavar="FILE", help="pen strokes to measure with too (.jsonl.gz)")


def run(options: Namespace) -> None:
    require_files(options.drawn)
    make_folder(options.out)  # now, since it may fail, and a run takes minutes
    drawn = load_drawn(options.drawn) if options.drawn else None
    from autoencoder.build.ablate import LEFT_OUT, ablate, format_rows

    test = load_mnist()
    others: dict[str, tuple[Digits, Digits | None]] = {"drawn": (test, drawn)} if drawn else {}
    others["digits"] = load_bundled(), None
    length = f"{options.epochs} epochs"
    kept = artifacts.load_metrics(options.out).get("ablation", {}).get(length, {})
    rows = kept["rows"] if kept.get("data") == sorted(others) else []
    new_rows = ablate(
        load_mnist("train"),
        others,
        epochs=options.epochs,
        seeds=options.seeds,
        left_out=options.left_out or tuple(LEFT_OUT),
        done=list(rows),
    )
    for row in new_rows:
        rows.append(row)
        print(json.dumps(row), file=sys.stderr)
        with artifacts.replacing(options.out) as folder:
            ablation = {length: {"data": sorted(others), "rows": rows}}
            artifacts.save_metrics({"ablation": ablation}, options.out, folder)
    print(format_rows(rows))


def _ingredient(name: str) -> str:
    """The name of an ingredient that can be left out. Its module imports TensorFlow, so it is imported only here."""
    from autoencoder.build.ablate import LEFT_OUT

    if name not in LEFT_OUT:
        raise ArgumentTypeError(f"expected some of {', '.join(map(repr, LEFT_OUT))}, received {name!r}")
    return name
