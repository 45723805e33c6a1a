"""The examples in the docstrings do what they say."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["ink.preprocess", "query.search", "query.engine"])
def test_the_examples_in_the_docstrings_run(name):
    results = doctest.testmod(import_module(f"autoencoder.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
