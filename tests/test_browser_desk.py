"""The desk on every screen: what stands within the first one, and whether everyone can use it."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ANSWER_MS, draw, settle
from playwright.sync_api import expect

from autoencoder.ink.strokes import scale_to_canvas
from autoencoder.query.question import Drawing

# What each lens must show at once, beside the question: its control and its answer.
LENSES = {
    "": ["[class*=st-key-card-] h3", "[alt^='neighbor 1,']", "[alt^='neighbor 4,']"],
    "why": [".st-key-why_rank", "[alt='the query']", "[data-testid=stVegaLiteChart]"],
    "compare": ["text=searched in >> nth=0", "text=searched in >> nth=2", "[alt^='neighbor 4,'] >> nth=2"],
    "map": ["[data-testid=stDeckGlJsonChart]"],
    "morph": [".st-key-play", ".st-key-share", "[alt^='the digit at']"],
    "noise": [".st-key-noise_kind", ".st-key-noise_amount", "[alt='With noise']", "[alt^='neighbor 4,']"],
    "shift": [".st-key-shift", "[data-testid=stVegaLiteChart]", "[alt^='neighbor 4,'] >> nth=1"],
}
QUESTION = ["canvas.upper-canvas", ".st-key-undo", ".st-key-random", "[alt='the query as the model sees it']"]
OTHER = {"light": "dark", "dark": "light"}
PROJECTORS = [(1280, 720), (1920, 1080)]
RESIZED_MS = 500


@pytest.fixture
def scheme(request):
    return request.config.getoption("scheme")


def open_lens(visit, server, lens, query, **options):
    page = visit(f"{server}/{lens}?{query}", canvas=False, **options)
    expect(page.get_by_alt_text("the reconstruction")).to_be_visible(timeout=ANSWER_MS)
    for what in LENSES[lens]:
        page.locator(what).first.wait_for()
    settle(page)
    return page


def serious(page):
    """What hinders people with a handicap seriously, as axe-core finds it."""
    violations = Axe().run(page).response["violations"]
    return [
        (found["id"], found["nodes"][0]["html"]) for found in violations if found["impact"] in ("serious", "critical")
    ]


@pytest.fixture
def drawn(drawings):
    """A drawing as addresses have it."""
    strokes = [np.array(stroke, float) for stroke in drawings[3][0]]
    return f"q={Drawing.of(scale_to_canvas(strokes, 170)).to_text()}"


@pytest.mark.parametrize("present", ["false", "true"])
@pytest.mark.parametrize("lens", LENSES)
def test_a_projector_s_first_screen_has_question_control_and_answer(visit, server, drawn, scheme, lens, present):
    colors = scheme if present == "false" else OTHER[scheme]
    page = open_lens(visit, server, lens, f"{drawn}&present={present}", color_scheme=colors)
    for width, height in PROJECTORS:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(RESIZED_MS)
        settle(page)
        for what in QUESTION + LENSES[lens]:
            box = page.locator(what).first.bounding_box()
            assert box["y"] >= 0, (what, width)
            assert box["y"] + box["height"] <= height, (what, width)
            assert box["x"] + box["width"] <= width, (what, width)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert serious(page) == []


@pytest.mark.parametrize("lens", LENSES)
def test_on_a_phone_and_on_a_tablet_the_answer_follows_the_canvas(visit, server, drawn, scheme, lens):
    page = open_lens(visit, server, lens, drawn, color_scheme=OTHER[scheme], has_touch=True)
    for width, height in ((820, 1180), (360, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(RESIZED_MS)
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        canvas_box = page.locator("canvas.upper-canvas").bounding_box()
        lens_y = page.locator(".st-key-lens").bounding_box()["y"]
        assert 0 < lens_y - canvas_box["y"] - canvas_box["height"] < 80, width  # the row of buttons
        assert lens_y < 700, width  # so its headline is within the first screen
    assert serious(page) == []


def test_on_a_phone_the_menu_closes_on_the_page_that_was_chosen(visit, server, seventh):
    page = visit(f"{server}/?q={seventh}", canvas=False, viewport={"width": 360, "height": 800}, has_touch=True)
    page.get_by_alt_text("neighbor 4,").wait_for(timeout=ANSWER_MS)
    page.get_by_test_id("stExpandSidebarButton").tap()
    page.get_by_role("link", name="Noise").tap()
    page.get_by_role("heading", name="Noise", exact=True).wait_for()
    settle(page)
    expect(page.get_by_role("link", name="Noise")).not_to_be_in_viewport()
    expect(page.get_by_role("radio", name="Random")).to_be_checked()


def test_the_canvas_own_tools_stay_hidden_under_a_mouse(visit, server):
    page = visit(server)
    page.locator("canvas.upper-canvas").hover()
    expect(page.get_by_role("button", name="Edit")).to_be_hidden()


@pytest.mark.parametrize("present", ["false", "true"])
@pytest.mark.parametrize("lens", LENSES)
def test_every_lens_fits_and_can_be_used_on_the_screen_that_is_asked_for(visit, server, drawn, request, lens, present):
    if not request.config.getoption("pictures"):
        pytest.skip("make journeys has its pictures taken")
    page = open_lens(visit, server, lens, f"{drawn}&present={present}")
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
    assert serious(page) == []


@pytest.mark.parametrize(
    "size", [(280, 360, 800), (210, 800, 360), (308, 1280, 720), (392, 1440, 900), (480, 1920, 1080)]
)
def test_the_canvas_grows_with_the_room_and_what_is_drawn_does_not(visit, server, drawings, size):
    side, width, height = size
    page = visit(server, viewport={"width": width, "height": height})
    settle(page)
    box = page.locator("canvas.upper-canvas").bounding_box()
    assert box["width"] == pytest.approx(side, abs=1)
    assert box["y"] + box["height"] <= height  # a phone in landscape can draw, too
    draw(page, [[[0, 0], [0, 100], [100, 100]]], side_px=140)
    page.wait_for_url("**q=strokes-**")
    points = page.url.split("q=strokes-")[1].split("&")[0]
    ends = [int(points[start : start + 2], 36) - 500 for start in (0, 2, len(points) - 4, len(points) - 2)]
    assert ends == pytest.approx([70, 70, 210, 210], abs=3)
