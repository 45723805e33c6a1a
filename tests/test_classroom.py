"""Where a class is invited to, and the teacher's PIN."""

from types import SimpleNamespace

import pytest

from autoencoder.ui import classroom
from autoencoder.ui.classroom import address_for_others, announce, pin

LAN = "192.168.1.20"


@pytest.fixture
def served(monkeypatch):
    """Say how the server was started, and by which address a visitor came."""
    monkeypatch.delenv("CLASS", raising=False)
    monkeypatch.delenv("CLASS_PIN", raising=False)
    monkeypatch.setattr(classroom, "lan_host", lambda: LAN)
    pin.cache_clear()

    def serve(url=None, **options):
        options = {option.replace("_", "."): value for option, value in options.items()}
        given = {"server.port": 8501, "server.baseUrlPath": "", "server.address": "0.0.0.0"} | options
        context = SimpleNamespace(url=url)
        monkeypatch.setattr(classroom, "st", SimpleNamespace(context=context, get_option=given.get))
        monkeypatch.setattr(classroom.config, "is_manually_set", options.__contains__)

    yield serve
    pin.cache_clear()


BEHIND_NGINX = {
    "server_address": "127.0.0.1",
    "server_port": 40001,
    "browser_serverAddress": "10.0.0.5",
    "browser_serverPort": 8501,
}


@pytest.mark.parametrize(
    ("url", "options", "address"),
    [
        ("http://192.168.1.20:8501/map", {}, "http://192.168.1.20:8501"),
        ("https://school.example/5a/map", {"server_baseUrlPath": "5a"}, "https://school.example/5a"),
        ("http://localhost:8501", {}, "http://192.168.1.20:8501"),
        ("http://localhost:8501/5a", {"server_baseUrlPath": "/5a/"}, "http://192.168.1.20:8501/5a"),
        ("http://localhost:8501", {"server_address": "localhost"}, None),
        ("http://localhost:8501", BEHIND_NGINX, "http://10.0.0.5:8501"),
        ("http://localhost:8501/5a", BEHIND_NGINX | {"server_baseUrlPath": "5a"}, "http://10.0.0.5:8501/5a"),
        ("https://school.example", BEHIND_NGINX, "https://school.example"),
    ],
)
def test_a_class_is_invited_to_where_others_find_the_page(served, url, options, address):
    served(url, **options)
    assert address_for_others() == address


def test_a_server_behind_a_proxy_says_where_visitors_find_it(served, monkeypatch, capsys):
    monkeypatch.setenv("CLASS", "5a.db")
    monkeypatch.setenv("CLASS_PIN", "00000042")
    served(**BEHIND_NGINX, server_baseUrlPath="5a")
    announce()
    assert capsys.readouterr().out == (
        "The class is kept in 5a.db. The teacher's PIN on other devices: 00000042\n"
        "For the class: http://10.0.0.5:8501/5a\n"
    )


@pytest.mark.usefixtures("served")
def test_the_pin_is_that_of_the_environment_or_a_new_one(monkeypatch):
    own = pin()
    assert len(own) == 8
    assert own.isdigit()
    assert pin() == own
    pin.cache_clear()
    monkeypatch.setenv("CLASS_PIN", "00000042")
    assert pin() == "00000042"
