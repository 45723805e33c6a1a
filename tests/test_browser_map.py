"""The map of real digits in a real browser: drawn by its graphics card, clicked, and kept as it was looked at."""

import json
import re

import pytest
from browser import ANSWER_MS, OFFLINE, draw, settle
from playwright.sync_api import expect

from autoencoder.measure.serving import browser_path
from autoencoder.ui.atlas import GROUNDS
from autoencoder.ui.pages.map import PIN_PX

SCREEN = {"width": 1280, "height": 720}
TRIES = 8  # a click that a busy machine draws out is none


def open_map(visit, server, question, **options):
    """The page and its map, once that is drawn."""
    page = visit(f"{server}/map?q={question}", canvas=False, **({"viewport": SCREEN} | options))
    chart = page.get_by_test_id("stDeckGlJsonChart")
    chart.locator("canvas").first.wait_for(timeout=ANSWER_MS)
    page.wait_for_load_state("networkidle")
    settle(page)
    return page, chart


def find_digit(page, chart):
    """Move the mouse from the map's left edge until it is on a digit; returns where that is, and its index."""
    box, tooltip = chart.bounding_box(), page.locator(".deck-tooltip")
    for x in range(int(box["x"]) + 10, int(box["x"] + box["width"]), 6):
        page.mouse.move(x, box["y"] + box["height"] / 2)
        page.wait_for_timeout(150)
        if tooltip.is_visible():
            page.wait_for_timeout(300)
            return x, box["y"] + box["height"] / 2, int(re.search(r"digit (\d+)", tooltip.inner_text())[1])
    pytest.fail("no digit on the map")


def click_until(page, x, y, has_worked):
    for _ in range(TRIES):
        page.mouse.click(x, y)
        page.wait_for_timeout(1000)
        if has_worked(page.url):
            settle(page)
            return
    pytest.fail("no click was taken")


def requests_of(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def picture_of(page, chart):
    page.mouse.move(5, 5)
    page.wait_for_timeout(1000)
    return chart.screenshot()


def test_a_digit_of_the_map_becomes_the_query_and_a_second_one_is_taken_too(visit, server, seventh, gallery):
    page, chart = open_map(visit, server, seventh)
    first = page.url
    x, y, index = find_digit(page, chart)
    label = gallery.labels[index]
    expect(page.locator(".deck-tooltip")).to_have_text(re.compile(rf"^\s*{label} · digit {index}$"))
    fetched = requests_of(page)
    click_until(page, x, y, lambda url: f"q={gallery.name}-{index}" in url)
    expect(page.get_by_text(f"Gallery digit {index}")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    page.wait_for_url(first)
    settle(page)
    click_until(page, x, y, lambda url: f"q={gallery.name}-{index}" in url)
    assert not [address for address in fetched if "/sprites/" in address]


def test_zoom_and_place_outlive_another_query_and_a_stroke(visit, server, seventh, drawings):
    page, chart = open_map(visit, server, seventh)
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    for _ in range(8):
        page.mouse.wheel(0, -100)  # into the corner, where neither a digit nor the query is
        page.wait_for_timeout(100)
    before = picture_of(page, chart)
    asked = page.url
    page.get_by_role("button", name="Random").last.click()
    page.wait_for_url(lambda url: url != asked)
    settle(page)
    assert picture_of(page, chart) == before
    page.get_by_text("Draw", exact=True).click()
    page.locator("canvas.upper-canvas").wait_for()
    draw(page, drawings[3][0])
    page.wait_for_url(re.compile("strokes-"))
    settle(page)
    expect(page.get_by_text("Your digit stands between its look-alikes.")).to_be_visible()


def test_nothing_is_fetched_from_elsewhere_and_the_pictures_once(visit, server, seventh):
    page = visit("about:blank", canvas=False, viewport=SCREEN)
    fetched = requests_of(page)
    page.goto(f"{server}/map?q={seventh}")
    page.get_by_test_id("stDeckGlJsonChart").locator("canvas").first.wait_for(timeout=ANSWER_MS)
    settle(page)
    page.wait_for_load_state("networkidle")
    assert all(address.startswith((server, "data:", "blob:", "about:")) for address in fetched)
    names = sorted(address.split("/")[-1] for address in fetched if "/sprites/" in address)
    assert names == ["digits.json", "mapping.json", "sheet.png"]


@pytest.mark.parametrize("scheme", GROUNDS)
def test_the_grounds_that_the_colors_are_made_for_are_the_page_s(visit, server, seventh, scheme):
    page, _ = open_map(visit, server, seventh, color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor")
    assert json.loads(f"[{ground[4:-1]}]") == list(bytes.fromhex(GROUNDS[scheme][1:]))


@pytest.mark.parametrize(("width", "height", "map_height"), [(360, 800, 400), (1920, 1080, 860), (1280, 720, 500)])
def test_the_map_takes_the_room_that_there_is(visit, server, seventh, width, height, map_height):
    page, chart = open_map(visit, server, seventh, viewport={"width": width, "height": height})
    page.wait_for_timeout(1000)
    assert chart.bounding_box()["height"] == pytest.approx(map_height, abs=20)
    assert chart.bounding_box()["height"] > 4 * PIN_PX
    assert page.evaluate("document.documentElement.scrollWidth") == width


def click_numeral(page):
    chart = page.get_by_test_id("stVegaLiteChart").locator("canvas").first
    chart.wait_for(timeout=ANSWER_MS)
    settle(page)
    page.wait_for_timeout(1000)  # the chart is drawn anew
    box = chart.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)


def test_a_numeral_of_the_chart_becomes_the_query_each_time(visit, server, seventh):
    page, _ = open_map(visit, server, seventh)
    page.get_by_text("As a chart").click()
    for _ in range(2):
        before = page.url
        click_numeral(page)
        page.wait_for_url(lambda url, before=before: url != before)
        chosen = page.url
        page.get_by_role("button", name="Random").last.click()
        page.wait_for_url(lambda url, chosen=chosen: url != chosen)


def test_a_browser_that_cannot_draw_the_map_gets_the_chart(browser, server, seventh):
    without_graphics = browser.browser_type.launch(
        executable_path=browser_path(), args=["--no-sandbox", "--disable-3d-apis", *OFFLINE]
    )
    page = without_graphics.new_page(viewport=SCREEN)
    page.set_default_timeout(ANSWER_MS)
    page.goto(f"{server}/map?q={seventh}")
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas").first).to_be_visible(timeout=ANSWER_MS)
    settle(page)
    expect(page.locator(".st-key-map_as_chart input")).to_be_checked()
    without_graphics.close()
