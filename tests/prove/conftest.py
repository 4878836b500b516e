"""Proving suites ask for ``proof``: the mark's own seeded record of trials and deviations.

``FINPIPE_PROVE=full`` runs the whole figures, ``FINPIPE_PROVE_SEED`` another seed, ``FINPIPE_PROVE_TRIALS`` another
number of trials, ``FINPIPE_PROVE_MINUTES`` no longer than that; without them the ordinary test run keeps a short slice
with a fixed seed.
"""

import os

import pytest

from tests.prove.verdicts import Proof


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """The record of the one suite that this test is: named by its ``prove_…`` mark."""
    mark = next(mark.name for mark in request.node.iter_markers() if mark.name.startswith("prove_"))
    return Proof(
        mark, seed=int(os.environ.get("FINPIPE_PROVE_SEED", "1")), is_full=os.environ.get("FINPIPE_PROVE") == "full"
    )
