"""What people would use instead: each in an environment of its own, over the same tables, its totals compared first.

Belongs here: installing them, calling them, holding what they loaded against the files.
Does not belong here: finpipe's own ways and the limits (``tools.bench.run``).
"""
