import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import draw, settle
from classes import STROKES
from pages import lesson, search_page
from playwright.sync_api import expect

from autoencoder.query.question import from_text
from autoencoder.ui.glossary import GLOSSARY
from autoencoder.ui.options import TOUR_STEPS, Options
from autoencoder.ui.tour import STEPS, address_of

NUMBERS = range(1, len(STEPS) + 1)
LESSON = Path(__file__).parent.parent / "docs" / "lesson"


def parameters_of(number):
    return {name: values[0] for name, values in parse_qs(urlsplit(address_of(number)).query).items()}


def test_an_address_can_name_each_step():
    assert list(TOUR_STEPS.values()) == list(NUMBERS)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_step_s_address_says_all_that_it_sets(number):
    step, parameters = STEPS[number - 1], parameters_of(number)
    options, wrong = Options.from_parameters(parameters)
    assert (options.tour, options.present, wrong) == (number, True, [])
    assert (options.guess, options.difference) == (step.options.guess, step.options.difference)
    assert (from_text(parameters["q"]) if "q" in parameters else None) == step.example


@pytest.mark.parametrize("number", NUMBERS)
def test_a_step_s_address_opens_it(number):
    path = STEPS[number - 1].path
    name = "classroom" if path == "class" else path
    app = lesson(name, **parameters_of(number)) if name else search_page(**parameters_of(number))
    bar = next(markdown.value for markdown in app.markdown if markdown.value.startswith("**Step "))
    assert bar == f"**Step {number} of {len(STEPS)}.** {STEPS[number - 1].question}"
    app.button(key="tour_leave").click().run()
    assert not any("Step " in markdown.value for markdown in app.markdown)


@pytest.mark.parametrize("number", ["0", "10", "-1", "x"])
def test_a_step_that_there_is_not_is_reported(number):
    app = search_page(tour=number)
    assert [toast.value for toast in app.toast] == [
        "The address sets tour to something that cannot be, so it is ignored."
    ]
    assert not any("Step " in markdown.value for markdown in app.markdown)


def test_the_plan_has_each_step_with_its_address_and_its_question():
    plan = (LESSON / "plan-45.md").read_text("utf-8")
    assert re.findall(r"^    (/.*)$", plan, re.MULTILINE) == [address_of(number) for number in NUMBERS]
    assert re.findall(r"^## Step \d, minutes [\d–]+: (.*)$", plan, re.MULTILINE) == [step.question for step in STEPS]


def test_the_lesson_explains_the_words_as_the_pages_do():
    text = " ".join((LESSON / "glossary.md").read_text("utf-8").split())
    assert dict(re.findall(r"- \*\*(.+?)\*\*: (.+?)(?= - \*\*|$)", text)) == GLOSSARY


@pytest.mark.parametrize(("sheet", "n_pages"), [("worksheet", 2), ("solutions", 1)])
def test_a_sheet_is_there_for_printing(sheet, n_pages):
    assert (LESSON / f"{sheet}.pdf").read_bytes().count(b"/Type /Page\n") == n_pages


def expect_step(page, number):
    path = STEPS[number - 1].path
    page.get_by_text(f"Step {number} of {len(STEPS)}.").wait_for()
    page.wait_for_url(re.compile(rf"/{path}\?.*tour={number}$"))
    settle(page)


def test_the_tour_leads_through_all_steps_and_keeps_the_class_drawing(visit, server):
    page = visit(f"{server}{address_of(1)}")
    expect_step(page, 1)
    page.get_by_role("button", name="Reveal").click()
    page.get_by_alt_text("neighbor 4, a").wait_for()
    page.get_by_role("link", name="Next step").click()
    expect_step(page, 2)
    expect(page.get_by_role("heading", name="Draw a digit from 0 to 9")).to_be_visible()
    draw(page, STROKES[3])
    page.get_by_alt_text("neighbor 4, a").wait_for()
    drawn = parse_qs(urlsplit(page.url).query)["q"]
    for number in range(3, 10):
        page.get_by_role("link", name="Next step").click()
        expect_step(page, number)
        assert parse_qs(urlsplit(page.url).query)["q"] == drawn
    expect(page.get_by_role("link", name="Next step")).to_have_count(0)
    page.get_by_role("link", name="Step before").click()
    expect_step(page, 8)
    page.go_back()
    expect_step(page, 9)
    page.get_by_role("button", name="Leave the tour").click()
    expect(page.get_by_text("Step 9 of")).to_have_count(0)
    assert "tour" not in page.url
