"""Say what a gallery holds, and verify it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from autoencoder.commands.arguments import whole_number
from autoencoder.gallery import store


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="the gallery")
    parser.add_argument(
        "--index",
        type=whole_number(0),
        nargs="+",
        default=[],
        help="say where the digits come from that have these indices in the gallery",
    )


def run(options: Namespace) -> None:
    described = store.describe(options.directory)
    names = store.names_of(options.directory, options.index) if options.index else {}
    print_described(described | {str(index): name for index, name in names.items()})


def print_described(described: dict[str, str]) -> None:
    """Print what there is to be known, a line each; names of files may hold anything."""
    for what, text in described.items():
        print(f"{what:<10}  {text}".encode(errors="backslashreplace").decode())
