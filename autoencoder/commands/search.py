"""Find the look-alikes of the digit in an image file."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from autoencoder.commands.arguments import (
    WITH_OWN_GALLERY,
    UsageError,
    add_artifacts_option,
    note_without_mnist,
    refuse_ignored,
    refuse_milvus_alone,
    require_files,
    verify_artifacts,
    whole_number,
)
from autoencoder.gallery.opening import add_gallery_options, open_engine, open_own
from autoencoder.ink.photo import digit_from_image
from autoencoder.query.engine import Engine, SearchResult
from autoencoder.query.verdict import judge


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="IMAGE", help="a PNG, JPEG, WebP or BMP file")
    parser.add_argument(
        "--n-neighbors", type=whole_number(1), default=4, metavar="N", help="how many to find (default: %(default)s)"
    )
    parser.add_argument(
        "--part",
        choices=["all", "test"],
        help="of MNIST: all 70,000 digits, or the 10,000 test digits (default: all)",
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    add_artifacts_option(parser)
    add_gallery_options(parser)


def run(options: Namespace) -> None:
    if options.gallery:
        refuse_ignored(options, WITH_OWN_GALLERY, "part")
    else:
        refuse_milvus_alone(options)
    require_files(options.image)
    verify_artifacts(options.artifacts)
    digit = digit_from_image(options.image.read_bytes())
    engine = _open(options)
    if options.n_neighbors > len(engine.gallery):
        raise UsageError(
            f"--n-neighbors {options.n_neighbors} is more than the gallery's {len(engine.gallery)} digits."
        )
    result = engine.search(digit, options.n_neighbors)
    if options.json:
        print(json.dumps(_as_json(result, engine)))
    else:
        print(_as_table(result, engine))


def _open(options: Namespace) -> Engine:
    """The engine to search with, of the gallery or of the part of MNIST that is named."""
    if options.gallery:
        return open_own(options.gallery, options.artifacts, milvus=options.milvus)
    engine, problem = open_engine(options.artifacts)
    note_without_mnist(problem)
    if options.part != "test":
        return engine
    if engine.unseen is engine:
        raise UsageError(f"--part test is of MNIST, but {engine.gallery.title} are searched: leave it out.")
    return engine.unseen


def _as_json(result: SearchResult, engine: Engine) -> dict[str, object]:
    return {
        "neighbors": [
            {"rank": rank, "index": found.index, "label": found.label, "distance": found.distance}
            for rank, found in enumerate(result.neighbors, 1)
        ],
        "reconstruction_mse": result.reconstruction_mse,
        "searched": engine.gallery.title,
        "verdict": _verdict(result),
        "unlike": result.unlike,
    }


def _as_table(result: SearchResult, engine: Engine) -> str:
    lines = [f"{'rank':>4}  {'label':>5}  {'distance':>8}  {'index':>6}"]
    for rank, found in enumerate(result.neighbors, 1):
        label = "–" if found.label is None else found.label
        lines.append(f"{rank:>4}  {label:>5}  {found.distance:>8.3f}  {found.index:>6}")
    lines.append(f"reconstruction error (MSE a pixel): {result.reconstruction_mse:.4f}")
    lines.append(f"Searched: {engine.gallery.title}. {_verdict(result)}")
    return "\n".join(lines)


def _verdict(result: SearchResult) -> str:
    labels = [found.label for found in result.neighbors]
    return judge(labels, unlike=result.unlike, two_shapes=result.two_shapes).sentence
