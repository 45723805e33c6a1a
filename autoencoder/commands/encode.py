"""Compute anew, with the trained encoder, what the app needs of MNIST and the bundled digits, and keep it."""

from argparse import ArgumentParser, Namespace

from autoencoder.commands.arguments import add_artifacts_option, verify_artifacts


def add_options(parser: ArgumentParser) -> None:
    add_artifacts_option(parser)


def run(options: Namespace) -> None:
    verify_artifacts(options.artifacts)
    from autoencoder.build.train import encode

    encode(directory=options.artifacts)
