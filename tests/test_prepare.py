from types import SimpleNamespace

import pytest

from autoencoder.data import DataError
from deploy import prepare

MNIST = SimpleNamespace(gallery=SimpleNamespace(title="MNIST's 70,000 digits"))


def test_what_is_ready_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(prepare, "open_engine", lambda directory: (MNIST, None))
    prepare.main()
    assert "Ready: the packages, the network, MNIST's 70,000 digits." in capsys.readouterr().out


def test_without_mnist_nothing_is_ready(monkeypatch):
    monkeypatch.setattr(prepare, "open_engine", lambda directory: (MNIST, "It could not be downloaded."))
    with pytest.raises(SystemExit, match=r"Not ready: MNIST is not here\. It could not be downloaded."):
        prepare.main()


def test_a_damaged_file_is_named(monkeypatch):
    def damaged(directory):
        raise DataError("mnist.npz is damaged.")

    monkeypatch.setattr(prepare, "open_engine", damaged)
    with pytest.raises(SystemExit, match=r"Not ready\. mnist\.npz is damaged."):
        prepare.main()
