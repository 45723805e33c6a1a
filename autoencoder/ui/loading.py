"""What all visitors share: the engine with its gallery, loaded once a server."""

import argparse
import gc
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from threadpoolctl import threadpool_limits

from autoencoder import artifacts
from autoencoder.artifacts import ArtifactError
from autoencoder.classroom.room import Classroom
from autoencoder.classroom.store import ClassError
from autoencoder.data import DataError, load_mnist
from autoencoder.gallery.opening import add_gallery_options, open_engine
from autoencoder.query.engine import Engine
from autoencoder.query.explain import Knobs
from autoencoder.query.search import NearestNeighbors, Searcher, SearchError
from autoencoder.spaces import PCA, Latent, Pixels, Space
from autoencoder.study import Study
from autoencoder.ui.classroom import class_file

N_MEASURED = 10_000  # digits, at most, by which the 32 numbers are measured
DOWNLOAD_WAIT_S = 5  # a page is not kept longer for a network that may not be there
NOT_TO_BE_HAD = ArtifactError, DataError, SearchError  # what `load_engine` raises, a sentence for the visitor


@dataclass(frozen=True)
class Loaded:
    """The engine, and why its gallery is not MNIST (None if it is)."""

    engine: Engine
    problem: str | None


@st.cache_resource(show_spinner=False)
def load_engine() -> Loaded:
    """The engine of the server's own gallery where it was given one, of MNIST's, or of the bundled digits.

    A gallery of one's own is named by `GALLERY`, and a Milvus server by `MILVUS`, in the environment or after
    `streamlit run app.py --` as --gallery and --milvus.

    Raises:
        ArtifactError, DataError, SearchError: an artifact or the gallery is missing or damaged, or Milvus is not there.
    """
    artifacts.verify(artifacts.DIRECTORY)  # first: without them there is no use in waiting for MNIST
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported, with the networks
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # one image is too small to share, and a class fills the cores
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    add_gallery_options(parser)
    given, _ = parser.parse_known_args(sys.argv[1:])
    loaded = Loaded(*open_engine(artifacts.DIRECTORY, own=given.gallery, milvus=given.milvus, wait_s=DOWNLOAD_WAIT_S))
    for charts in ("altair", "pandas"):  # half a second that the first visitor of a chart need not wait
        import_module(charts)
    threadpool_limits(1)  # one query is too small to share: BLAS' other threads would spin for longer than it takes
    # Streamlit clears Keras' session after each run: TensorFlow would forget its compiled graphs, for all visitors.
    import_module("keras").backend.clear_session = lambda: None
    # Garbage collection stops all visitors while it looks through all that was loaded, which is here to stay.
    gc.collect()
    gc.freeze()
    return loaded


@dataclass(frozen=True)
class LoadedClass:
    """The class that this server holds, None if it holds none; and why it has none where it was to have one."""

    room: Classroom | None
    problem: str | None = None


@st.cache_resource(show_spinner=False)
def load_class(_space: Latent) -> LoadedClass:
    """The class of the server's own file."""
    if not (file := class_file()):
        return LoadedClass(None)
    try:
        return LoadedClass(Classroom(file, _space))
    except ClassError as problem:
        print(problem, file=sys.stderr)
        return LoadedClass(None, str(problem))


@st.cache_resource(show_spinner=False)
def load_pca() -> PCA:
    """The principal components that the build has kept."""
    return PCA.load(artifacts.DIRECTORY)


@st.cache_resource(show_spinner=False)
def load_spaces(_engine: Engine, gallery_name: str) -> dict[str, tuple[Space, Searcher]]:
    """The spaces to compare: name -> (space, the NearestNeighbors of the gallery's vectors there)."""
    spaces: dict[str, tuple[Space, Searcher]] = {_engine.space.name: (_engine.space, _engine.nearest)}
    for space in (Pixels(), load_pca()):
        spaces[space.name] = space, NearestNeighbors(space.transform(_engine.gallery.images[:]))
    return spaces


@st.cache_resource(show_spinner=False)
def load_knobs(_unseen: Engine, gallery_name: str) -> Knobs:
    """What the digits that the network has not seen, or 10,000 of them all over the gallery, say of the 32 numbers."""
    n = len(_unseen.gallery)
    measured = np.linspace(0, n - 1, min(n, N_MEASURED)).astype(np.int64)
    return Knobs.of(np.asarray(_unseen.nearest.vectors[measured]), _unseen.gallery.labels[measured])


@st.cache_resource(show_spinner=False)
def load_metrics(directory: Path) -> dict[str, dict[str, Any]]:
    """What the build has measured, as `artifacts.load_metrics` has it."""
    return artifacts.load_metrics(directory)


@st.cache_resource(show_spinner=False)
def load_study(gallery_name: str) -> Study:
    """What the build has found out about a gallery, as `Study` has it."""
    return Study.load(artifacts.study_path(gallery_name, artifacts.DIRECTORY))


def is_studied(gallery_name: str) -> bool:
    """Whether the build has studied the gallery, as it has MNIST's and the bundled one."""
    return artifacts.study_path(gallery_name, artifacts.DIRECTORY).is_file()


def try_mnist_again() -> None:
    """Look for MNIST once more; if it is there now, the next `load_engine` searches it."""
    try:
        load_mnist(wait_s=DOWNLOAD_WAIT_S)
    except DataError as error:
        st.toast(str(error), icon=":material/cloud_off:")
    else:
        load_engine.clear()
