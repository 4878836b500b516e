"""What is rendered is what is committed."""

from pathlib import Path

import pytest

from finpipe.contracts.render import rendered
from finpipe.settings import PROJECT


@pytest.mark.parametrize("path", list(rendered()), ids=lambda p: p.name)
def test_rendered_files_are_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == rendered()[path], f"run `make render` ({path.relative_to(PROJECT)})"
