"""What no page sends: a class takes nothing from who is not the teacher, and no nonsense from anybody."""

import pytest
from browser import serving
from classes import drawing_of, kept
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, UploadedFileInfo
from visitor import visiting

from autoencoder import artifacts
from autoencoder.classroom.export import to_csv
from autoencoder.classroom.room import Classroom
from autoencoder.spaces import Latent
from autoencoder.ui.classroom import lan_host

ELSEWHERE = "192.168.1.5:8501"  # the name by which a tablet calls the server
WALL_EVENTS = "$$STREAMLIT_INTERNAL_KEY_{}__events"
CHOSEN = '[{{"event": "chosen", "value": {}}}]'  # what the wall sends when a drawing is clicked
JUNK = ["null", "-1", "1e400", "NaN", '"7"', "[7]", '{"7": 7}', "no JSON", ""]


@pytest.fixture(scope="module")
def file(engine, tmp_path_factory):
    """The file of a class that has sent two digits, of which one was hidden."""
    path = tmp_path_factory.mktemp("class") / "class.db"
    room = Classroom(path, Latent.load(artifacts.DIRECTORY))
    first, _ = (room.send(drawing_of(digit), digit, engine, visit=digit) for digit in (3, 7))
    room.hide(first.number)
    room.close()
    return path


@pytest.fixture(scope="module")
def address(file):
    with serving("--server.address", "0.0.0.0", CLASS=str(file)) as address:
        yield address


class Page:
    """A page of one visitor, which has been opened: `ids` has those of its elements by kind, or by key where they have
    one, and `exceptions` what it shows of those."""

    def __init__(self, visitor, name, query):
        self._visitor, self._name, self._query = visitor, name, query
        self.ids, self.exceptions, self.toasts = {}, [], []
        self.send()

    def send(self, *states):
        """Send states of widgets, (id, field of WidgetState, value), and look at what comes."""
        message = BackMsg()
        message.rerun_script.page_name = self._name
        message.rerun_script.query_string = self._query
        for widget_id, field, value in states:
            state = message.rerun_script.widget_states.widgets.add(id=widget_id)
            if field == "string_array_value":
                state.string_array_value.data.extend(value)
            elif field == "file_uploader_state_value":
                state.file_uploader_state_value.CopyFrom(value)
            else:
                setattr(state, field, value)
        self._visitor.send(message)
        while (received := self._visitor.receive(60)).WhichOneof("type") != "script_finished":
            if received.WhichOneof("type") == "delta" and received.delta.HasField("new_element"):
                self._take(received.delta.new_element)
        return self

    def _take(self, element):
        kind = element.WhichOneof("type")
        proto = getattr(element, kind)
        if kind == "exception":
            self.exceptions.append(proto.message)
        elif kind == "toast":
            self.toasts.append(proto.body)
        elif widget_id := getattr(proto, "id", ""):
            _, _, key = widget_id.partition("-")[2].partition("-")
            self.ids[kind if key in ("", "None") else key] = widget_id


@pytest.fixture
def open_page(address):
    """Open a page of a visitor, on the serving machine unless `host` says otherwise; none may show an exception."""
    opened, visits = [], []

    def open_page(name, query="", *, host=None, address=address):
        visits.append(visiting(address, host=host, origin=f"http://{host}" if host else None))
        opened.append(Page(visits[-1].__enter__(), name, query))
        return opened[-1]

    yield open_page
    for visit in visits:
        visit.__exit__(None, None, None)
    assert [page.exceptions for page in opened] == [[] for _ in opened]


@pytest.fixture
def unchanged(file):
    """At the end the class holds what it did, in the same file."""
    before = kept(file), sorted(file.parent.glob("*.db"))
    yield
    assert (kept(file), sorted(file.parent.glob("*.db"))) == before


ON_THE_WALL = f"q={drawing_of(7).to_text()}"  # asked for, so that the teacher can hide it
TOOLS = ["hide", "learn", *(f"teacher-:material/{icon}:" for icon in ("ac_unit", "delete_sweep", "undo", "add"))]


@pytest.fixture
def tools(open_page):
    """The ids of what a teacher can click, by key."""
    page = open_page("class", ON_THE_WALL)
    page.send((page.ids["class_section"], "string_array_value", ["Teach"]))
    assert set(TOOLS) <= set(page.ids)
    return page.ids


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("tool", TOOLS)
def test_who_is_not_the_teacher_cannot_click_what_the_teacher_can(open_page, tools, tool):
    page = open_page("class", ON_THE_WALL, host=ELSEWHERE)
    assert not set(TOOLS) & set(page.ids)
    page.send((tools[tool], "trigger_value", True))
    page.send((page.ids["class_section"], "string_array_value", ["Teach"]), (tools[tool], "trigger_value", True))
    assert not set(TOOLS) & set(page.ids)


@pytest.mark.usefixtures("unchanged")
def test_who_is_not_the_teacher_cannot_bring_in_a_table(open_page, tools, address):
    with visiting(address, host=ELSEWHERE) as visitor:
        session_id = visitor.open_page()
        visitor.upload(session_id, "table", to_csv([]).encode())
    page = open_page("class", host=ELSEWHERE)
    uploaded = FileUploaderState(uploaded_file_info=[UploadedFileInfo(file_id="table", name="a.csv", size=9)])
    page.send((tools["class_table"], "file_uploader_state_value", uploaded))


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("said", ["", "00000000", "0" * 10_000, "é", "٣٣٣٣٣٣٣٣", "\x00"])
def test_a_wrong_pin_opens_nothing(open_page, said):
    page = open_page("class", host=ELSEWHERE)
    page.send((page.ids["pin"], "string_value", said))
    assert not set(TOOLS) & set(page.ids)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.skipif(not lan_host(), reason="no network leads elsewhere")
def test_who_comes_from_elsewhere_is_no_teacher_by_calling_the_server_localhost(address, open_page):
    port = address.rpartition(":")[2]
    page = open_page("class", ON_THE_WALL, host=f"localhost:{port}", address=f"http://{lan_host()}:{port}")
    assert not set(TOOLS) & set(page.ids)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("chosen", [*JUNK, *map(CHOSEN.format, JUNK)])
def test_what_is_no_drawing_of_the_wall_asks_nothing(open_page, chosen):
    page = open_page("class", host=ELSEWHERE)
    events = WALL_EVENTS.format(page.ids["wall"])
    page.send((page.ids["wall"], "json_value", "{}"), (events, "json_trigger_value", chosen))
    assert "hide" not in page.ids


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("meant", ["", "I meant an 11", "I meant a -1", "7", "\x00", "I meant a 7" * 1000])
def test_a_digit_that_is_none_is_not_sent(open_page, meant):
    page = open_page("", f"q={drawing_of(2).to_text()}", host=ELSEWHERE)
    page.send(*sending(page, meant))


@pytest.mark.usefixtures("unchanged")
def test_nobody_can_take_back_what_another_has_sent(open_page):
    drawing = f"q={drawing_of(1).to_text()}"
    author = open_page("", drawing, host=ELSEWHERE)
    author.send(*sending(author, "I meant a 1"))
    other = open_page("", drawing, host=ELSEWHERE)
    assert "withdraw" not in other.ids
    other.send((author.ids["withdraw"], "trigger_value", True))
    author.send((author.ids["withdraw"], "trigger_value", True))  # it was still there to take back
    assert author.toasts == []


def test_a_drawing_is_there_once_however_often_and_fast_it_is_sent(open_page, file):
    page = open_page("", f"q={drawing_of(6).to_text()}", host=ELSEWHERE)
    send = sending(page, "I meant a 6")
    for _ in range(3):
        page.send(*send, *send)
    sent, _ = kept(file)
    assert [one.drawing for one in sent].count(drawing_of(6).to_text()) == 1


def sending(page, meant):
    """What a page sends at a click on "Send to the class", with what was meant."""
    choice = next(one for key, one in page.ids.items() if key.startswith("meant-"))
    return (choice, "string_value", meant), (page.ids["send_to_class"], "trigger_value", True)
