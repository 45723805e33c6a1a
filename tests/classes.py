"""Drawings to send to a class, the same on every machine, and a look into its file while a server has it."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from conftest import DRAWINGS

from autoencoder.classroom.store import ClassStore
from autoencoder.ink.strokes import scale_to_canvas
from autoencoder.query.question import Drawing

STROKES = {int(digit): strokes for digit, strokes in json.loads(DRAWINGS.read_text()).items()}


def drawing_of(digit):
    """A digit in the middle of the canvas; there are 0, 1, 2, 3, 6 and 7."""
    return Drawing.of(scale_to_canvas([np.array(stroke, float) for stroke in STROKES[digit]], 170))


def kept(file):
    """The drawings in a class' file, and its switches: read from a copy, since the server has the file for itself."""
    with TemporaryDirectory() as folder:
        for part in file.parent.glob(f"{file.name}*"):
            shutil.copy(part, folder)
        store = ClassStore(Path(folder) / file.name)
        try:
            return store.sent(), store.switches()
        finally:
            store.close()


def kept_digits(file):
    """The digits of the drawings, as they were sent."""
    return [sent.digit for sent in kept(file)[0]]
