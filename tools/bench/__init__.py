"""``make bench``: what finpipe costs beside DuckDB alone and beside the same SQL run by hand.

Belongs here: measuring, in fresh processes, alternating, with totals compared before any time counts.
Does not belong here: limits on time; nothing in this package or its test asserts on a clock.
"""
