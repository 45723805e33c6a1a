"""A class in real browsers: pupils send, the projector shows it, and the teacher alone has the teacher's tools."""

import re
from contextlib import contextmanager
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ANSWER_MS, draw, settle
from classes import STROKES, drawing_of, kept_digits
from playwright.sync_api import expect

from autoencoder import artifacts
from autoencoder.classroom.room import Classroom
from autoencoder.measure.serving import free_port, serving
from autoencoder.query.verdict import named
from autoencoder.spaces import Latent
from autoencoder.ui.classroom import lan_host
from autoencoder.ui.pages.classroom import SECTIONS

ANOTHER_LOOPBACK = "127.0.0.2"  # is not among the serving machine's own names


class Served:
    """A running class: `here` is its address on the serving machine, `elsewhere` for others; `pin` the teacher's."""

    def __init__(self, here, process, log):
        self.here, self.process = here, process
        self.elsewhere = f"http://{lan_host() or ANOTHER_LOOPBACK}:{here.rpartition(':')[2]}"
        self._log = log

    @property
    def pin(self):
        return re.search(r"PIN on other devices: (\d+)", self._log.read_text())[1]


@contextmanager
def serving_class(file, *, port=None):
    """A server with a class; at the end it must have printed no traceback."""
    log = file.with_suffix(".log")
    with (
        log.open("wb") as written,
        serving("--server.address", "0.0.0.0", port=port, log=written, CLASS=str(file)) as (address, process),
    ):
        yield Served(address, process, log)
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "class.db"


@pytest.fixture
def served(file, browser):
    with serving_class(file) as running:
        yield running


def draw_on(page, digit):
    page.locator("canvas.upper-canvas").wait_for()
    settle(page)
    clear = page.get_by_role("button", name="Clear", exact=True)
    if clear.is_enabled():
        clear.click()
        page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for()
        settle(page)
    draw(page, STROKES[digit])
    page.wait_for_url(re.compile(rf"q=strokes-\w+(\.\w+){{{len(STROKES[digit]) - 1}}}(&|$)"))  # each stroke is answered
    settle(page)
    send_button(page).and_(page.locator(":enabled")).wait_for()


def send_button(page):
    return page.get_by_role("button", name="Send to the class")


def send(page, digit, *, meant=None):
    """Draw a digit and send it, as the one that the search has found or as the one that was meant."""
    draw_on(page, digit)
    if meant is not None:
        page.get_by_role("combobox", name="What you meant").click()
        page.get_by_role("option", name=f"I meant {named(meant)}", exact=True).click()
        settle(page)
    send_button(page).click()
    page.get_by_text(re.compile("Sent: an? ")).wait_for()


def open_wall(visit, address, **options):
    page = visit(f"{address}/class", canvas=False, **options)
    page.get_by_text("For the teacher").wait_for(timeout=ANSWER_MS)
    settle(page)
    return page


def expect_on_wall(page, *captions):
    """Wait until the wall shows drawings of these digits, found or not, in this order."""
    expect(tiles(page)).to_have_text(captions, timeout=ANSWER_MS)


def tiles(page):
    return page.locator(".wall button")


def turn_to(page, section):
    page.locator(".st-key-class_section").get_by_text(section, exact=True).click()
    settle(page)


def open_tools(page):
    page.get_by_role("button", name="For the teacher").click()


def test_what_two_pupils_send_is_on_the_projector_s_wall_until_it_is_taken_back(served, visit, file):
    wall = open_wall(visit, served.here)
    wall.get_by_text("Nothing has been sent yet").wait_for()
    first, second = visit(served.elsewhere), visit(served.elsewhere)
    send(first, 7, meant=7)
    expect_on_wall(wall, "7 ✓")
    send(second, 3, meant=8)
    expect_on_wall(wall, "8 ✗", "7 ✓")
    send(first, 0, meant=0)
    expect_on_wall(wall, "0 ✓", "8 ✗", "7 ✓")
    wall.get_by_text("Group by digit").click()
    expect_on_wall(wall, "0 ✓", "7 ✓", "8 ✗")
    assert kept_digits(file) == [7, 8, 0]
    second.get_by_role("button", name="Take it back").click()
    expect_on_wall(wall, "0 ✓", "7 ✓")
    expect(send_button(second)).to_be_enabled()
    assert kept_digits(file) == [7, 0]


def test_a_drawing_of_the_wall_is_opened_in_a_lens_and_learned_from(served, visit):
    first, second, wall = visit(served.elsewhere), visit(served.elsewhere), open_wall(visit, served.here)
    send(first, 3, meant=3)
    expect_on_wall(wall, "3 ✓")
    tiles(wall).first.click()
    wall.wait_for_url(re.compile("q=strokes-"))
    turn_to(wall, "Teach")
    wall.get_by_role("button", name="Let it learn").click()
    wall.get_by_text("The gallery learns from the class.").wait_for()
    settle(second)
    draw(second, STROKES[3], side_px=174)  # the same hand, a little larger
    second.get_by_alt_text("neighbor 1, a 3 of the class").wait_for()
    turn_to(wall, "Wall")
    wall.get_by_role("link", name="Search").last.click()
    wall.get_by_role("heading", name="Digit look-alikes", exact=True).wait_for()
    wall.get_by_alt_text("neighbor 4, a").wait_for()
    settle(wall)
    assert asked(wall) == asked(first)


def asked(page):
    return page.url.partition("q=")[2].partition("&")[0]


def test_the_pin_gives_a_teacher_elsewhere_the_tools_and_a_wrong_one_does_not(served, visit):
    pupil, teacher = visit(served.elsewhere), open_wall(visit, served.elsewhere)
    open_tools(teacher)
    box = teacher.get_by_label("The PIN that")
    box.fill(f"{(int(served.pin) + 1) % 10**8:08}")
    box.press("Enter")
    teacher.get_by_text("That is not the PIN.").wait_for()
    expect(teacher.get_by_role("button", name="Freeze")).to_have_count(0)
    box.fill(served.pin)
    box.press("Enter")
    teacher.get_by_role("button", name="Freeze").click()
    teacher.get_by_text("The wall is frozen: nothing can be sent now.").wait_for()
    settle(pupil)
    draw(pupil, STROKES[7])
    pupil.get_by_text("The wall is frozen.").wait_for()
    settle(pupil)
    send_button(pupil).click()
    pupil.get_by_text("The wall is frozen: nothing can be sent now.").wait_for()
    teacher.get_by_role("button", name="Take drawings again").click()
    expect(teacher.get_by_text("The wall is frozen: nothing can be sent now.")).to_have_count(0)
    send_button(pupil).click()  # of a page that still says so
    pupil.get_by_text("Sent: a").wait_for()


def test_a_class_is_taken_away_and_brought_into_a_new_one(served, visit, file, tmp_path):
    pupil, teacher = visit(served.elsewhere), open_wall(visit, served.here)
    send(pupil, 7, meant=7)
    send(pupil, 3, meant=3)
    expect_on_wall(teacher, "3 ✓", "7 ✓")
    open_tools(teacher)
    with teacher.expect_download() as download:
        teacher.get_by_role("button", name="Table (CSV)").click()
    table = tmp_path / "table.csv"
    download.value.save_as(table)
    teacher.get_by_role("button", name="Start a new class").click()
    teacher.get_by_text("Nothing has been sent yet").wait_for()
    teacher.locator("input[type=file]").set_input_files(table)
    expect_on_wall(teacher, "3 ✓", "7 ✓")
    assert kept_digits(file) == [7, 3]
    (new,) = (path for path in tmp_path.glob("*.db") if path != file)
    assert kept_digits(new) == [7, 3]


def visit_through_a_kill(browser, address):
    """Open a page whose console may say that its server is gone."""
    page = browser.new_page()
    page.set_default_timeout(ANSWER_MS)
    page.goto(address)
    return page


def test_after_a_kill_while_pupils_send_the_class_goes_on_and_has_all_that_was_called_sent(browser, file):
    visit = partial(visit_through_a_kill, browser)
    port = free_port()
    with serving_class(file, port=port) as served:
        first, second, wall = (
            visit(address) for address in (served.elsewhere, served.elsewhere, f"{served.here}/class")
        )
        wall.get_by_text("Nothing has been sent yet").wait_for()
        send(first, 7, meant=7)
        expect_on_wall(wall, "7 ✓")
        draw_on(second, 3)
        send_button(second).click(no_wait_after=True)
        served.process.kill()
        served.process.wait()
    with serving_class(file, port=port):
        for page in (first, second, wall):
            page.locator("[data-test-connection-state=CONNECTED]").wait_for(timeout=ANSWER_MS)
            settle(page)
        first.get_by_text("On the wall already: a 7.").wait_for()
        is_sent = second.get_by_text("On the wall already")
        expect(send_button(second).or_(is_sent)).to_be_visible()
        if not is_sent.is_visible():
            send_button(second).click()
            second.get_by_text(re.compile("Sent: an? ")).wait_for()
        expect(tiles(wall)).to_have_count(2, timeout=ANSWER_MS)
        send(first, 0, meant=0)
        expect(tiles(wall)).to_have_count(3, timeout=ANSWER_MS)
        assert len(kept_digits(file)) == 3


@pytest.fixture(scope="module")
def full(engine, tmp_path_factory, browser):
    """The address of a class that has sent a few digits, found or not."""
    file = tmp_path_factory.mktemp("class") / "full.db"
    room = Classroom(file, Latent.load(artifacts.DIRECTORY))
    for number, digit in enumerate(STROKES):
        room.send(drawing_of(digit), digit if number else 8, engine, visit=number)
    room.close()
    with serving_class(file) as served:
        yield served.here


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_everyone_can_use_the_page(full, visit, width, scheme):
    page = open_wall(visit, full, viewport={"width": width, "height": 800}, color_scheme=scheme)
    for section in SECTIONS:
        turn_to(page, section)
        page.wait_for_timeout(1000)  # charts are drawn after the page's run has ended
        assert page.evaluate("document.documentElement.scrollWidth") == width
        violations = Axe().run(page).response["violations"]
        assert [found for found in violations if found["impact"] in ("serious", "critical")] == []
