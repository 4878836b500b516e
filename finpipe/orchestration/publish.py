"""PUBLISH as one step, open only to a build that passed its audit.

Belongs here: the published asset.  Does not belong here: writing the snapshot (``finpipe.publish``).
"""

from collections.abc import Callable
from typing import Any

import dagster as dg

from finpipe.build import Manifest, latest_build
from finpipe.errors import FinpipeError
from finpipe.orchestration import specs
from finpipe.orchestration.company import Company, working
from finpipe.orchestration.metadata import table
from finpipe.orchestration.restate import note_periods
from finpipe.orchestration.stamps import stamps_of
from finpipe.publish import Published, manifest_of
from finpipe.publish import publish as publish_stage
from finpipe.settings import Home
from finpipe.warehouse import connect


def publish_assets(manifest: Manifest) -> dg.AssetsDefinition:
    """The step that puts a whole, audited snapshot in force."""

    @dg.multi_asset(
        name="publish",
        specs=[specs.published(manifest)],
        pool="warehouse",
        description="Write the snapshot, then swap `published/current`; at any stop the former one stays.",
    )
    def publish(context: dg.AssetExecutionContext, company: dg.ResourceParam[Company]) -> dg.MaterializeResult[Any]:
        with working(company) as home:
            done = publish_audited(home, company.teller("publish"))
        note_periods(company.home, context.instance)
        said = manifest_of(done.folder)
        context.log.info(f"publication {done.seq} is in force: {done.folder}")
        facts = [(name, t["rows"], t["digest"]) for name, t in said["tables"].items()]
        return dg.MaterializeResult(
            asset_key=specs.PUBLISHED,
            metadata={
                "publication": done.seq,
                "is_new": done.is_new,
                "folder": dg.MetadataValue.path(str(done.folder)),
                "as_of": said["as_of"],
                "as_known": said["as_known"],
                "digest": done.digest,
                "dagster/row_count": sum(done.rows.values()),
                "tables": table(["table", "rows", "digest"], facts),
            },
        )

    return publish


def publish_audited(home: Home, tell: Callable[[str], None]) -> Published:
    """Publish what the last build made; raises ``FinpipeError`` unless that build passed its audit."""
    with connect(home) as connection:
        built = latest_build(connection)
        if built is None or built.verdict != "passed":
            raise FinpipeError(
                "the last build did not pass its audit, so it is not published; the former publication stays",
                where=str(home.warehouse),
                got=f"build {built.build} {built.verdict}" if built else "no build yet",
                fix="see the failed checks of the run, correct the cause, then finpipe run",
            )
        return publish_stage(home, connection, stamps_of(connection, built), tell)
