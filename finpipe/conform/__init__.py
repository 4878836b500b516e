"""CONFORM: raw records → mapping → gate → canonical rows or quarantine.

Canonical holds one state: what follows from all files landed so far.  It is a pure function of raw, so the
order and grouping of loads cannot show in it, and an earlier state is had by cutting raw, not by keeping copies.
"""

from finpipe.conform.run import Conformed, ConformReport, conform

__all__ = ["ConformReport", "Conformed", "conform"]
