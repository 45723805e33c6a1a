"""Fetches and tries all that a lesson needs, where there still is a network: `make prepare`."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported: errors only

from autoencoder import artifacts
from autoencoder.data import DataError
from autoencoder.gallery.opening import open_engine


def main() -> None:
    """Print what is ready, or end with what is not."""
    print("Fetching MNIST, unless it is here, and trying the network…", flush=True)
    try:
        engine, problem = open_engine(artifacts.DIRECTORY)
    except (artifacts.ArtifactError, DataError) as error:
        sys.exit(f"Not ready. {error}")
    if problem:
        sys.exit(f"Not ready: MNIST is not here. {problem}")
    print(f"Ready: the packages, the network, {engine.gallery.title}. A class needs no internet now: make class")


if __name__ == "__main__":
    main()
