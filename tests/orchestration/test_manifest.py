"""The kept manifest is what the dbt project gives now."""

import json

from finpipe.build import kept
from finpipe.build.keep import render
from finpipe.build.manifest import KEPT
from finpipe.settings import PROJECT


def test_the_kept_manifest_is_fresh() -> None:
    text = KEPT.read_text(encoding="utf-8")
    assert render(json.loads(text)) == text, "make manifest"


def test_it_names_no_place_and_no_day() -> None:
    text = KEPT.read_text(encoding="utf-8")
    assert str(PROJECT) not in text
    assert "/tmp/" not in text
    assert "generated_at" not in text


def test_every_mart_has_lineage_checks_and_words() -> None:
    said = kept()
    for model in said.models.values():
        if model.schema == "marts":
            assert model.about, model.table
            assert model.lineage, model.table
            assert any(c.table == model.table for c in said.checks.values()), model.table
