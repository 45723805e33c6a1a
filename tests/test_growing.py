import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from naive import full_sort

from autoencoder.data import NO_DIGIT, UNLABELED, Digits, Joined, StoredImages
from autoencoder.query.growing import MOST_ADDED, Growing, JoinedNeighbors, join
from autoencoder.query.search import NearestNeighbors, NearestNeighborsInBlocks


def digits(*numbers):
    """For each number a digit whose pixels, label and latent are that number."""
    n = np.array(numbers)
    return n[:, None, None].repeat(28, 1).repeat(28, 2).astype(np.uint8), n, n[:, None].repeat(32, 1).astype(np.float32)


def latents(*numbers):
    return digits(*numbers)[2]


def test_nothing_was_added_at_first():
    added = Growing().added
    assert len(added) == 0
    assert (added.images.shape, added.labels.shape, added.latents.shape) == ((0, 28, 28), (0,), (0, 32))


def test_digits_come_in_the_order_in_which_they_were_added():
    growing = Growing()
    growing.add(*digits(7))
    growing.add(*digits(1, 2))
    added = growing.added
    assert added.labels.tolist() == [7, 1, 2]
    assert added.images[:, 0, 0].tolist() == [7, 1, 2]
    assert added.latents[:, 31].tolist() == [7, 1, 2]
    assert (added.images.dtype, added.labels.dtype, added.latents.dtype) == (np.uint8, np.uint8, np.float32)


def test_whoever_was_given_digits_keeps_them_as_they_were():
    growing = Growing()
    growing.add(*digits(7))
    before = growing.added
    growing.add(*digits(1))
    assert before.labels.tolist() == [7]
    assert np.shares_memory(before.images, growing.added.images)
    for part in (before.images, before.labels, before.latents):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 0


def test_digits_that_are_cut_make_room_for_others():
    growing = Growing()
    growing.add(*digits(1))
    kept = growing.added
    growing.add(*digits(2, 3))
    growing.cut(1)
    assert growing.added.labels.tolist() == [1]
    growing.add(*digits(4))
    assert growing.added.labels.tolist() == [1, 4]
    growing.cut(5)  # there are fewer
    assert growing.added.labels.tolist() == [1, 4]
    assert kept.labels.tolist() == [1]


def test_ten_thousand_digits_are_taken_and_no_more():
    growing = Growing()
    all_but_one = np.zeros((MOST_ADDED - 1, 1), np.uint8)
    growing.add(all_but_one[:, :, None], all_but_one[:, 0], all_but_one)
    with pytest.raises(ValueError, match="expected at most 10000 digits, received 10001"):
        growing.add(*digits(1, 2))
    assert len(growing.added) == MOST_ADDED - 1
    growing.add(*digits(1))
    assert len(growing.added) == MOST_ADDED == 10_000
    with pytest.raises(ValueError, match="received 10001"):
        growing.add(*digits(2))


def test_many_threads_add_and_each_digit_is_there_once_and_whole():
    growing = Growing()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: growing.add(*digits(number)), range(200)))
    added = growing.added
    assert sorted(added.labels) == list(range(200))
    assert (added.images == added.labels[:, None, None]).all()
    assert (added.latents == added.labels[:, None]).all()


def test_the_added_come_after_the_gallery_s_own():
    nearest = JoinedNeighbors(NearestNeighbors(latents(0, 5)), latents(2, 9))
    assert nearest.vectors[:][:, 0].tolist() == [0, 5, 2, 9]
    distances, indices = nearest.kneighbors(latents(0, 8), 3)
    assert indices.tolist() == [[0, 2, 1], [3, 1, 2]]
    np.testing.assert_allclose(distances, np.sqrt(32) * np.array([[0, 2, 5], [1, 3, 6]]))


def test_of_the_equally_near_the_gallery_s_own_come_first():
    nearest = JoinedNeighbors(NearestNeighbors(latents(1, 3, 1)), latents(3, 1, 1))
    assert nearest.kneighbors(latents(1), 4)[1].tolist() == [[0, 2, 4, 5]]
    assert nearest.kneighbors(latents(2), 6)[1].tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize(("left_out", "found"), [(0, [1, 2]), (1, [0, 2]), (2, [0, 1]), (3, [0, 1])])
def test_what_is_left_out_may_be_among_both(left_out, found):
    nearest = JoinedNeighbors(NearestNeighbors(latents(1, 1)), latents(1, 1))
    assert nearest.kneighbors(latents(1), 2, exclude=left_out)[1].tolist() == [found]


@pytest.mark.parametrize(("n_first", "n_others"), [(1, 1), (1, 40), (40, 1), (7, 3)])
def test_all_can_be_asked_for_however_few_there_are_on_one_side(n_first, n_others):
    rng = np.random.default_rng(0)
    vectors = rng.integers(0, 3, (n_first + n_others, 32)).astype(np.float32)
    nearest = JoinedNeighbors(NearestNeighbors(vectors[:n_first]), vectors[n_first:])
    for left_out in (None, 0, len(vectors) - 1):
        n = len(vectors) - (left_out is not None)
        distances, indices = nearest.kneighbors(vectors[:1], n, exclude=left_out)
        expected = full_sort(vectors, vectors[0], n, left_out)
        assert indices[0].tolist() == expected[1].tolist()
        np.testing.assert_allclose(distances[0], expected[0])


def test_with_nothing_added_the_answer_is_the_gallery_s():
    nearest = JoinedNeighbors(NearestNeighbors(latents(0, 5)), latents(0)[:0])
    assert nearest.kneighbors(latents(4), 2)[1].tolist() == [[1, 0]]
    assert nearest.kneighbors(latents(4), 1, exclude=1)[1].tolist() == [[0]]


@pytest.mark.parametrize("kind", [NearestNeighbors, NearestNeighborsInBlocks])
def test_the_answer_is_that_of_a_full_sort_with_ties_and_whatever_is_left_out(kind):
    rng = np.random.default_rng(0)
    vectors = rng.integers(0, 2, (600, 5)).astype(np.float32)  # of 32 places, so that nearly all are tied
    nearest = JoinedNeighbors(kind(vectors[:400]), vectors[400:])
    left_out = rng.integers(0, 600, 60)
    queries = vectors[left_out]
    for n_neighbors in (1, 4, 33):
        for exclude in (None, left_out):
            distances, indices = nearest.kneighbors(queries, n_neighbors, exclude=exclude)
            for row, query in enumerate(queries):
                without = None if exclude is None else left_out[row]
                expected = full_sort(vectors, query, n_neighbors, without)
                assert indices[row].tolist() == expected[1].tolist()
                assert distances[row].tolist() == expected[0].tolist()


def test_the_answers_are_exact_while_others_add():
    rng = np.random.default_rng(0)
    own, others = (rng.integers(0, 3, (n, 32)).astype(np.float32) for n in (300, 400))
    vectors, first = np.concatenate([own, others]), NearestNeighbors(own)
    growing = Growing()
    is_done = threading.Event()

    def add():
        try:
            for latent in others:
                growing.add(np.zeros((1, 28, 28), np.uint8), np.zeros(1, np.uint8), latent[None])
        finally:
            is_done.set()

    def search(seed):
        query, sizes = np.random.default_rng(seed).integers(0, 3, (1, 32)).astype(np.float32), []
        is_over = False
        while not is_over:
            is_over, added = is_done.is_set(), growing.added  # in this order, so that all are searched at least once
            if len(added):
                sizes.append(len(added))
                found = JoinedNeighbors(first, added.latents).kneighbors(query, 4)[1][0]
                assert found.tolist() == full_sort(vectors[: 300 + len(added)], query[0], 4)[1].tolist()
        return sizes

    with ThreadPoolExecutor(4) as pool:
        seen = [pool.submit(search, seed) for seed in range(3)]
        pool.submit(add).result()
        sizes = [searching.result() for searching in seen]
    assert sizes == [sorted(of_thread) for of_thread in sizes]
    assert [of_thread[-1:] for of_thread in sizes] == [[400]] * 3
    assert len(growing.added) == 400


def test_a_gallery_is_joined_with_what_was_added():
    gallery = Digits("mnist", StoredImages(digits(1, 2)[0]), np.array([1, UNLABELED], np.uint8), "0" * 64, "two digits")
    growing = Growing()
    growing.add(digits(3, 4)[0], np.array([3, NO_DIGIT], np.uint8), latents(3, 4))
    joined = join(gallery, growing.added, "two digits and two drawings")
    assert (len(joined), joined.name, joined.title) == (4, "mnist", "two digits and two drawings")
    assert joined.labels.dtype == np.uint8
    assert [joined.label(index) for index in range(4)] == [1, None, 3, NO_DIGIT]
    assert joined.labeled == [1, 3]
    np.testing.assert_allclose(joined.images[[3, 0]][:, 0, 0], np.array([4, 1]) / 255)
    assert len(gallery) == 2


@pytest.mark.parametrize("second", ["array", "stored"])
def test_two_collections_are_read_as_one(second):
    images = np.arange(5 * 28 * 28, dtype=np.uint8).reshape(5, 28, 28)
    whole = StoredImages(images)[:]
    joined = Joined(StoredImages(images[:3]), StoredImages(images[3:]) if second == "stored" else whole[3:])
    assert (len(joined), joined.shape) == (5, (5, 28, 28))
    slices = [
        slice(a, b, step) for a in (None, 0, 2, 3, 4, -2, 9) for b in (None, 0, 3, 4, -1, 9) for step in (None, 2)
    ]
    masks = [whole[:, 0, 5] > 0.5, np.zeros(5, bool)]
    for some in (0, 2, 3, -1, -5, [4, 0, 3, 4], [], np.array([2, 1]), *masks, *slices, slice(None, None, -1)):
        np.testing.assert_array_equal(joined[some], whole[some])
        assert joined[some].dtype == np.float32
    for outside in (5, -6, [0, 5]):
        with pytest.raises(IndexError):
            joined[outside]
