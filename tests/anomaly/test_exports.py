"""What `import anomaly` offers."""

from operator import attrgetter

import pytest

import anomaly


@pytest.mark.parametrize("name", anomaly.__all__)
def test_every_name_is_there(name):
    assert getattr(anomaly, name).__name__.lower() == name.lower()


def test_a_name_that_is_not_there_is_an_error_like_any_other():
    with pytest.raises(AttributeError, match="module 'anomaly' has no attribute 'detects'"):
        attrgetter("detects")(anomaly)
    assert dir(anomaly) == sorted(anomaly.__all__)
