"""Tools for those who work on finpipe; no part of the product."""
