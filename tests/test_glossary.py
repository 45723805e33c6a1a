import re
from pathlib import Path

import pytest

from autoencoder.ui.glossary import GLOSSARY, explain

UI = Path(__file__).parent.parent / "autoencoder" / "ui"


def test_every_term_is_explained_on_a_page_and_every_page_explains_terms_of_the_glossary():
    pages = "".join(path.read_text("utf-8") for path in UI.rglob("*.py"))
    by_name = set(re.findall(r"explain\(['\"]([^'\"]+)['\"]\)", pages))
    by_space = set(re.findall(r'", "([^"]+)"\),$', (UI / "pages" / "compare.py").read_text("utf-8"), re.MULTILINE))
    assert by_name | by_space == set(GLOSSARY)


def test_an_explanation_begins_with_its_term():
    assert explain("gallery") == "**gallery**: All the digits that are searched."


def test_a_term_that_is_missing_is_an_error():
    with pytest.raises(KeyError):
        explain("manifold")
