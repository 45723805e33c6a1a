"""The ways from page to page, and the evidence, in a real browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ANSWER_MS, draw, open_options, settle
from playwright.sync_api import expect

EVIDENCE = ("speed", "pca", "failures", "about")


def open_page(page, name):
    """Go to a page by the navigation, as a visitor does."""
    page.get_by_role("link", name=name, exact=True).click()
    settle(page)


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_the_evidence(visit, server, seventh, width, scheme):
    for path in EVIDENCE:
        page = visit(
            f"{server}/{path}?q={seventh}",
            canvas=False,
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
        )
        expect(page.get_by_role("heading", level=2).first).to_be_visible(timeout=ANSWER_MS)
        page.wait_for_timeout(500)
        settle(page)
        assert page.get_by_test_id("stException").count() == 0, path
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        violations = Axe().run(page).response["violations"]
        serious = [found for found in violations if found["impact"] in ("serious", "critical")]
        assert serious == [], (path, serious)
        page.context.close()


def test_the_query_comes_along_from_page_to_page_and_back(visit, server, drawings):
    page = visit(server, viewport={"width": 1280, "height": 720})
    draw(page, drawings[3][0])
    page.get_by_alt_text("the reconstruction").wait_for()
    settle(page)
    seen = page.get_by_alt_text("the query as the model sees it").get_attribute("src")
    drawn = page.url.split("?")[1]
    for name in ("Compare", "Morph", "Shift", "Speed", "About", "Search"):
        open_page(page, name)
        if name == "Speed":  # this page asks nothing, and forgets nothing
            page.get_by_role("button", name="Measure again").click()
            settle(page)
        elif name != "About":
            page.wait_for_url(re.compile(re.escape(drawn)))
    expect(page.get_by_alt_text("the query as the model sees it")).to_have_attribute("src", seen)
    page.locator("canvas.upper-canvas").wait_for()
    assert page.locator(".st-key-undo button").is_enabled()


def test_after_a_no_a_link_leads_to_what_separates_the_two(visit, server, drawings):
    page = visit(server)
    draw(page, drawings[0][0])
    page.get_by_role("combobox", name="What is it?").click()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Why not a 7?").click()
    page.get_by_alt_text("the nearest 7,").wait_for()
    settle(page)
    expect(page.get_by_role("radio", name="Draw")).to_be_checked()


def test_a_failure_is_opened_in_search(visit, server):
    page = visit(f"{server}/failures", canvas=False, viewport={"width": 1280, "height": 900})
    first = page.get_by_role("button", name=re.compile("^Open digit")).first
    first.wait_for(timeout=ANSWER_MS)
    index = re.search(r"\d+", first.inner_text())[0]
    first.click()
    page.get_by_text("left out of its own results").wait_for()
    page.wait_for_url(re.compile(rf"q=(mnist|digits)-{index}"))
    is_mnist = "mnist" in page.url
    assert ("test=true" in page.url) == is_mnist  # the digits among which it has failed
    open_options(page)
    expect(page.get_by_text("Only the 10,000 test digits")).to_have_count(int(is_mnist))


def test_the_browser_s_back_leads_through_the_pages_with_their_question(visit, server, seventh):
    page = visit(f"{server}/?q={seventh}", canvas=False)
    page.get_by_alt_text("neighbor 4,").wait_for(timeout=ANSWER_MS)
    for name in ("Noise", "Shift"):
        open_page(page, name)
        page.wait_for_url(re.compile(seventh))
    search = page.get_by_role("heading", name="Digit look-alikes")
    for _ in range(4):  # each page has an entry with the question, and up to one without, the link's
        page.go_back()
        settle(page)
        expect(page.get_by_alt_text("neighbor 4,").first).to_be_visible()
        if search.is_visible():
            break
    expect(search).to_be_visible()


def test_what_holds_a_look_alike_is_shown_as_large_as_the_query(visit, server, gallery):
    page = visit(f"{server}/why?q={gallery.name}-7", canvas=False)
    pictures = page.locator("[alt='the query'], [alt^='what holds the look-alike near'], [alt^='the difference']")
    page.get_by_alt_text("what holds the look-alike near").wait_for()
    widths = pictures.evaluate_all("all => all.map(one => one.clientWidth)")
    assert len(widths) >= 3
    assert min(widths) > 80  # a picture has 28 pixels
