"""docs/performance.md: sections between marks, each replaced by the run that measured it.

Belongs here: the page's marks and its plot.  Does not belong here: what sections say (``report``).
"""

from collections.abc import Mapping

from finpipe.settings import PROJECT

PAGE = PROJECT / "docs" / "performance.md"
PLOT = PROJECT / "docs" / "performance.svg"


def write_sections(sections: Mapping[str, str]) -> None:
    """Put each section between its marks; raises ``KeyError`` for one that the page has no place for."""
    said = PAGE.read_text(encoding="utf-8")
    for name, text in sections.items():
        begin, end = f"<!-- bench: {name} -->", f"<!-- bench: end of {name} -->"
        if begin not in said or end not in said:
            raise KeyError(f"{PAGE.name} has no marks for {name}")
        before, after = said.split(begin)[0], said.split(end)[1]
        said = f"{before}{begin}\n{text}{end}{after}"
    PAGE.write_text(said, encoding="utf-8")


def write_plot(drawing: str) -> None:
    """The plot beside the page."""
    PLOT.write_text(drawing, encoding="utf-8")
