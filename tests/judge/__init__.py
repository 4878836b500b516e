"""The second implementation: marts recomputed in plain Python over Decimal."""
