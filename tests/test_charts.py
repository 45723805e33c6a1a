import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from autoencoder.ui.atlas import GROUNDS
from autoencoder.ui.charts import DIGIT_COLORS, OURS, SPACE_COLORS

CONFIG = Path(__file__).parent.parent / ".streamlit" / "config.toml"
THEME = tomllib.loads(CONFIG.read_text("utf-8"))["theme"]


def luminance(color):
    """The relative luminance of WCAG 2.1."""
    shares = np.array(list(bytes.fromhex(color[1:]))) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("ground", GROUNDS.values())
def test_every_color_of_a_chart_stands_out_from_the_ground(ground):
    assert luminance("#ffffff") == pytest.approx(1)
    for color in (*DIGIT_COLORS, *SPACE_COLORS.values(), *THEME["chartCategoricalColors"]):
        darker, lighter = sorted([luminance(color), luminance(ground)])
        assert (lighter + 0.05) / (darker + 0.05) >= 3, color


def lab(color):
    """A color in CIELAB, of white D65."""
    shares = np.array(list(bytes.fromhex(color[1:]))) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    rows = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    x, y, z = np.cbrt(np.array(rows) @ linear / [0.95047, 1, 1.08883])  # none is so dark that another formula holds
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_digits_are_told_apart_by_their_colors():
    for one, other in combinations((*DIGIT_COLORS, OURS), 2):
        assert np.linalg.norm(lab(one) - lab(other)) > 20, (one, other)  # 2.3 can just be seen (CIE76)


def test_the_spaces_have_the_first_of_the_theme_s_colors():
    assert THEME["chartCategoricalColors"][: len(SPACE_COLORS)] == list(SPACE_COLORS.values())
