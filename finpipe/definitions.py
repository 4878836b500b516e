"""Dagster's entry: what ``dagster dev``, ``definitions validate`` and the daemon load."""

from finpipe.orchestration.defs import build_defs

defs = build_defs()
