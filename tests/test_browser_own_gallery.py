"""A gallery of one's own in a real browser, searched exactly and by Milvus."""

import subprocess
import sys

import numpy as np
import pytest
from browser import draw, serving, settle

from autoencoder.__main__ import main
from autoencoder.measure.serving import ROOT


@pytest.fixture(scope="module")
def own(bundled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    np.savez(folder / "digits.npz", images=bundled.images, labels=bundled.labels)
    assert main(["gallery", "build", str(folder / "digits.npz"), "--out", str(folder / "School"), "--as-is"]) == 0
    push = [sys.executable, "-m", "autoencoder", "gallery", "push", folder / "School", "--to", folder / "school.db"]
    subprocess.run(push, cwd=ROOT, check=True)  # in a process of its own: only one can have the file open
    return folder


@pytest.mark.parametrize("milvus", [False, True])
def test_a_drawing_finds_its_kind_in_a_gallery_of_ones_own(milvus, own, visit, drawings):
    environment = {"MILVUS": str(own / "school.db")} if milvus else {}
    with serving(GALLERY=str(own / "School"), **environment) as address:
        page = visit(address)
        draw(page, drawings[0][0])
        page.get_by_alt_text("neighbor 4, a 0").wait_for()
        page.get_by_text("Nearest of the 1,797 digits of School").wait_for()
        page.get_by_role("button", name="Random", exact=True).click()
        page.get_by_text("left out of its own results").wait_for()
        settle(page)
        assert "q=school-" in page.url
