"""Reference data that no system of the company states: published standards, stated once."""
