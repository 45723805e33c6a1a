"""Bring a gallery's latents to Milvus. Can be stopped, and goes on when repeated."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from tqdm import tqdm

from autoencoder import artifacts
from autoencoder.commands.arguments import add_artifacts_option, verify_artifacts
from autoencoder.gallery.milvus import INDEX_TYPES, measure_recall, push
from autoencoder.gallery.store import open_gallery


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="the gallery")
    parser.add_argument(
        "--to", required=True, metavar="ADDRESS", help="http://host:19530, or a local file ending in .db"
    )
    parser.add_argument(
        "--index-type",
        choices=INDEX_TYPES,
        default=INDEX_TYPES[0],
        help="how Milvus is to index them; FLAT answers exactly (default: %(default)s)",
    )
    add_artifacts_option(parser)


def run(options: Namespace) -> None:
    encoder_sha256 = verify_artifacts(options.artifacts)["files"][artifacts.NETWORKS[0]]
    own = open_gallery(options.directory, encoder_sha256)
    with tqdm(total=len(own.digits), unit=" digits", desc="Bringing them to Milvus") as bar:

        def show(n: int) -> None:
            bar.update(n - bar.n)

        push(own.latents, options.to, own.collection, index=options.index_type, progress=show)
    recall, n_queries = measure_recall(own.latents, options.to, own.collection)
    print(f"{len(own.digits):,} digits are at {options.to}, in {own.collection}, indexed by {options.index_type}.")
    print(f"recall@4 against the exact search, of {n_queries} queries: {recall:.4f}")
