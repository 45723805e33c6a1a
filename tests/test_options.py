import pytest

from autoencoder.ui.options import Options


@pytest.mark.parametrize(
    ("parameters", "options", "wrong"),
    [
        ({}, Options(), []),
        ({"q": "mnist-7"}, Options(), []),
        ({"neighbors": "20", "guess": "TRUE"}, Options(neighbors=20, guess=True), []),
        ({"neighbors": "21", "prepare": "false"}, Options(prepare=False), ["neighbors"]),
        ({"neighbors": "0", "test": "", "present": "2"}, Options(), ["neighbors", "present", "test"]),
    ],
)
def test_an_address_sets_options_to_what_can_be(parameters, options, wrong):
    assert Options.from_parameters(parameters) == (options, wrong)


def test_an_address_says_only_what_is_not_as_usual():
    options = Options(neighbors=7, prepare=False, test=True)
    assert options.to_parameters() == {"neighbors": "7", "prepare": "false", "test": "true"}
    assert Options.from_parameters(options.to_parameters()) == (options, [])
    assert Options().to_parameters() == {}
