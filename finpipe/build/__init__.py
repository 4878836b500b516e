"""BUILD and AUDIT: canonical rows → marts and reconciliations, each with its tests, by dbt in this process.

Belongs here: running dbt, what is known of its models without running it, and the verdict over a build.
Does not belong here: SQL of models (``dbt_project``), and Dagster: nothing in this folder imports it.
"""

from finpipe.build.manifest import Check, Manifest, Model, kept
from finpipe.build.run import BuildReport, Node, build, code_version, latest_build, stamps_inputs

__all__ = [
    "BuildReport",
    "Check",
    "Manifest",
    "Model",
    "Node",
    "build",
    "code_version",
    "kept",
    "latest_build",
    "stamps_inputs",
]
