"""Measure how good each space is to search in."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from PIL import Image

from autoencoder import artifacts
from autoencoder.build.evaluate import evaluate_all, evaluate_own, format_table, picture_failures
from autoencoder.build.teach import Taught, format_lesson, teach
from autoencoder.commands.arguments import (
    WITH_OWN_GALLERY,
    WITHOUT_OWN_GALLERY,
    UsageError,
    add_artifacts_option,
    note_without_mnist,
    refuse_ignored,
    refuse_milvus_alone,
    require_files,
    verify_artifacts,
    whole_number,
)
from autoencoder.data import Digits, load_bundled, load_drawn, load_gallery, read_writers, unseen_part
from autoencoder.gallery.opening import add_gallery_options, open_own
from autoencoder.query.engine import Engine
from autoencoder.spaces import PCA, Latent, Pixels, Space

N_QUERIES = 10_000


def add_options(parser: ArgumentParser) -> None:
    add_artifacts_option(parser)
    parser.add_argument("--drawn", type=Path, metavar="FILE", help="pen strokes to search for too (.jsonl.gz)")
    parser.add_argument(
        "--drawn-percent",
        type=whole_number(1, 100),
        metavar="PERCENT",
        help="with --drawn or --teach: first draw them on the canvas, in its whole pixels, so large a part of its side",
    )
    parser.add_argument(
        "--not-digits",
        type=Path,
        metavar="FILE",
        help="strokes of other characters, to be told from digits (.jsonl.gz)",
    )
    parser.add_argument(
        "--teach",
        type=Path,
        metavar="FILE",
        help="instead: how the search gets better as pen strokes are added to the gallery (.jsonl.gz)",
    )
    parser.add_argument("--failures", type=Path, metavar="PNG", help="write a picture of queries that find none right")
    parser.add_argument("--keep", action="store_true", help="add the figures to the metrics of the model")
    parser.add_argument(
        "--n-queries",
        type=whole_number(1),
        metavar="N",
        help=f"with --gallery: how many of its digits to search for (default: {N_QUERIES})",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_gallery_options(parser)


def run(options: Namespace) -> None:
    if not (options.drawn or options.teach):
        refuse_ignored(options, "without --drawn FILE or --teach FILE", "drawn_percent")
    if options.gallery:
        refuse_ignored(options, WITH_OWN_GALLERY, "keep", "failures", "not_digits", "teach")
    else:
        refuse_ignored(options, WITHOUT_OWN_GALLERY, "n_queries")
        refuse_milvus_alone(options)
    if options.teach:
        refuse_ignored(options, "with --teach FILE", "drawn", "not_digits", "failures", "keep")
    require_files(options.drawn, options.not_digits, options.teach)
    if options.failures:
        _check_picture(options.failures)
    verify_artifacts(options.artifacts)
    if options.teach:
        results, form = _teach(options), format_lesson
    else:
        results, form = _evaluate_own(options) if options.gallery else _evaluate_mnist(options), format_table
    print(json.dumps(results, indent=2) if options.json else form(results))


def _teach(options: Namespace) -> dict[str, Any]:
    drawn = load_drawn(options.teach, percent=options.drawn_percent)
    writers = read_writers(options.teach)
    gallery, problem = load_gallery()
    note_without_mnist(problem)
    engine = Engine.load(gallery, options.artifacts)
    engines = {gallery.name: engine.unseen}
    if engine.unseen is not engine:
        engines[f"{gallery.name}_all"] = engine
    galleries = {name: Taught(of.gallery.title, of.gallery.labels, of.nearest) for name, of in engines.items()}
    return teach(galleries, engine.space.transform(drawn.images), drawn.labels, writers)


def _evaluate_own(options: Namespace) -> dict[str, Any]:
    engine = open_own(options.gallery, options.artifacts, milvus=options.milvus)
    pca = PCA.load(options.artifacts)
    return evaluate_own(engine, pca, _drawn(options), n_queries=options.n_queries or N_QUERIES)


def _evaluate_mnist(options: Namespace) -> dict[str, Any]:
    drawn = _drawn(options)
    not_digits = load_drawn(options.not_digits, labeled=False) if options.not_digits else None
    latent = Latent.load(options.artifacts)
    spaces: list[Space] = [Pixels(), PCA.load(options.artifacts), latent]
    gallery, problem = load_gallery()
    note_without_mnist(problem)
    bundled = load_bundled()
    galleries = [gallery] if gallery.name == bundled.name else [gallery, bundled]
    if options.failures:
        Image.fromarray(picture_failures(latent, unseen_part(gallery) or gallery)).save(options.failures)
    results = evaluate_all(spaces, galleries, drawn, not_digits)
    if options.keep:
        with artifacts.replacing(options.artifacts) as folder:
            artifacts.save_metrics(results, options.artifacts, folder)
    for data, kept in artifacts.load_metrics(options.artifacts).items():
        if data in results and "textbook" in kept:  # only its figures are kept, not the network
            results[data]["textbook"] = kept["textbook"]
    return results


def _drawn(options: Namespace) -> Digits | None:
    return load_drawn(options.drawn, percent=options.drawn_percent) if options.drawn else None


def _check_picture(path: Path) -> None:
    if path.suffix.lower() != ".png" or not path.parent.is_dir():
        raise UsageError(f"--failures {path}: expected a name that ends in .png, in a folder that is there.")
