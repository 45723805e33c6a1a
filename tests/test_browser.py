"""The journeys of a visitor: a real browser, a real server."""

import os
import re

import numpy as np
import pytest
from browser import ANSWER_MS, browser_path, chromium, draw, serving, settle
from PIL import Image
from playwright.sync_api import expect

from autoencoder.preprocess import digit_from_strokes


@pytest.fixture(scope="module")
def server(browser):
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if not browser_path():
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium", pytrace=False)
        pytest.skip("no Chromium or Chrome here")
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser):
    """Open a page; at the end its console must have been free of errors."""
    errors, contexts = [], []

    def open_page(address, **options):
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 720}} | options)))
        page = contexts[-1].new_page()
        page.set_default_timeout(ANSWER_MS)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.locator("canvas.upper-canvas").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(visit, server):
    return visit(server)


def found(page):
    """The lines that name the neighbours on the page."""
    return page.get_by_text(re.compile(r"distance \d"))


def expect_neighbors(page, *digits):
    """Wait until the page shows four neighbours, of these digits in turn or of any."""
    labels = digits or [r"\d"] * 4
    expect(found(page)).to_have_text([re.compile(rf"a {label}, distance") for label in labels], timeout=ANSWER_MS)


def labels(page):
    """The labels of the neighbours once the app has finished."""
    settle(page)
    return [int(re.search(r"a (\d)", text)[1]) for text in found(page).all_inner_texts()]


def picture(page, alt):
    return page.get_by_alt_text(alt).get_attribute("src")


def clear_drawing(examples, digit, engine):
    """The first drawing of a digit that has no other digit near it; one must be among the first thirty."""
    for drawing in examples[:30]:
        near = engine.search(digit_from_strokes(drawing), 12).neighbors
        if {neighbor.label for neighbor in near} == {digit}:
            return drawing
    raise AssertionError(f"no clear {digit} among {len(examples[:30])} drawings")


@pytest.mark.parametrize("digit", range(10))
def test_a_drawn_digit_finds_four_of_its_kind(page, digit, drawings, engine):
    if digit not in drawings:
        pytest.skip(f"no drawing of a {digit} here")
    draw(page, clear_drawing(drawings[digit], digit, engine))
    expect_neighbors(page, *[digit] * 4)
    expect(page.get_by_alt_text("the query as the model sees it")).to_be_visible()
    expect(page.get_by_alt_text("the reconstruction")).to_be_visible()


def test_undo_takes_the_last_stroke_back_and_clear_all(page, drawings):
    draw(page, drawings[0][0])
    expect_neighbors(page)
    before = labels(page), picture(page, "the query as the model sees it")
    for height in (40, 240):
        box = page.locator("canvas.upper-canvas").bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + height)
        page.mouse.down()
        page.mouse.move(box["x"] + 250, box["y"] + height, steps=5)
        page.mouse.up()
        settle(page)
    expect(page.get_by_alt_text("the query as the model sees it")).not_to_have_attribute("src", before[1])
    for _ in range(2):
        page.locator(".st-key-undo button").click()
        settle(page)
    expect_neighbors(page, *before[0])
    expect(page.get_by_alt_text("the query as the model sees it")).to_have_attribute("src", before[1])

    page.locator(".st-key-clear button").click()
    page.get_by_text("Draw a digit from 0 to 9").wait_for()
    assert found(page).count() == 0
    assert page.locator(".st-key-undo button").is_disabled()
    draw(page, drawings[0][0])
    expect_neighbors(page, *before[0])


def test_the_drawing_outlasts_a_look_at_another_source(page, drawings):
    draw(page, drawings[0][0])
    expect_neighbors(page)
    before = labels(page), picture(page, "the query as the model sees it")
    page.get_by_role("radio", name="Upload").click()
    page.get_by_text("Choose a picture of one handwritten digit").wait_for()
    page.get_by_role("radio", name="Draw").click()
    expect_neighbors(page, *before[0])
    expect(page.get_by_alt_text("the query as the model sees it")).to_have_attribute("src", before[1])


def test_random_query_shows_another_digit_each_time(page):
    seen = []
    for _ in range(3):
        page.locator(".st-key-random button").click()
        settle(page)
        expect_neighbors(page)
        seen.append(page.get_by_text(re.compile(r"Digit \d+ of the gallery")).inner_text())
    assert seen[0] != seen[1] != seen[2]


def test_an_uploaded_picture_is_searched(page, gallery, tmp_path):
    path = tmp_path / "digit.jpg"
    digit = np.round(255 - 255 * gallery.images[0]).astype(np.uint8)
    Image.fromarray(digit).resize((280, 280)).save(path)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(path)
    expect_neighbors(page)
    assert labels(page).count(gallery.labels[0]) >= 3


def test_an_upload_that_is_no_picture_gets_a_sentence_and_the_page_stays_usable(page, tmp_path):
    path = tmp_path / "digit.png"
    path.write_bytes(b"no picture")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("not a picture that can be read").wait_for()
    page.locator(".st-key-random button").click()
    expect_neighbors(page)


@pytest.mark.parametrize("width", [360, 820, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_scrolls_sideways(visit, server, drawings, width, scheme):
    page = visit(server, viewport={"width": width, "height": 800}, color_scheme=scheme)
    draw(page, drawings[0][0])
    expect_neighbors(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Nor is the canvas cut off, in a column narrower than it is.
    assert page.locator(".dc-scroll").evaluate("scroll => scroll.scrollWidth <= scroll.clientWidth")


def test_pictures_stay_crisp(page):
    page.locator(".st-key-random button").click()
    expect_neighbors(page)
    natural, shown = page.get_by_alt_text(re.compile("neighbor 1")).evaluate("i => [i.naturalWidth, i.clientWidth]")
    assert natural == 280
    assert shown <= natural


def test_without_mnist_and_network_the_bundled_gallery_is_searched(visit, drawings, tmp_path):
    with serving(MNIST_NPZ="", KERAS_HOME=str(tmp_path)) as address:
        page = visit(address)
        draw(page, drawings[0][0])
        expect_neighbors(page)
        assert labels(page).count(0) >= 3
        page.get_by_text("This is the bundled gallery, not MNIST").wait_for()
        page.locator(".st-key-try_mnist_again button").click()
        settle(page)
        page.get_by_text("This is the bundled gallery, not MNIST").wait_for()
        expect_neighbors(page)
        page.close()  # before its server ends
