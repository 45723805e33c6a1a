"""Make a gallery of a folder of pictures, an .npz, .npy or IDX file. Can be stopped, and goes on when repeated."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from autoencoder import artifacts
from autoencoder.commands.arguments import add_artifacts_option, refuse_ignored, require_files, verify_artifacts
from autoencoder.commands.gallery_info import print_described
from autoencoder.gallery import sources, store
from autoencoder.spaces import Latent


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source", type=Path, metavar="SOURCE", help="the folder or file; a labeled picture is in a folder named 0 to 9"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to keep the gallery in")
    parser.add_argument("--name", help="what to call it (default: the name of DIR)")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="labels from 0 to 9, an .npy or IDX file")
    parser.add_argument("--part", default="", help="of an .npz: only arrays that have this in their name")
    parser.add_argument("--transpose", action="store_true", help="swap rows and columns, as EMNIST's IDX files need it")
    parser.add_argument("--as-is", action="store_true", help="take 28 × 28 images as prepared already, as MNIST's are")
    add_artifacts_option(parser)


def run(options: Namespace) -> None:
    if options.source.is_file() and options.source.suffix.lower() != ".npz":
        refuse_ignored(options, "with a file that is no .npz", "part")
    require_files(options.labels)
    encoder_sha256 = verify_artifacts(options.artifacts)["files"][artifacts.NETWORKS[0]]
    source = sources.open_source(options.source, labels=options.labels, part=options.part, transpose=options.transpose)
    space = Latent.load(options.artifacts)
    store.build(source, options.out, space, encoder_sha256, name=options.name, as_is=options.as_is)
    print_described(store.describe(options.out))
