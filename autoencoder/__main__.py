"""The command line: python -m autoencoder train | ablate | encode | evaluate | search | gallery | benchmark."""

import argparse
import json
import os
import sys
from pathlib import Path

from PIL import Image

from autoencoder import artifacts
from autoencoder.artifacts import ArtifactError
from autoencoder.data import DataError, load_bundled, load_drawn, load_gallery, load_mnist, unseen_part
from autoencoder.ink.photo import digit_from_image
from autoencoder.ink.preprocess import NoDigitError
from autoencoder.query.search import SearchError
from autoencoder.query.verdict import judge


def main(arguments=None):
    """Run one verb; returns the exit status."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported: errors only
    try:
        return options.run(options)
    except (ArtifactError, DataError, NoDigitError, SearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="python -m autoencoder", description="Digit look-alike search.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    train = _verb(verbs, "train", _train, "train the autoencoder on MNIST and write all artifacts")
    train.add_argument(
        "--epochs", type=_whole_number(3), default=60, help="passes over the training images for the encoder"
    )
    train.add_argument("--decoder-epochs", type=_whole_number(1), default=12, help="passes for the decoder, after that")
    train.add_argument("--seed", type=_whole_number(0), default=0, help="of the weights, the order and the warps")
    train.add_argument("--drawn", type=Path, metavar="FILE", help="pen strokes to measure with too (.jsonl.gz)")
    train.add_argument("--not-digits", type=Path, metavar="FILE", help="strokes of other characters, too (.jsonl.gz)")
    train.add_argument(
        "--textbook", action="store_true", help="instead, train the textbooks' dense one to compare with"
    )

    ablate = _verb(verbs, "ablate", _ablate, "train with each ingredient left out, and keep what that costs")
    ablate.add_argument("--epochs", type=_whole_number(3), default=3, help="passes over the training images")
    ablate.add_argument(
        "--seeds", type=_whole_number(0), nargs="+", default=[0, 1, 2], metavar="SEED", help="a run for each"
    )
    ablate.add_argument(
        "--left-out", nargs="+", metavar="NAME", help="only these: nothing, agreement, …; all if not given"
    )
    ablate.add_argument("--drawn", type=Path, metavar="FILE", help="pen strokes to measure with too (.jsonl.gz)")

    _verb(verbs, "encode", _encode, "compute anew what the app needs of the galleries, with the trained encoder")

    evaluate = _verb(verbs, "evaluate", _evaluate, "measure how good each space is to search in")
    evaluate.add_argument("--drawn", type=Path, metavar="FILE", help="pen strokes to search for too (.jsonl.gz)")
    evaluate.add_argument(
        "--drawn-percent",
        type=_whole_number(1, 100),
        metavar="PERCENT",
        help="with --drawn: draw them on the canvas first, so large a part of its side, in its whole pixels",
    )
    evaluate.add_argument(
        "--not-digits",
        type=Path,
        metavar="FILE",
        help="strokes of other characters, to be told from digits (.jsonl.gz)",
    )
    evaluate.add_argument(
        "--failures", type=Path, metavar="PNG", help="write a picture of queries that find none right"
    )
    evaluate.add_argument("--keep", action="store_true", help="write the figures into artifacts/metrics.json")
    evaluate.add_argument(
        "--n-queries", type=_whole_number(1), default=10_000, help="of a gallery of your own: how many to measure by"
    )
    evaluate.add_argument("--json", action="store_true", help="print the figures as JSON")
    _add_gallery_options(evaluate)

    search = _verb(verbs, "search", _search, "find the look-alikes of the digit in an image file")
    search.add_argument("image", type=Path, metavar="IMAGE", help="PNG, JPEG, WebP or BMP")
    search.add_argument("--n-neighbors", type=_whole_number(1), default=4, help="how many to find")
    search.add_argument(
        "--part", choices=["all", "test"], default="all", help="of MNIST: all 70,000 digits, or the 10,000 test digits"
    )
    search.add_argument("--json", action="store_true", help="print the answer as JSON")
    _add_gallery_options(search)

    gallery = verbs.add_parser("gallery", help="build a gallery of your own, and bring it to Milvus")
    steps = gallery.add_subparsers(required=True, metavar="STEP")

    build = _verb(steps, "build", _gallery_build, "make a gallery of a folder of pictures, an .npz, .npy or IDX file")
    build.add_argument("source", type=Path, metavar="SOURCE", help="a labelled picture is in a folder named 0 to 9")
    build.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to keep the gallery in")
    build.add_argument("--name", help="what to call it; DIR's name if not given")
    build.add_argument("--labels", type=Path, metavar="FILE", help="labels from 0 to 9, an .npy or IDX file")
    build.add_argument("--part", default="", help="of an .npz: only arrays that have this in their name")
    build.add_argument("--transpose", action="store_true", help="swap rows and columns, as EMNIST's IDX files need it")
    build.add_argument("--as-is", action="store_true", help="take 28 × 28 images as prepared already, as MNIST's are")

    info = _verb(steps, "info", _gallery_info, "say what a gallery holds, and verify it")
    info.add_argument("directory", type=Path, metavar="DIR", help="the gallery")
    info.add_argument("--index", type=_whole_number(0), nargs="+", default=[], help="say where these digits come from")

    push = _verb(steps, "push", _gallery_push, "bring a gallery's latents to Milvus; can be stopped and repeated")
    push.add_argument("directory", type=Path, metavar="DIR", help="the gallery")
    push.add_argument("--to", required=True, metavar="ADDRESS", help="http://host:19530, or a local file ending in .db")
    push.add_argument("--index", choices=["FLAT", "IVF_FLAT", "HNSW"], default="FLAT", help="FLAT answers exactly")

    benchmark = _verb(verbs, "benchmark", _benchmark, "measure how fast it is on this machine")
    benchmark.add_argument("--json", action="store_true", help="print the figures as JSON")
    benchmark.add_argument(
        "--large", action="store_true", help="instead, search up to 10,000,000 vectors, and by Milvus (needs 1.3 GB)"
    )
    benchmark.add_argument("--milvus", metavar="ADDRESS", help="with --large: a Milvus server to measure, too")
    return parser


def _add_gallery_options(parser):
    own, milvus = os.environ.get("GALLERY"), os.environ.get("MILVUS")
    parser.add_argument("--gallery", metavar="DIR", default=own, help="a gallery of your own (or GALLERY is set to it)")
    parser.add_argument(
        "--milvus", metavar="ADDRESS", default=milvus, help="where to search it (or MILVUS is set to it)"
    )


def _verb(verbs, name, run, summary):
    verb = verbs.add_parser(
        name, help=summary, description=summary, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    verb.set_defaults(run=run)
    return verb


def _whole_number(least, most=None):
    """A parser of whole numbers from `least` on, or to `most`."""
    wanted = f"from {least} to {most}" if most else f"from {least} on"

    def parse(text):
        if not text.isdecimal() or int(text) < least or (most and int(text) > most):
            raise argparse.ArgumentTypeError(f"expected a whole number {wanted}, received {text}")
        return int(text)

    return parse


def _train(options):
    drawn = load_drawn(options.drawn) if options.drawn else None
    not_digits = load_drawn(options.not_digits, labelled=False) if options.not_digits else None
    from autoencoder.build.evaluate import format_table
    from autoencoder.build.train import train, train_textbook

    common = {"epochs": options.epochs, "seed": options.seed, "drawn": drawn, "directory": artifacts.DIRECTORY}
    if options.textbook:
        if not_digits:
            raise DataError("--not-digits is for the encoder that is searched by: leave it out with --textbook.")
        measured = train_textbook(**common)
    else:
        measured = train(decoder_epochs=options.decoder_epochs, not_digits=not_digits, **common)
    print(format_table(measured))
    return 0


def _ablate(options):
    drawn = load_drawn(options.drawn) if options.drawn else None
    from autoencoder.build.ablate import LEFT_OUT, ablate, format_rows

    test = load_mnist()
    others = {"drawn": (test, drawn)} if drawn else {}
    others["digits"] = load_bundled(), None
    left_out = options.left_out or tuple(LEFT_OUT)
    if unknown := set(left_out) - set(LEFT_OUT):
        raise DataError(f"--left-out {', '.join(unknown)}: expected some of {', '.join(LEFT_OUT)}.")
    length = f"{options.epochs} epochs"
    kept = artifacts.load_metrics(artifacts.DIRECTORY).get("ablation", {}).get(length, {})
    rows = kept["rows"] if kept.get("data") == sorted(others) else []
    run = {"epochs": options.epochs, "seeds": options.seeds, "left_out": left_out}
    for row in ablate(load_mnist("train"), others, done=list(rows), **run):
        rows.append(row)
        print(json.dumps(row), file=sys.stderr)
        with artifacts.replacing(artifacts.DIRECTORY) as folder:
            ablation = {length: {"data": sorted(others), "rows": rows}}
            artifacts.save_metrics({"ablation": ablation}, artifacts.DIRECTORY, folder)
    print(format_rows(rows))
    return 0


def _encode(options):
    from autoencoder.build.train import encode

    encode(directory=artifacts.DIRECTORY)
    return 0


def _evaluate(options):
    if options.drawn_percent and not options.drawn:
        raise DataError("--drawn-percent needs --drawn FILE")
    drawn = load_drawn(options.drawn, percent=options.drawn_percent) if options.drawn else None
    if options.gallery or options.milvus:
        return _evaluate_own(options, drawn)
    not_digits = load_drawn(options.not_digits, labelled=False) if options.not_digits else None
    artifacts.verify(artifacts.DIRECTORY)
    from autoencoder.build.evaluate import evaluate_all, format_table, picture_failures
    from autoencoder.spaces import PCA, Latent, Pixels

    spaces = [Pixels(), PCA.load(artifacts.DIRECTORY), Latent.load(artifacts.DIRECTORY)]
    gallery, bundled = _gallery(), load_bundled()
    galleries = [gallery] if gallery.name == bundled.name else [gallery, bundled]
    if options.failures:
        Image.fromarray(picture_failures(spaces[-1], unseen_part(gallery) or gallery)).save(options.failures)
    results = evaluate_all(spaces, galleries, drawn, not_digits)
    if options.keep:
        with artifacts.replacing(artifacts.DIRECTORY) as folder:
            artifacts.save_metrics(results, artifacts.DIRECTORY, folder)
    for data, kept in artifacts.load_metrics(artifacts.DIRECTORY).items():
        if data in results and "textbook" in kept:  # only its figures are kept, not the network
            results[data]["textbook"] = kept["textbook"]
    print(json.dumps(results, indent=2) if options.json else format_table(results))
    return 0


def _evaluate_own(options, drawn):
    if options.keep or options.failures or options.not_digits:
        raise DataError(
            "--keep, --failures and --not-digits are for MNIST and the bundled digits: leave out --gallery and GALLERY."
        )
    from autoencoder.build.evaluate import evaluate_own, format_table

    results = evaluate_own(_engine(options), drawn, n_queries=options.n_queries)
    print(json.dumps(results, indent=2) if options.json else format_table(results))
    return 0


def _gallery():
    """The gallery to search; where it is not MNIST, a note says why."""
    gallery, problem = load_gallery()
    _note(problem)
    return gallery


def _engine(options):
    """The engine of the gallery that is named, or else of MNIST; where it cannot be that, a note says why."""
    from autoencoder.gallery.opening import open_engine

    engine, problem = open_engine(artifacts.DIRECTORY, own=options.gallery, milvus=options.milvus)
    _note(problem)
    return engine


def _note(problem):
    if problem:
        print(f"note: without MNIST. {problem}", file=sys.stderr)


def _search(options):
    artifacts.verify(artifacts.DIRECTORY)
    digit = digit_from_image(options.image.read_bytes())
    engine = _engine(options)
    if options.part == "test":
        if engine.unseen is engine:
            raise DataError("--part test is of MNIST: here " + engine.gallery.title + " are searched.")
        engine = engine.unseen
    if options.n_neighbors > len(engine.gallery):
        raise DataError(f"--n-neighbors {options.n_neighbors} is more than the gallery's {len(engine.gallery)} digits")
    result = engine.search(digit, options.n_neighbors)
    neighbors = [
        {"rank": rank, "index": found.index, "label": found.label, "distance": found.distance}
        for rank, found in enumerate(result.neighbors, 1)
    ]
    labels = [found.label for found in result.neighbors]
    verdict = judge(labels, unlike=result.unlike, two_shapes=result.two_shapes).sentence
    if options.json:
        answer = {"neighbors": neighbors, "reconstruction_mse": result.reconstruction_mse}
        print(json.dumps(answer | {"searched": engine.gallery.title, "verdict": verdict, "unlike": result.unlike}))
        return 0
    print(f"{'rank':>4}  {'label':>5}  {'distance':>8}  {'index':>6}")
    for found in neighbors:
        label = "–" if found["label"] is None else found["label"]
        print(f"{found['rank']:>4}  {label:>5}  {found['distance']:>8.3f}  {found['index']:>6}")
    print(f"reconstruction error (MSE a pixel): {result.reconstruction_mse:.4f}")
    print(f"Searched: {engine.gallery.title}. {verdict}")
    return 0


def _gallery_build(options):
    encoder_sha256 = artifacts.verify(artifacts.DIRECTORY)["files"]["encoder.keras"]
    from autoencoder.gallery import sources, store
    from autoencoder.spaces import Latent

    source = sources.open_source(options.source, labels=options.labels, part=options.part, transpose=options.transpose)
    space = Latent.load(artifacts.DIRECTORY)
    store.build(source, options.out, space, encoder_sha256, name=options.name, as_is=options.as_is)
    return _print_gallery(store.describe(options.out))


def _gallery_info(options):
    from autoencoder.gallery import store

    described = store.describe(options.directory)
    names = store.names_of(options.directory, options.index) if options.index else {}
    return _print_gallery(described | {str(index): name for index, name in names.items()})


def _print_gallery(described):
    for what, text in described.items():
        print(f"{what:<10}  {text}".encode(errors="backslashreplace").decode())  # names of files may be anything
    return 0


def _gallery_push(options):
    encoder_sha256 = artifacts.verify(artifacts.DIRECTORY)["files"]["encoder.keras"]
    from tqdm import tqdm

    from autoencoder.gallery.milvus import measure_recall, push
    from autoencoder.gallery.store import open_gallery

    own = open_gallery(options.directory, encoder_sha256)
    with tqdm(total=len(own.digits), unit=" digits", desc="Bringing them to Milvus") as bar:

        def show(n):
            bar.update(n - bar.n)

        push(own.latents, options.to, own.collection, index=options.index, progress=show)
    recall, n_queries = measure_recall(own.latents, options.to, own.collection)
    print(f"{len(own.digits):,} digits are at {options.to}, in {own.collection}, indexed by {options.index}.")
    print(f"recall@4 against the exact search, of {n_queries} queries: {recall:.4f}")
    return 0


def _benchmark(options):
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # as the app has it
    artifacts.verify(artifacts.DIRECTORY)
    from autoencoder.measure.speed import HOW_TO_READ, benchmark, format_tables, machine

    if options.large:
        from autoencoder.measure.large import HOW_TO_READ, benchmark_large
        from autoencoder.spaces import Latent

        latents = Latent.load(artifacts.DIRECTORY).transform(load_mnist("train").images)
        title, measuring = "How large a gallery can be", benchmark_large(latents, options.milvus)
    else:
        from autoencoder.query.engine import Engine

        title, measuring = "How fast it is", benchmark(Engine.load(_gallery(), artifacts.DIRECTORY))
    results = {}
    for what, rows in measuring:
        print(f"measured: {what}", file=sys.stderr)
        results[what] = rows
    if options.json:
        print(json.dumps({"machine": machine()} | results, indent=2))
    else:
        print(f"# {title}\n\n{machine()}.\n\n{HOW_TO_READ}\n\n{format_tables(results)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
