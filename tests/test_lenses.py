"""The lenses Morph, Noise and Shift: what they compute, and the pages by AppTest."""

import base64
import io
import re

import numpy as np
import pytest
from pages import asked, captions, headlines, lesson, on_canvas
from PIL import Image

from autoencoder import artifacts
from autoencoder.disturb import shift
from autoencoder.query.question import Drawing, Picture
from autoencoder.ui import loading
from autoencoder.ui.pages import morph
from autoencoder.ui.pages.morph import describe_way, kinds_on_the_way, load_firsts, way, with_ends
from autoencoder.ui.pages.noise import NOISE, STROKE, describe_errors, describe_removed
from autoencoder.ui.pages.shift import describe_shift
from autoencoder.ui.pictures import PIXELATED


@pytest.fixture(scope="module", autouse=True)
def fresh_cache():
    loading.load_engine.clear()
    yield
    loading.load_engine.clear()


def shown(app, alt):
    """The one image element whose text for those who cannot see it is this."""
    (image,) = [image for image in app.image if image.proto.imgs[0].alt == alt]
    return image.proto.imgs[0].url


def pixels(uri):
    """The digit (28, 28) that a picture shows."""
    data = uri.removesuffix(PIXELATED).split(",")[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), float) / 255


def words(app):
    return " ".join(element.value for kind in (app.markdown, app.caption) for element in kind)


def test_the_way_goes_in_equal_steps_from_one_latent_to_the_other():
    points = way(np.array([0, 1], np.float32), np.array([20, 1], np.float32))
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, [[step, 1] for step in range(21)])


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([7, 7, 4, 4, 4], "A 7 turns into a 4 at 50% of the way."),
        ([8, 8, 8, 8, 1], "An 8 turns into a 1 at 100% of the way."),
        ([8, 8], "It stays an 8 all the way."),
        ([7, 9, 9, 4], "It goes from 7 to 4 by way of 9."),
        ([1, 7, 1, 8, 3], "It goes from 1 to 3 by way of 7 and 8."),
        ([1, 7, 2, 8, 3], "It goes from 1 to 3 by way of 7, 2 and 8."),
        ([3, 8, 3], "It goes from 3 to 3 by way of 8."),
        ([3, 5, 3, 5, 5], "A 3 turns into a 5 and back. It stays a 5 from 75% of the way on."),
        ([8, 1, 1, 8, 1], "An 8 turns into a 1 and back. It stays a 1 from 100% of the way on."),
        ([3, None, 5], "It goes from one digit to another."),
    ],
)
def test_the_way_is_told_by_the_kinds_that_are_on_it(kinds, said):
    assert describe_way(kinds) == said


def test_the_kinds_on_the_way_are_those_of_the_nearest_digits(engine, gallery):
    assert kinds_on_the_way(engine, engine.nearest.vectors[:5]) == gallery.labels[:5].tolist()


def test_a_gallery_that_is_too_large_to_be_searched_so_often_is_not(monkeypatch, engine):
    monkeypatch.setattr(morph, "LARGEST_GALLERY", len(engine.gallery) - 1)
    assert kinds_on_the_way(engine, engine.nearest.vectors[:2]) == [None, None]


@pytest.mark.parametrize(
    ("start", "end", "kinds"), [(None, None, [2, 9, 4]), (7, None, [7, 9, 4]), (None, 1, [2, 9, 1]), (0, 0, [0, 9, 0])]
)
def test_the_ends_of_the_way_are_what_they_are_known_to_be(start, end, kinds):
    assert with_ends([2, 9, 4], start, end) == kinds


def test_the_first_digits_of_each_kind_are_found_once_a_gallery(gallery):
    firsts = load_firsts(gallery, gallery.name, gallery.sha256)
    assert load_firsts(gallery, gallery.name, gallery.sha256) is firsts
    assert firsts == {digit: np.flatnonzero(gallery.labels == digit)[:2].tolist() for digit in range(10)}


def test_the_query_is_not_its_own_goal(gallery):
    first, second = np.flatnonzero(gallery.labels == 3)[:2]
    app = lesson("morph", q=f"{gallery.name}-{first}")
    app.selectbox(key="goal").set_value("3").run()
    engine = loading.load_engine().engine
    app.slider(key="share").set_value(100).run()
    expected = engine.search(engine.gallery.images[second]).reconstruction
    np.testing.assert_allclose(pixels(shown(app, "the digit at 100 % of the way")), expected, atol=0.02)


def test_morph_goes_to_another_kind_of_digit_at_first(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    assert app.selectbox(key="goal").value[0] != str(gallery.labels[7])


def test_a_goal_that_was_chosen_stays_and_another_follows_the_query(gallery):
    zero = np.flatnonzero(gallery.labels == 0)[3]
    app = lesson("morph", q=f"{gallery.name}-{zero}")
    assert app.selectbox(key="goal").value == "1"
    app.selectbox(key="digit").set_value(1).run()
    assert app.selectbox(key="goal").value == "0"
    app.selectbox(key="goal").set_value("1").run()
    assert headlines(app) == ["It stays a 1 all the way."]
    app.selectbox(key="digit").set_value(0).run()
    assert app.selectbox(key="goal").value == "1"


def test_a_chosen_look_alike_that_another_query_lacks_gives_way_to_a_goal_of_another_kind(gallery):
    zero = np.flatnonzero(gallery.labels == 0)[3]
    app = lesson("morph", q=f"{gallery.name}-{zero}")
    (goal,) = [option for option in app.selectbox(key="goal").options if "(look-alike 2)" in option]
    app.selectbox(key="goal").set_value(goal).run()
    app.selectbox(key="digit").set_value(1).run()
    assert app.selectbox(key="goal").value == "0"
    app.selectbox(key="digit").set_value(0).run()
    assert app.selectbox(key="goal").value == "1"


def test_both_ends_of_the_way_are_the_reconstructions(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    app.selectbox(key="goal").set_value("3").run()
    engine = loading.load_engine().engine
    three = np.flatnonzero(engine.gallery.labels == 3)[0]
    for percent, index in ((0, 7), (100, three)):
        app.slider(key="share").set_value(percent).run()
        expected = engine.search(engine.gallery.images[index]).reconstruction
        np.testing.assert_allclose(pixels(shown(app, f"the digit at {percent} % of the way")), expected, atol=0.02)


def test_the_row_says_the_kind_of_each_picture(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    app.selectbox(key="goal").set_value("3").run()
    (row,) = [image for image in app.image if len(image.proto.imgs) > 1]
    assert len(row.proto.imgs) == 11
    assert row.proto.imgs[0].caption == str(gallery.labels[7])
    assert row.proto.imgs[10].caption == "3"


def test_the_row_begins_with_what_the_visitor_says_and_names_the_digits_that_it_is_compared_with(gallery):
    picture = Picture.of(gallery.images[7])
    app = lesson("morph", q=picture.to_text())
    told = (gallery.label(7) + 1) % 10
    app.session_state["visit"].tell(picture, told)
    app.run()
    assert app.selectbox(key="goal").value != str(told)
    (row,) = [image for image in app.image if len(image.proto.imgs) > 1]
    assert row.proto.imgs[0].caption == str(told)
    searched = loading.load_engine().engine.unseen.gallery.title
    assert f"Below each picture: the nearest of {searched}." in words(app)


PLAYED = "the way from the query to the other digit and back, played"


def test_nothing_plays_before_play_is_pressed_nor_after_stop(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    alts = [image.proto.imgs[0].alt for image in app.image]
    assert PLAYED not in alts
    app.button(key="play").click().run()
    picture = shown(app, PLAYED)
    assert Image.open(io.BytesIO(base64.b64decode(picture.split(",")[1]))).n_frames > 20
    assert len(picture) < 150_000
    assert app.button(key="play").label == "Stop"
    app.button(key="play").click().run()
    assert PLAYED not in [image.proto.imgs[0].alt for image in app.image]


def test_another_position_stops_what_plays(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    app.button(key="play").click().run()
    app.slider(key="share").set_value(25).run()
    assert shown(app, "the digit at 25 % of the way")
    assert app.button(key="play").label == "Play"


def test_a_drawing_is_morphed_without_being_graded(strokes, drawings):
    strokes.extend(on_canvas(drawings[3][0]))
    app = lesson("morph")
    assert asked(app) == Drawing.of(strokes).to_text()
    assert re.match(r"An? \d turns|It goes from \d to \d", headlines(app)[0])


def test_a_turned_knob_draws_what_its_end_shows(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    app.selectbox(key="knob").set_value(4).run()
    engine = loading.load_engine().engine
    column = engine.unseen.nearest.vectors[:, 4]
    for percent, end, value in ((-100, "low", column.min()), (100, "high", column.max())):
        app.slider(key="turn").set_value(percent).run()
        own = shown(app, f"the query with number 5 at {value:.2f}")
        assert own == shown(app, f"number 5 at its {end} end")
        assert f"in this picture **{value:.2f}**".replace("-", "−") in words(app)


def test_an_unturned_knob_draws_the_reconstruction(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    engine = loading.load_engine().engine
    result = engine.search(gallery.images[7])
    number = app.selectbox(key="knob").value
    picture = pixels(shown(app, f"the query with number {number + 1} at {result.latent[number]:.2f}"))
    np.testing.assert_allclose(picture, result.reconstruction, atol=0.01)


def test_all_numbers_are_drawn_when_that_is_opened(gallery):
    app = lesson("morph", q=f"{gallery.name}-7")
    assert "**Kind of digit**" not in words(app)
    app.session_state["knobs"] = True
    app.run()
    assert "**Kind of digit**" in words(app)
    sheets = [image for image in app.image if "at its ends" in image.proto.imgs[0].alt]
    numbers = [number for sheet in sheets for number in re.findall(r"\d+", sheet.proto.imgs[0].alt)]
    assert sorted(map(int, numbers)) == list(range(1, 33))


@pytest.mark.parametrize(
    ("kind", "disturbed", "ours", "linear", "said"),
    [
        (NOISE, 0.04, 0.01, 0.02, "The autoencoder removed 75% of the noise."),
        (NOISE, 0.04, 0.02, 0.01, "The autoencoder removed 50% of the noise. PCA removed 75%."),
        (STROKE, 0.01, 0.02, 0.03, "The autoencoder removed none of the stroke."),
        (STROKE, 0.01, 0.01, 0.03, "The autoencoder removed none of the stroke."),
    ],
)
def test_what_became_of_the_noise_is_judged_by_the_clean_digit(kind, disturbed, ours, linear, said):
    assert describe_removed(kind, disturbed, ours, linear) == said


def test_the_sentence_on_noise_has_its_figures_below_it():
    said = describe_errors(STROKE, 0.01, 0.02, 0.03, 0.005)
    assert "with a stroke **0.0100**, redrawn by the autoencoder **0.0200**, by PCA **0.0300**." in said
    assert "costs 0.0050" in said


def test_noise_is_removed_and_pca_removes_less(gallery):
    app = lesson("noise", q=f"{gallery.name}-7")
    app.slider(key="noise_amount").set_value(50).run()
    disturbed, ours, linear = map(float, re.findall(r"\*\*(0\.\d{4})\*\*", words(app))[:3])
    assert ours < linear < disturbed
    assert re.fullmatch(r"The autoencoder removed \d\d% of the noise\.", headlines(app)[0])


def test_without_noise_there_is_nothing_to_judge(gallery):
    app = lesson("noise", q=f"{gallery.name}-7")
    app.slider(key="noise_amount").set_value(0).run()
    assert headlines(app) == ["Does the noise survive? Add some and see."]
    np.testing.assert_allclose(pixels(shown(app, "With noise")), gallery.images[7], atol=0.01)


def test_the_noisy_digit_s_four_neighbors_are_shown(gallery):
    app = lesson("noise", q=f"{gallery.name}-7")
    alts = [image.proto.imgs[0].alt for image in app.image]
    assert len([alt for alt in alts if alt.startswith("neighbor ")]) == 4
    assert {"With noise", "Redrawn by the autoencoder", "Redrawn by PCA (32 numbers)"} <= set(captions(app))


@pytest.mark.parametrize(
    ("by_px", "latent", "pixels", "said"),
    [
        (
            2,
            0.124,
            0.77,
            "Shifted by 2 pixels, the digit moves 12% as far as a random other digit (pixels: 77%). "
            "Less affected: autoencoder.",
        ),
        (
            -1,
            0.5,
            0.25,
            "Shifted by 1 pixel, the digit moves 50% as far as a random other digit (pixels: 25%). "
            "Less affected: pixels.",
        ),
        (0, 0, 0, "Not shifted yet. Move the slider and see."),
    ],
)
def test_a_shift_is_told_beside_the_distance_of_random_digits(by_px, latent, pixels, said):
    assert describe_shift(by_px, latent, pixels) == said


def test_a_shift_is_measured_from_the_digit_where_it_was(gallery):
    app = lesson("shift", q=f"{gallery.name}-7")
    app.slider(key="shift").set_value(3).run()
    np.testing.assert_allclose(pixels(shown(app, "the query, shifted by 3")), shift(gallery.images[7], 3), atol=0.01)
    searched = loading.load_engine().engine.unseen.gallery
    vectors = searched.images[:].reshape(len(searched), -1)
    one, other = np.random.default_rng(0).integers(len(searched), size=(2, 1000))
    usual = np.median(np.linalg.norm(vectors[one] - vectors[other], axis=1))
    distance = np.linalg.norm(gallery.images[7] - shift(gallery.images[7], 3)) / usual
    assert f"(pixels: {distance:.0%})" in headlines(app)[0]


def test_a_click_shifts_the_first_1_of_the_gallery(gallery):
    app = lesson("shift", q=f"{gallery.name}-7")
    app.button(key="one").click().run()
    assert asked(app) == f"{gallery.name}-{np.flatnonzero(gallery.labels == 1)[0]}"
    assert headlines(app)[0].startswith("Shifted by 2 pixels")
    assert "Nearest by the autoencoder:" in words(app)
    assert "Nearest by pixels:" in words(app)


@pytest.mark.mnist  # the build has measured shifts there alone
def test_the_figures_on_shifts_are_those_of_the_metrics(gallery):
    app = lesson("shift", q=f"{gallery.name}-7")
    measured = artifacts.load_metrics()[f"{gallery.name}_shifted"]
    for name in ("latent", "pixels"):
        assert f"**{measured[name]['precision_at_4']:.1%}**" in words(app)
