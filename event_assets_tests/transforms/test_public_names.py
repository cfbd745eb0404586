from __future__ import annotations

import subprocess
import sys

import pytest

from event_assets import transforms


@pytest.mark.parametrize("name", transforms.__all__)
def test_every_public_function_can_be_imported_and_says_what_it_gives(name: str) -> None:
    function = getattr(transforms, name)
    assert callable(function)
    assert ">>>" in (function.__doc__ or ""), f"{name} is documented without an example"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        transforms.nothing  # noqa: B018


def test_importing_the_package_does_not_load_pyspark() -> None:
    check = "import sys, event_assets.transforms; sys.exit('pyspark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
