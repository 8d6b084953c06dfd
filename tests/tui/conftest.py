"""What the tests of the screen share."""

import pytest


@pytest.fixture
def quick(tmp_path):
    """A practice model that speaks at once."""
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("[providers.scripted.flags]\npace_ms = 0\n")
