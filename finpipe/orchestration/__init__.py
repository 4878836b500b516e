"""The stages as Dagster assets, checks, jobs and schedules: the only package that imports Dagster.

Belongs here: which stage runs after which, and how its results look to people.
Does not belong here: any figure or rule; a stage works the same without Dagster.
"""
