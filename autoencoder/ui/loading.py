"""What all visitors share: the engine with its gallery, loaded once a server."""

import gc
import os
from dataclasses import dataclass
from importlib import import_module

import streamlit as st

from autoencoder import artifacts
from autoencoder.data import DataError, load_gallery, load_mnist
from autoencoder.search import NearestNeighbors
from autoencoder.spaces import PCA, Pixels
from autoencoder.study import Study

DOWNLOAD_WAIT_S = 5  # a page is not kept longer for a network that may not be there


@dataclass(frozen=True)
class Loaded:
    """The engine, and why its gallery is not MNIST (None if it is)."""

    engine: object
    problem: str | None


@st.cache_resource(show_spinner=False)
def load_engine():
    """The engine of the MNIST gallery, or of the bundled digits where MNIST is not to be had.

    Raises:
        ArtifactError: an artifact is missing or damaged.
    """
    artifacts.verify(artifacts.DIRECTORY)  # first: without them there is no use in waiting for MNIST
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # one image is too small to share, and a class fills the cores
    from autoencoder.engine import Engine  # TensorFlow comes with it: seconds, while the page is already there

    gallery, problem = load_gallery(wait_s=DOWNLOAD_WAIT_S)
    loaded = Loaded(Engine.load(gallery, artifacts.DIRECTORY), problem)
    for charts in ("altair", "pandas"):  # half a second that the first visitor of a chart need not wait
        import_module(charts)
    # Streamlit clears Keras' session after each run: TensorFlow would forget its compiled graphs, for all visitors.
    import_module("keras").backend.clear_session = lambda: None
    # Garbage collection stops all visitors while it looks through all that was loaded, which is here to stay.
    gc.collect()
    gc.freeze()
    return loaded


@st.cache_resource(show_spinner=False)
def load_spaces(_engine, gallery_name):
    """The spaces to compare: name -> (space, the NearestNeighbors of the gallery's vectors there)."""
    spaces = Pixels(), PCA.load(artifacts.DIRECTORY)
    searchers = {space.name: (space, NearestNeighbors(space.transform(_engine.gallery.images))) for space in spaces}
    return {_engine.space.name: (_engine.space, _engine.nearest)} | searchers


@st.cache_resource(show_spinner=False)
def load_study(gallery_name):
    """What the build has found out about a gallery, as `Study` has it."""
    return Study.load(artifacts.study_path(gallery_name, artifacts.DIRECTORY))


def try_mnist_again():
    """Look for MNIST once more; if it is there now, the next `load_engine` searches it."""
    try:
        load_mnist(wait_s=DOWNLOAD_WAIT_S)
    except DataError as error:
        st.toast(str(error), icon=":material/cloud_off:")
    else:
        load_engine.clear()
