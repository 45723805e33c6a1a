from dataclasses import replace

import numpy as np
import pytest

from autoencoder.data import Digits
from autoencoder.query import typical as module
from autoencoder.query.search import NearestNeighbors
from autoencoder.query.typical import FALSE_ALARMS, Traits, Typical, are_two_shapes
from autoencoder.spaces import PCA


@pytest.fixture(scope="module")
def searched(bundled):
    """The bundled digits as principal components tell them: a space, the gallery, its search, its traits."""
    space = PCA.fit(bundled.images, seed=0)
    nearest = NearestNeighbors(space.transform(bundled.images))
    own = np.arange(len(bundled))
    return space, bundled, nearest, Traits.searched(bundled.images, space, bundled, nearest, exclude=own)


@pytest.fixture
def typical(searched):
    return Typical.of(searched[-1])


@pytest.fixture
def enough(monkeypatch):
    """As many digits as are here are enough to judge by each of their traits."""
    monkeypatch.setattr(module, "ENOUGH", 0)


def traits_of(images, searched):
    return Traits.searched(images, *searched[:3])


def test_the_error_s_rank_is_the_share_that_is_redrawn_better(typical):
    assert typical.error_rank(np.median(typical.errors)) == pytest.approx(0.5, abs=0.001)
    assert typical.error_rank(0) == 0
    assert typical.error_rank(1) == 1


def test_a_distance_is_ranked_among_the_gallery_s_own(typical):
    few = replace(typical, distances=np.array([4, 1, 2, 3], np.float32))
    assert few.closer_than(0.5) == 1
    assert few.closer_than(2.5) == 0.5
    assert few.closer_than(3) == 0.25  # those that are farther, not those as far
    assert few.closer_than(9) == 0


def test_a_bar_is_full_where_nearly_all_digits_have_a_nearer_one(typical):
    hundred = replace(typical, distances=np.arange(101, dtype=np.float32))
    assert hundred.fullness(49.5) == 0.5
    assert hundred.fullness(99) == hundred.fullness(1000) == 1
    assert replace(typical, distances=np.zeros(5, np.float32)).fullness(0) == 0  # nothing but duplicates


def test_few_of_the_gallery_s_own_digits_are_strange(typical, searched, enough):
    alarms = typical.strangeness(searched[-1]) > typical.strange
    assert alarms.mean() == pytest.approx(FALSE_ALARMS, abs=0.002)


def test_what_is_odd_in_all_ways_is_the_strangest(typical, searched, enough):
    boards = np.random.default_rng(0).integers(0, 2, (5, 28, 28)).astype(np.float32)
    strangeness = typical.strangeness(traits_of(boards, searched))
    assert (strangeness > 2 * typical.strange).all()
    # Beyond all digits in all ways: three tail probabilities of 1 / (n + 1), each counted twice.
    assert strangeness.max() == pytest.approx(6 * np.log(len(typical.errors) + 1))


@pytest.mark.parametrize("way", [0, 1, 2])
def test_an_extreme_in_one_way_is_enough(typical, searched, way, enough):
    usual = np.median(typical.oddities, axis=0, keepdims=True)
    extreme = usual.copy()
    extreme[0, way] = 99
    before, after = typical._score(usual)[0], typical._score(extreme)[0]
    # The tail of the median is a half, that of what is beyond all n digits 1 / (n + 1), counted twice.
    assert before == pytest.approx(3 * np.log(2), abs=0.01)
    assert after == pytest.approx(2 * np.log(2) + 2 * np.log(len(typical.errors) + 1), abs=0.01)
    assert before < typical.strange < after


def test_by_few_digits_a_picture_has_to_be_far_off_and_badly_redrawn(typical):
    usual = np.median(typical.oddities, axis=0, keepdims=True)
    extreme = np.full((1, 3), 99.0)
    for odd in ([0], [1], [2], [0, 2], [1, 2]):
        oddities = usual.copy()
        oddities[:, odd] = extreme[:, odd]
        assert typical._score(oddities)[0] < typical.strange
    assert typical._score(extreme)[0] > typical.strange


def test_distance_and_error_are_compared_with_those_of_as_much_ink(searched, enough):
    # Digits of more ink are farther from each other here: log distance = log ink, and so are all errors.
    rng = np.random.default_rng(0)
    ink = rng.uniform(1, 4, 1000)
    log_ink = np.stack([np.ones(1000), ink, rng.normal(size=1000)], axis=1)
    noise = rng.normal(0, 0.01, (2, 1000))
    traits = Traits(np.exp(ink + noise[0])[:, None], np.ones(1000), ink + noise[1], rng.uniform(size=1000), log_ink)
    typical = Typical.of(traits)
    bold = replace(traits, distances=np.exp([[4.0]]), log_errors=np.array([4.0]), pieced=np.array([0.5]))
    bold = replace(bold, log_ink=np.array([[1, 4.0, 0]]))
    thin = replace(bold, log_ink=np.array([[1, 1.0, 0]]))
    assert typical.strangeness(bold)[0] < typical.strange < typical.strangeness(thin)[0]


def test_a_picture_that_is_the_mean_of_its_neighbors_is_pieced_together(bundled):
    neighbors = np.array([[0, 1, 2, 3]])
    mean = bundled.images[:4].mean(axis=0, keepdims=True)
    found = np.ones((1, 4)), neighbors
    assert Traits.of(mean, mean, bundled, *found).pieced == pytest.approx([0], abs=1e-9)
    other = bundled.images[9:10]
    assert Traits.of(other, other, bundled, *found).pieced[0] > 0.01


def test_it_is_kept(typical, searched, tmp_path, bundled):
    typical.save(tmp_path / "typical.npz")
    kept = Typical.load(tmp_path / "typical.npz")
    some = traits_of(bundled.images[:9], searched)
    np.testing.assert_array_equal(kept.strangeness(some), typical.strangeness(some))
    assert kept.strange == typical.strange


def test_the_smallest_gallery_has_what_is_typical(bundled):
    five = Digits("five", bundled.images[:5].copy(), bundled.labels[:5].copy(), "")
    space = PCA.fit(bundled.images, seed=0)
    nearest = NearestNeighbors(space.transform(five.images))
    typical = Typical.of(Traits.searched(five.images, space, five, nearest, exclude=np.arange(5)))
    assert typical.distances.shape == (5,)


def test_two_bars_apart_are_two_shapes_and_one_is_not():
    images = np.zeros((4, 28, 28), np.float32)
    images[0, 4:24, 8:11] = images[0, 4:24, 18:21] = 1  # 11
    images[1, 4:24, 13:16] = 1  # 1
    images[2, 4:24, 8:20] = 1
    images[2, 4:6, 22:24] = 1  # a speck beside it
    images[3, 4:8, 8:20] = images[3, 14:24, 8:20] = 1  # one above the other, as the parts of a 5 may be
    assert are_two_shapes(images).tolist() == [True, False, False, False]


@pytest.mark.mnist
def test_few_of_mnist_s_digits_are_two_shapes(gallery):
    assert are_two_shapes(gallery.images[:]).sum() == 11  # of 70,000; a 4 or a 5 whose strokes lie apart
