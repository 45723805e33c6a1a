"""The command line: python -m autoencoder VERB."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from types import ModuleType

from autoencoder.artifacts import ArtifactError
from autoencoder.commands import (
    ablate,
    benchmark,
    encode,
    evaluate,
    gallery_build,
    gallery_info,
    gallery_push,
    history,
    search,
    train,
)
from autoencoder.commands.arguments import UsageError
from autoencoder.data import DataError
from autoencoder.ink.preprocess import NoDigitError
from autoencoder.query.search import SearchError

VERBS = {
    "train": train,
    "ablate": ablate,
    "history": history,
    "encode": encode,
    "evaluate": evaluate,
    "search": search,
    "benchmark": benchmark,
}
GALLERY_VERBS = {"build": gallery_build, "info": gallery_info, "push": gallery_push}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported: errors only
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ArtifactError, DataError, NoDigitError, SearchError, UsageError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m autoencoder", description="Digit look-alike search.")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, module in VERBS.items():
        _set_up(verbs.add_parser(name, help=module.__doc__), module)
    summary = "Build a gallery of your own, and bring it to Milvus."
    gallery = verbs.add_parser("gallery", help=summary, description=summary)
    gallery_verbs = gallery.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, module in GALLERY_VERBS.items():
        _set_up(gallery_verbs.add_parser(name, help=module.__doc__), module)
    return parser


def _set_up(parser: ArgumentParser, module: ModuleType) -> None:
    """Give a verb's parser what the verb's module has: the docstring as help, the options, and what to run."""
    parser.description = module.__doc__
    module.add_options(parser)
    parser.set_defaults(run=module.run)


if __name__ == "__main__":
    sys.exit(main())
