import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from autoencoder import artifacts
from autoencoder.build.evaluate import evaluate
from autoencoder.data import NO_DIGIT, Digits
from autoencoder.ink.preprocess import digit_from_gray, digit_from_strokes, to_bytes
from autoencoder.query.engine import Engine
from autoencoder.query.growing import Growing
from autoencoder.query.search import NearestNeighbors
from autoencoder.spaces import PCA, Pixels


def test_a_query_gives_latent_reconstruction_and_neighbors(engine, gallery):
    result = engine.search(gallery.images[0])
    assert result.latent.shape == (32,)
    assert result.reconstruction.shape == (28, 28)
    assert 0 <= result.reconstruction.min() <= result.reconstruction.max() <= 1
    assert result.reconstruction_mse == pytest.approx(np.square(result.reconstruction - gallery.images[0]).mean())
    assert len(result.neighbors) == 4
    assert [n.distance for n in result.neighbors] == sorted(n.distance for n in result.neighbors)
    assert all(n.label == gallery.labels[n.index] for n in result.neighbors)


def test_a_gallery_digit_finds_itself_unless_it_is_left_out(engine, gallery):
    assert engine.search(gallery.images[7]).neighbors[0].index == 7
    assert engine.search(gallery.images[7]).neighbors[0].distance < 0.01
    assert 7 not in [neighbor.index for neighbor in engine.search(gallery.images[7], 20, exclude=7).neighbors]


def test_distances_are_those_between_latents(engine, gallery):
    result = engine.search(gallery.images[0], 1, exclude=0)
    (neighbor,) = result.neighbors
    there = engine.search(gallery.images[neighbor.index]).latent
    assert neighbor.distance == pytest.approx(np.linalg.norm(result.latent - there), rel=1e-3)


def test_a_result_cannot_be_changed(engine, gallery):
    result = engine.search(gallery.images[0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.query = None
    for array in (result.query, result.latent, result.reconstruction):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("digit", "message"),
    [
        (np.zeros((1, 28, 28)), r"expected a digit \(28, 28\), received \(1, 28, 28\)"),
        (np.full((28, 28), 255.0), r"in \[0, 1\]"),
        (np.full((28, 28), np.nan), r"in \[0, 1\]"),
    ],
)
def test_what_is_no_digit_is_refused(engine, digit, message):
    with pytest.raises(ValueError, match=message):
        engine.search(digit)


def test_more_neighbors_than_the_gallery_has_are_refused(engine, gallery):
    with pytest.raises(ValueError, match="n_neighbors"):
        engine.search(gallery.images[0], len(gallery), exclude=0)


def test_many_threads_get_the_answers_of_one(engine, gallery):
    queries = [gallery.images[index] for index in range(200)]
    alone = [engine.search(query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(engine.search, queries))
    for one, other in zip(alone, together, strict=True):
        assert [n.index for n in one.neighbors] == [n.index for n in other.neighbors]
        np.testing.assert_allclose(one.latent, other.latent, atol=1e-5)


def test_latents_of_another_gallery_are_refused(gallery):
    another = Digits(gallery.name, gallery.images, gallery.labels, "another")
    with pytest.raises(artifacts.ArtifactError, match="python -m autoencoder encode"):
        Engine.load(another, artifacts.DIRECTORY)


def test_a_missing_number_of_latents_is_refused(gallery):
    with pytest.raises(ValueError, match="one a digit"):
        Engine(gallery, NearestNeighbors(np.zeros((3, 32), np.float32)), None, None)


@pytest.mark.mnist
def test_the_test_digits_have_the_same_indices_alone(engine, gallery):
    assert (len(engine.gallery), len(engine.unseen.gallery)) == (70_000, 10_000)
    for index in (0, 9_999):
        np.testing.assert_array_equal(engine.unseen.gallery.images[index], gallery.images[index])
        found = [n.index for n in engine.search(gallery.images[index], 500, exclude=index).neighbors]
        among_test = engine.unseen.search(gallery.images[index], 4, exclude=index).neighbors
        assert [n.index for n in among_test] == [other for other in found if other < 10_000][:4]


def test_a_gallery_without_a_part_is_searched_as_it_is(bundled):
    engine = Engine.load(bundled, artifacts.DIRECTORY)
    assert engine.unseen is engine


def test_the_nearest_of_a_label_is_the_first_among_all_neighbors(engine, gallery):
    result = engine.search(gallery.images[7], 1000, exclude=7)
    labels = [neighbor.label for neighbor in result.neighbors]
    for label in set(labels):
        rank, nearest = engine.find_nearest_of(label, result, exclude=7)
        assert rank == labels.index(label) + 1
        assert nearest.index == result.neighbors[rank - 1].index
        assert nearest.distance == pytest.approx(result.neighbors[rank - 1].distance)


def test_there_is_no_nearest_of_a_label_that_no_digit_has(engine, gallery):
    with pytest.raises(ValueError, match="received 10"):
        engine.find_nearest_of(10, engine.search(gallery.images[7]))


def test_two_digits_side_by_side_are_two_shapes(engine):
    def one(x):
        return np.array([[x, 60.0], [x, 220.0]])

    assert engine.search(digit_from_strokes([one(90), one(190)])).two_shapes
    assert not engine.search(digit_from_strokes([one(140)])).unlike


def test_letters_that_no_digit_looks_like_are_unlike_the_gallery_and_drawn_digits_are_not(engine, drawings):
    def printed(letter):
        picture = Image.new("L", (320, 320), "white")
        ImageDraw.Draw(picture).text((80, 30), letter, fill="black", font=ImageFont.load_default(200))
        return digit_from_gray(np.asarray(picture, np.float32) / 255)

    assert all(engine.search(printed(letter)).unlike for letter in "EMNWm#")
    assert not any(engine.search(printed(letter)).unlike for letter in "OSZlq")  # they are 0, 5, 2, 1 and 9 as well
    drawn = [engine.search(digit_from_strokes(drawing)) for digit in drawings for drawing in drawings[digit][:20]]
    assert np.mean([result.unlike for result in drawn]) <= 0.02


def test_the_gallery_s_own_digits_are_rarely_unlike_it(engine, gallery):
    results = [engine.search(gallery.images[index], 1, exclude=index) for index in range(500)]
    assert 0 < np.mean([result.unlike for result in results]) <= 0.02
    assert 0.3 < np.mean([result.error_rank for result in results]) < 0.7


def test_a_checkerboard_is_unlike_every_digit(engine):
    board = np.kron(np.indices((7, 7)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.float32)
    result = engine.search(board)
    assert result.unlike
    assert result.error_rank == 1


def test_the_reconstruction_error_is_that_of_the_shown_pictures(engine, gallery):
    result = engine.search(gallery.images[0])
    assert result.reconstruction_mse == pytest.approx(np.square(result.reconstruction - result.query).mean())


def test_clear_drawings_find_their_digit(engine, drawings):
    labels = [
        [neighbor.label for neighbor in engine.search(digit_from_strokes(drawing)).neighbors].count(digit)
        for digit, examples in drawings.items()
        for drawing in examples[:20]
    ]
    assert np.mean(labels) / 4 > 0.8


@pytest.fixture(scope="module")
def growing(engine):
    """A zigzag that is no digit, and a 7 of strokes."""
    zigzag = digit_from_strokes([np.array([[step * 20.0, 100.0 * (step % 2)] for step in range(10)])])
    seven = digit_from_strokes([np.array([[20.0, 20.0], [200.0, 20.0], [100.0, 250.0]])])
    images, added = np.stack([zigzag, seven]), Growing()
    added.add(to_bytes(images), np.array([NO_DIGIT, 7], np.uint8), engine.space.transform(images))
    return added


@pytest.fixture(scope="module")
def taught(engine, growing):
    return engine.joined_with(growing.added, "the gallery and two drawings")


def test_what_was_added_is_found_and_said_to_be_added(taught, engine, growing):
    n = len(engine.gallery)
    for place, label in enumerate([NO_DIGIT, 7]):
        digit = growing.added.images[place].astype(np.float32) / 255
        nearest, *others = taught.search(digit).neighbors
        assert (nearest.index, nearest.label, nearest.is_added) == (n + place, label, True)
        assert nearest.distance == pytest.approx(0, abs=1e-3)
        assert [(one.index, one.distance) for one in others] == [
            (one.index, one.distance) for one in engine.search(digit, 3).neighbors
        ]
        assert not any(one.is_added for one in others)
        assert taught.search(digit, exclude=n + place).neighbors == engine.search(digit).neighbors
        np.testing.assert_array_equal(taught.gallery.images[n + place], digit)


def test_the_engine_that_was_joined_with_others_stays_as_it_was(taught, engine, gallery):
    assert (len(taught.gallery), len(engine.gallery)) == (len(gallery) + 2, len(gallery))
    assert (taught.gallery.title, engine.gallery.title) == ("the gallery and two drawings", gallery.title)
    assert len(engine.nearest.vectors) == len(gallery)
    for shared in ("typical", "space", "unseen"):
        assert getattr(taught, shared) is getattr(engine, shared)
    assert len(taught.unseen.gallery) == len(engine.unseen.gallery)


def test_what_is_typical_is_said_by_the_gallery_s_own(taught, engine, gallery):
    for index in range(20):
        one, other = (searched.search(gallery.images[index], exclude=index) for searched in (taught, engine))
        assert (one.neighbors, one.unlike) == (other.neighbors, other.unlike)
        assert (one.reconstruction_mse, one.error_rank) == (other.reconstruction_mse, other.error_rank)


def test_the_nearest_of_a_label_may_have_been_added(taught, engine, growing):
    digit = growing.added.images[1].astype(np.float32) / 255
    result = taught.search(digit)
    n = len(engine.gallery)
    rank, nearest = taught.find_nearest_of(7, result)
    assert (rank, nearest) == (1, result.neighbors[0])
    rank, nearest = taught.find_nearest_of(NO_DIGIT, result)
    assert (nearest.index, nearest.label, nearest.is_added) == (n, NO_DIGIT, True)
    assert rank > 1
    rank, nearest = taught.find_nearest_of(7, result, exclude=n + 1)
    assert (rank, nearest) == engine.find_nearest_of(7, result)


def test_a_drawing_that_is_added_later_is_not_in_the_engine_that_was_joined_before(taught, growing, engine):
    later = np.zeros((1, 28, 28), np.float32)
    later[:, 4:24, 13:15] = 1
    growing.add(to_bytes(later), np.array([1], np.uint8), engine.space.transform(later))
    assert taught.search(later[0]).neighbors == engine.search(later[0]).neighbors
    assert engine.joined_with(growing.added, "").search(later[0]).neighbors[0].index == len(engine.gallery) + 2


def test_an_engine_can_be_joined_with_nothing(engine, gallery):
    nothing = engine.joined_with(Growing().added, gallery.title)
    assert nothing.search(gallery.images[0]).neighbors == engine.search(gallery.images[0]).neighbors


@pytest.fixture(scope="module")
def committed(engine):
    return evaluate([Pixels(), PCA.load(artifacts.DIRECTORY)], engine.unseen.gallery)


def test_the_latent_space_beats_pixels_and_pca(committed, engine):
    latent = evaluate([engine.space], engine.unseen.gallery)["latent"]
    assert latent["precision_at_4"] > committed["pixels"]["precision_at_4"]
    assert latent["precision_at_4"] > committed["pca"]["precision_at_4"]
    assert latent["precision_at_4"] > 0.955
    assert latent["mse"] < committed["pca"]["mse"]
