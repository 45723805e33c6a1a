"""The journeys of a visitor: a real browser, a real server."""

import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ANSWER_MS, draw, open_options, serving, settle
from PIL import Image
from playwright.sync_api import expect

from autoencoder.ink.preprocess import digit_from_strokes
from autoencoder.ink.strokes import scale_to_canvas
from autoencoder.measure.serving import free_port
from autoencoder.query.question import Drawing


@pytest.fixture
def page(visit, server):
    return visit(server)


def found(page):
    """The buttons that name the neighbors on the page."""
    return page.locator("[class*='-neighbor-'] button:visible")


def expect_neighbors(page, *digits):
    """Wait until the page shows four neighbors, of these digits in turn or of any."""
    named = [re.compile(f"^{label}") for label in digits or [r"\d"] * 4]
    expect(found(page)).to_have_text(named, timeout=ANSWER_MS)


def headline(page):
    """What the first card says."""
    return page.locator("[class*='st-key-card-'] h3").first


def labels(page):
    """The labels of the neighbors once the app has finished."""
    settle(page)
    return [int(text[0]) for text in found(page).all_inner_texts()]


def neighbor_pictures(page):
    """The pictures of the neighbors once the app has finished."""
    settle(page)
    return [picture(page, re.compile(f"^neighbor {rank},")) for rank in range(1, 5)]


def picture(page, alt):
    return page.get_by_alt_text(alt).get_attribute("src")


def clear_drawing(examples, digit, engine):
    """The first drawing of a digit that has no other digit near it; one must be among the first thirty."""
    for drawing in examples[:30]:
        near = engine.search(digit_from_strokes(drawing), 12).neighbors
        if {neighbor.label for neighbor in near} == {digit}:
            return drawing
    raise AssertionError(f"no clear {digit} among {len(examples[:30])} drawings")


@pytest.mark.parametrize(
    "digit", [0, 1, 2, 3, 6, 7, *(pytest.param(digit, marks=pytest.mark.pen_digits) for digit in (4, 5, 8, 9))]
)
def test_a_drawn_digit_finds_four_of_its_kind(page, digit, drawings, engine):
    draw(page, clear_drawing(drawings[digit], digit, engine))
    expect_neighbors(page, *[digit] * 4)
    expect(page.get_by_alt_text("the query as the model sees it")).to_be_visible()
    expect(page.get_by_alt_text("the reconstruction")).to_be_visible()


def test_a_visitor_says_what_the_drawing_is(page, drawings, engine):
    draw(page, clear_drawing(drawings[0], 0, engine))
    expect_neighbors(page, 0, 0, 0, 0)
    box = headline(page)
    expect(box).to_contain_text("All 4 look-alikes are 0s.")
    page.get_by_role("combobox", name="What is it?").click()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("the nearest 7")).to_be_visible()
    expect(box).to_contain_text("the query is a 7, but 4 of 4 look-alikes are not")
    page.get_by_role("button", name="Change").click()
    page.get_by_role("button", name="Yes").click()
    expect(box).to_contain_text("Good: all 4 look-alikes are 0s, as the query is")
    expect(page.get_by_alt_text("the nearest 7")).to_be_hidden()
    page.get_by_role("button", name="Random", exact=True).click()
    expect(page.get_by_text(re.compile("Is it an? "))).to_be_hidden()


@pytest.mark.mnist
def test_what_is_searched_is_in_the_address(visit, server):
    page = visit(f"{server}/?q=mnist-7", canvas=False)
    expect_neighbors(page)
    everything = neighbor_pictures(page)
    open_options(page)
    page.get_by_text("Only the 10,000 test digits").click()
    expect(page.get_by_text("Nearest of MNIST's 10,000 test digits")).to_be_visible()
    settle(page)
    assert "test=true" in page.url
    tests = neighbor_pictures(page)
    assert tests != everything
    again = visit(page.url, canvas=False)
    expect_neighbors(again)
    assert neighbor_pictures(again) == tests


def test_the_address_keeps_up_with_the_page_on_a_slow_tablet(page):
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    settle(page)
    slider = page.get_by_role("slider", name="Neighbors")
    difference = page.get_by_role("switch", name="Show the difference")
    n_neighbors, shown = 4, False
    for number, (early, late) in enumerate([("Space", 1), (1, 1), ("Space", -1), (1, -1)]):
        open_options(page)
        for key in (early, late):
            if key == "Space":
                difference.press("Space")
                shown = not shown
            else:
                slider.press("ArrowRight" if key > 0 else "ArrowLeft")
                n_neighbors += key
            page.wait_for_timeout(150 * number)
        page.locator(".st-key-random button").click()  # while the answers are on their way
        settle(page)
        page.wait_for_timeout(1000)  # the slider waits before it tells what it is set to
        settle(page)
        open_options(page)
        asked = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
        assert (slider.input_value(), asked.get("neighbors", "4")) == (str(n_neighbors), str(n_neighbors))
        assert (difference.is_checked(), asked.get("difference", "false")) == (shown, str(shown).lower())
        assert f"Gallery digit {asked['q'].split('-')[1]}:" in page.locator("body").inner_text()
        open_options(page)  # closes them


# From now on `window.sent` counts what the page sends to the server.
COUNT_SENT = """() => {
    window.sent = 0
    const send = WebSocket.prototype.send
    WebSocket.prototype.send = function (data) { window.sent += 1; return send.call(this, data) }
}"""


@pytest.mark.parametrize("pen", ["mouse", "touchscreen"])
def test_a_stroke_is_sent_at_once_and_only_once(visit, server, pen):
    page = visit(server, has_touch=True)
    settle(page)
    box = page.locator("canvas.upper-canvas").bounding_box()
    page.evaluate(COUNT_SENT)
    page.clock.install()  # it stands still, except where `run_for` runs it
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    {"mouse": page.mouse.click, "touchscreen": page.touchscreen.tap}[pen](box["x"] + 90, box["y"] + 90)
    page.clock.run_for(100)
    assert page.evaluate("sent") == 1
    page.clock.run_for(1000)
    assert page.evaluate("sent") == 1


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
    page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for()
    expect(found(page)).to_have_count(0)
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


def test_a_stroke_that_ends_when_its_canvas_is_gone_leaves_the_drawing_as_it_was(page, drawings):
    draw(page, drawings[0][0])
    expect_neighbors(page)
    before = labels(page), picture(page, "the query as the model sees it")
    box = page.locator("canvas.upper-canvas").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.locator(".st-key-random button").press("Enter")
    expect(page.locator("canvas.upper-canvas")).to_have_count(0)
    settle(page)
    page.mouse.up()
    settle(page)
    page.get_by_role("radio", name="Draw").click()
    expect_neighbors(page, *before[0])
    expect(page.get_by_alt_text("the query as the model sees it")).to_have_attribute("src", before[1])


def test_random_query_shows_another_digit_each_time(page):
    seen = []
    for _ in range(3):
        page.locator(".st-key-random button").click()
        settle(page)
        expect_neighbors(page)
        seen.append(page.get_by_text(re.compile(r"Gallery digit \d+")).inner_text())
    assert seen[0] != seen[1] != seen[2]


def test_an_uploaded_picture_is_searched(page, gallery, tmp_path):
    path = tmp_path / "digit.jpg"
    digit = np.round(255 - 255 * gallery.images[0]).astype(np.uint8)
    Image.fromarray(digit).resize((280, 280)).save(path)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(path)
    expect_neighbors(page)
    assert labels(page).count(gallery.labels[0]) >= 3


def test_a_photo_is_searched(page):
    page.get_by_role("radio", name="Camera").click()
    page.wait_for_function("document.querySelector('video')?.currentTime > 0")
    page.get_by_role("button", name="Take Photo").click()
    expect_neighbors(page, 7, 7, 7, 7)


def test_an_upload_that_is_no_picture_gets_a_sentence_and_the_page_stays_usable(page, tmp_path):
    path = tmp_path / "digit.png"
    path.write_bytes(b"no picture")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("not a picture that can be read").wait_for()
    page.locator(".st-key-random button").click()
    expect_neighbors(page)


def test_the_address_holds_the_drawing_and_shows_it_elsewhere(page, visit, drawings):
    draw(page, drawings[3][0])
    expect_neighbors(page)
    settle(page)
    assert "q=strokes-" in page.url
    opened = visit(page.url)
    expect_neighbors(opened, *labels(page))
    for alt in ("the query as the model sees it", "the reconstruction"):
        assert picture(opened, alt) == picture(page, alt)
    assert opened.url == page.url
    # The strokes are on the canvas: taken back one by one they are gone.
    while opened.locator(".st-key-undo button").is_enabled():
        opened.locator(".st-key-undo button").click()
        settle(opened)
    opened.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for()
    assert "q=" not in opened.url


def test_a_drawing_from_an_address_can_be_drawn_on(visit, server):
    page = visit(f"{server}/?q={Drawing.of(scale_to_canvas([np.array([[0, 0], [0, 9]])], 150)).to_text()}")
    expect_neighbors(page)
    before = picture(page, "the query as the model sees it")
    box = page.locator("canvas.upper-canvas").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 140)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 140, steps=5)
    page.mouse.up()
    expect(page.get_by_alt_text("the query as the model sees it")).not_to_have_attribute("src", before)
    settle(page)
    assert page.url.split("q=strokes-")[1].count(".") == 1  # between two strokes


def test_a_neighbor_becomes_the_query_and_back_returns(page, drawings):
    draw(page, drawings[0][0])
    expect_neighbors(page)
    settle(page)
    drawn = page.url
    found(page).nth(1).click()
    page.get_by_text("left out of its own results").wait_for()
    settle(page)
    assert re.search(r"q=(mnist|digits)-\d+", page.url)
    page.locator(".st-key-back button").click()
    page.locator("canvas.upper-canvas").wait_for()
    settle(page)
    assert page.url == drawn
    page.go_back()  # the browser's own
    page.get_by_text("left out of its own results").wait_for()
    expect_neighbors(page)


def test_after_the_browser_s_own_back_the_page_s_goes_one_further(visit, server, seventh):
    page = visit(f"{server}/?q={seventh}", canvas=False)
    expect_neighbors(page)
    for _ in range(2):
        before = page.url
        found(page).nth(0).click()
        page.wait_for_url(lambda url, before=before: url != before)
        settle(page)
    page.go_back()
    page.wait_for_url(before)
    settle(page)
    page.locator(".st-key-back button").click()
    page.wait_for_url(f"**{seventh}")


def test_a_double_click_asks_for_the_neighbor_that_was_seen(visit, server, seventh, engine, gallery):
    page = visit(f"{server}/?q={seventh}", canvas=False)
    expect_neighbors(page)
    settle(page)
    found(page).nth(1).dblclick()
    nearest = engine.search(gallery.images[7], exclude=7).neighbors
    page.wait_for_url(f"**{gallery.name}-{nearest[1].index}")
    settle(page)
    assert page.url.endswith(f"{gallery.name}-{nearest[1].index}")


def test_guess_first_reveals_on_demand(page):
    open_options(page)
    page.get_by_text("Guess first").click()
    page.keyboard.press("Escape")
    page.locator(".st-key-random button").click()
    page.get_by_text("Guess, then reveal").wait_for()
    expect(found(page)).to_have_count(0)
    page.locator(".st-key-reveal button").click()
    expect_neighbors(page)
    assert "guess=true" in page.url


def test_the_answer_is_taken_away_as_a_picture_and_a_table(visit, server, seventh):
    page = visit(f"{server}/?q={seventh}", canvas=False)
    expect_neighbors(page)
    page.get_by_role("button", name="Save or share").click()
    for name, start in (("Picture (PNG)", b"\x89PNG"), ("Table (CSV)", b"rank,index,label,distance\n1,")):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        assert Path(download.value.path()).read_bytes().startswith(start)
    expect(page.get_by_text(f"{server}/?q={seventh}")).to_be_visible()


def test_a_class_is_invited_by_a_qr_code(visit, seventh):
    with serving("--server.address", "0.0.0.0") as address_here:
        page = visit(f"{address_here}/?present=true&q={seventh}", canvas=False)
        expect_neighbors(page)
        invitation = page.get_by_role("button", name=re.compile("http:"))
        address_there = re.search(r"http://[\d.:a-z]+", invitation.inner_text())[0]
        invitation.click()
        page.get_by_alt_text(f"QR code of {address_there}").wait_for()
        pupil = visit(address_there)
        pupil.locator(".st-key-random button").click()
        expect_neighbors(pupil)
        for opened in (page, pupil):
            opened.close()  # before their server ends


@pytest.mark.parametrize("width", [360, 820, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["difference=true&neighbors=20", "present=true&guess=true&q=eighth"])
def test_everyone_can_use_the_page(visit, server, drawings, gallery, width, scheme, state):
    drawing = Drawing.of(scale_to_canvas([np.array(s, float) for s in drawings[0][0]], 170)).to_text()
    query = state.replace("eighth", f"{gallery.name}-8") if "q=" in state else f"{state}&q={drawing}"
    page = visit(f"{server}/?{query}", canvas=False, viewport={"width": width, "height": 800}, color_scheme=scheme)
    expect(page.get_by_alt_text("the reconstruction")).to_be_visible(timeout=ANSWER_MS)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if "q=" not in state:
        # Nor is the canvas cut off, in a column narrower than it is.
        assert page.locator(".dc-scroll").evaluate("scroll => scroll.scrollWidth <= scroll.clientWidth")
    violations = Axe().run(page).response["violations"]
    assert [found for found in violations if found["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("width", [360, 820, 1280])
def test_nothing_jumps_when_the_answer_comes(visit, server, drawings, width):
    page = visit(server, viewport={"width": width, "height": 720})

    def places():
        alt = re.compile("^neighbor|^the reconstruction|^nothing yet")
        boxes = [image.bounding_box() for image in page.get_by_alt_text(alt).all()]
        return [(round(box["x"]), round(box["y"]), round(box["width"])) for box in boxes]

    page.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for()
    settle(page)
    before = places()
    draw(page, drawings[0][0])
    expect_neighbors(page)
    settle(page)
    assert places()[:4] == before[:4]
    if width > 360:  # on a phone the reconstruction stands below the answer's words
        assert places()[-1] == before[-1]


def test_on_a_phone_the_neighbors_follow_the_canvas(visit, server, drawings):
    page = visit(server, viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    draw(page, drawings[0][0])
    expect_neighbors(page)
    settle(page)
    canvas_box = page.locator("canvas.upper-canvas").bounding_box()
    first = page.get_by_alt_text(re.compile("^neighbor 1,")).bounding_box()
    assert first["y"] - canvas_box["y"] - canvas_box["height"] < 250
    assert page.locator("canvas.upper-canvas").evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"


def test_every_control_is_reached_by_the_keyboard(visit, server, seventh):
    page = visit(f"{server}/?q={seventh}", canvas=False)
    expect_neighbors(page)
    settle(page)
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = "e => e.innerText || e.getAttribute('aria-label') || ''"
        reached.add(page.evaluate(f"({focused})(document.activeElement)").strip())
    text = " | ".join(reached)
    for name in ("Random", "Options", "Save or share"):
        assert name in text, text
    page.locator(".st-key-random button").focus()
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)


def test_pictures_stay_crisp(page):
    page.locator(".st-key-random button").click()
    expect_neighbors(page)
    picture = page.get_by_alt_text(re.compile("neighbor 1"))
    assert picture.evaluate("i => [i.naturalWidth, getComputedStyle(i).imageRendering]") == [28, "pixelated"]


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


def test_a_restarted_server_shows_each_page_as_it_was(browser, drawings, seventh):
    port = free_port()
    with serving(port=port) as address:
        drawn, random = browser.new_page(), browser.new_page()
        drawn.goto(address)
        drawn.get_by_role("heading", name="Draw a digit from 0 to 9").wait_for(timeout=ANSWER_MS)
        drawn.locator("canvas.upper-canvas").wait_for()
        settle(drawn)
        draw(drawn, drawings[3][0])
        drawn.get_by_alt_text("neighbor 4, a").wait_for()
        settle(drawn)
        random.goto(f"{address}/?q={seventh}&neighbors=6")
        random.get_by_alt_text("neighbor 6, a").wait_for()
        settle(random)
        expect(random.get_by_test_id("stProgress")).to_have_count(6)  # the browser loads the bars' script last
        before = [(page.url, shown_neighbors(page)) for page in (drawn, random)]
    for page in (drawn, random):
        page.locator("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])").wait_for()
    with serving(port=port):
        for page, (url, neighbors) in zip((drawn, random), before, strict=True):
            page.locator("[data-test-connection-state=CONNECTED]").wait_for(timeout=ANSWER_MS)
            page.get_by_text("Loading the autoencoder").wait_for(state="detached", timeout=ANSWER_MS)
            settle(page)
            page.get_by_alt_text("neighbor 4, a").wait_for(timeout=ANSWER_MS)
            assert (page.url, shown_neighbors(page)) == (url, neighbors)
            page.get_by_role("button", name="Random", exact=True).click()
            page.wait_for_url(lambda at, url=url: at != url)


def shown_neighbors(page):
    pictures = page.locator('[alt^="neighbor "]').evaluate_all("all => all.map(one => one.alt)")
    return pictures, page.locator("[data-testid=stProgress]").all_inner_texts()
