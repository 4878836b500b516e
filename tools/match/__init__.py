"""How well customers are matched, held against a truth and against two simpler ways."""
