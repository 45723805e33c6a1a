import numpy as np
import pytest

from autoencoder import data
from autoencoder.build import evaluate as evaluate_module
from autoencoder.build.evaluate import (
    classify,
    detect,
    evaluate,
    evaluate_all,
    format_table,
    hits_at_4,
    picture_failures,
    reconstruction_mse,
    summarize,
)
from autoencoder.data import UNLABELED, Digits, StoredImages
from autoencoder.spaces import PCA, Pixels


def line_of_digits(positions, labels):
    """Digits that are nothing but one pixel's brightness: in pixel space they lie on a line."""
    images = np.zeros((len(positions), 28, 28), np.float32)
    images[:, 0, 0] = positions
    return Digits("line", images, np.array(labels, np.uint8), "")


def test_hits_count_the_neighbors_that_show_the_query_s_digit():
    gallery = line_of_digits([0, 0.1, 0.2, 0.3, 0.4, 0.9], [1, 1, 1, 2, 2, 2])
    # The last one's neighbors are 0.4, 0.3, 0.2, 0.1: two 2s and two 1s. The first one's are 1, 1, 2, 2.
    assert hits_at_4(Pixels(), gallery).tolist() == [2, 2, 2, 1, 1, 2]


def test_queries_from_outside_are_not_left_out():
    gallery = line_of_digits([0, 0.1, 0.2, 0.3, 0.9], [1, 1, 1, 2, 2])
    queries = line_of_digits([0, 0.9], [1, 2])
    assert hits_at_4(Pixels(), gallery, queries).tolist() == [3, 2]


def test_disturbed_queries_are_left_out_of_their_own_answers():
    gallery = line_of_digits([0, 0.1, 0.2, 0.3, 0.4, 0.9], [1, 1, 1, 2, 2, 2])
    assert hits_at_4(Pixels(), gallery, gallery, in_gallery=True).tolist() == hits_at_4(Pixels(), gallery).tolist()


def test_noise_and_a_shift_cost_pixels_their_neighbors(bundled):
    results = evaluate_all([Pixels()], [bundled])
    precisions = {name: of_space["pixels"]["precision_at_4"] for name, of_space in results.items()}
    assert precisions["digits"] > precisions["digits_noisy"]
    assert precisions["digits"] > precisions["digits_shifted"] + 0.1


def test_the_error_of_disturbed_images_is_that_against_the_undisturbed():
    pca = PCA(np.zeros(784, np.float32), np.eye(1, 784, dtype=np.float32))  # keeps the first pixel alone
    wanted, disturbed = np.zeros((1, 28, 28), np.float32), np.ones((1, 28, 28), np.float32)
    assert reconstruction_mse(pca, disturbed, wanted) == pytest.approx(1 / 784)


def test_the_summary_is_the_mean_share_and_two_thresholds():
    summary = summarize(np.array([4, 3, 2, 1]))
    del summary["precision_at_4_interval"]
    assert summary == {"precision_at_4": 0.625, "at_least_3_of_4": 0.5, "all_4": 0.25}


def test_reconstruction_error_is_the_mean_over_all_pixels():
    pca = PCA(np.zeros(784, np.float32), np.eye(1, 784, dtype=np.float32))  # keeps the first pixel alone
    images = np.zeros((2, 28, 28), np.float32)
    images[0, 0, 0] = images[0, 0, 1] = 1
    assert reconstruction_mse(pca, images) == pytest.approx(1 / (2 * 784))


def test_every_space_is_evaluated_by_its_name(bundled):
    few = Digits("few", bundled.images[:200].copy(), bundled.labels[:200].copy(), "")
    results = evaluate([Pixels(), PCA.fit(few.images, seed=0)], few)
    assert set(results) == {"pixels", "pca"}
    assert "mse" not in results["pixels"]
    assert results["pca"]["mse"] < 0.05
    assert 0.5 < results["pixels"]["precision_at_4"] <= 1


def test_the_interval_holds_the_mean_and_narrows_with_the_queries():
    few, many = (summarize(np.tile([4, 4, 4, 2], n)) for n in (10, 1000))
    for summary in (few, many):
        low, high = summary["precision_at_4_interval"]
        assert low < 0.875 < high
    # The deviation of a query's share is 0.2165, of 4,000 queries' mean 0.2165 / √4000 = 0.0034: ± 1.96 of it.
    assert many["precision_at_4_interval"] == pytest.approx([0.875 - 0.0067, 0.875 + 0.0067], abs=0.0007)


def test_drawn_digits_are_searched_in_the_first_gallery_under_their_name(bundled):
    results = evaluate_all([Pixels()], [bundled], line_of_digits([0.5, 0.6], [1, 1]))
    assert list(results) == ["digits", "digits_noisy", "digits_shifted", "line"]


def stored(digits):
    """The digits as all of MNIST has them."""
    return Digits("mnist", StoredImages(np.round(255 * digits.images).astype(np.uint8)), digits.labels, "")


def test_all_of_mnist_is_searched_for_its_test_digits(bundled, monkeypatch):
    for module in (data, evaluate_module):
        monkeypatch.setattr(module, "N_TEST", 100)
    some = stored(Digits("", bundled.images[:400].copy(), bundled.labels[:400].copy(), ""))
    drawn = Digits("drawn", bundled.images[500:600].copy(), bundled.labels[500:600].copy(), "")
    results = evaluate_all([Pixels()], [some], drawn)
    assert {"mnist", "mnist_all", "drawn", "drawn_all"} < set(results)
    assert "knn" not in results  # there is no latent space
    for name in ("mnist", "drawn"):  # the more there are to choose from, the better
        few, many = results[name]["pixels"], results[f"{name}_all"]["pixels"]
        assert many["precision_at_4"] > few["precision_at_4"]
        assert many["look"] < few["look"]


def test_a_test_digit_is_what_most_of_its_three_nearest_training_digits_are(monkeypatch):
    monkeypatch.setattr(evaluate_module, "N_TEST", 3)
    # The first's nearest are 1, 2, 2; the second's 3, 1, 3; the third's 4, 5, 6, of which no two agree: the nearest.
    train = [(0.10, 1), (0.12, 2), (0.13, 2), (0.50, 3), (0.51, 1), (0.52, 3), (0.90, 4), (0.92, 5), (0.93, 6)]
    positions = [0.10, 0.49, 0.89] + [position for position, _ in train]
    gallery = line_of_digits(positions, [2, 3, 4] + [label for _, label in train])
    assert classify(Pixels(), gallery) == {"n_neighbors": 3, "accuracy": 1.0}
    wrong = line_of_digits(positions, [1, 3, 5] + [label for _, label in train])
    assert classify(Pixels(), wrong)["accuracy"] == pytest.approx(1 / 3)


def test_what_is_far_off_and_badly_redrawn_is_recognized_as_no_digit(bundled):
    pca = PCA.fit(bundled.images, seed=0)
    boards = np.random.default_rng(0).integers(0, 2, (50, 28, 28)).astype(np.float32)
    others = Digits("not_digits", boards, np.full(50, UNLABELED, np.uint8), "")
    drawn = Digits("drawn", bundled.images[:20].copy(), bundled.labels[:20].copy(), "")
    found = detect(pca, bundled, bundled, drawn, others)
    assert set(found) == {
        "detected", "false_alarms_digits", "auroc_digits", "false_alarms_drawn", "auroc_drawn"
    }  # fmt: skip
    assert found["detected"] == found["auroc_digits"] == 1
    assert found["false_alarms_digits"] < 0.02


def test_the_table_has_a_row_a_space():
    row = summarize(np.array([4, 4, 3])) | {"look": 0.0456}
    lines = format_table({"mnist": {"pixels": row, "latent": row | {"mse": 0.00456}}}).splitlines()
    assert lines[1].split()[:2] == ["pixels", "0.9167"]
    assert lines[1].endswith("–")
    assert lines[2].split()[-2:] == ["0.0456", "0.0046"]


def test_failures_show_the_query_beside_its_neighbors():
    gallery = line_of_digits([0, 0.1, 0.2, 0.3, 0.4], [1, 2, 2, 2, 2])
    picture = picture_failures(Pixels(), gallery)
    assert picture.shape == (90, 450)  # the first alone finds none of its kind
    assert picture[3, 3] == 255  # the query's first pixel, 0, dark on light
    assert picture[3, 90 * 4 + 3] == round(0.4 * 255)  # its fourth neighbor's
