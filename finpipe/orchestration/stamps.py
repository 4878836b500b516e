"""What figures follow from, as publications and snapshots say it.

Belongs here: the stamps of a build, and the versions in force now.  Does not belong here: Dagster.
"""

import duckdb

from finpipe.build import BuildReport, code_version
from finpipe.policy import policy_of
from finpipe.publish import Stamps
from finpipe.settings import Home
from finpipe.systems import settings_version


def stamps_of(connection: duckdb.DuckDBPyConnection, built: BuildReport) -> Stamps:
    """What the figures of a build follow from."""
    received = connection.execute(
        "select strftime(received_at, '%Y-%m-%dT%H:%M:%S+00:00') from ledger.loads where load_seq = ?",
        [built.load_seq],
    ).fetchall()
    return Stamps(
        as_of=built.as_of.isoformat(),
        load_seq=built.load_seq,
        load_hash=built.load_hash,
        code_version=built.code_version,
        build=built.build,
        as_known=received[0][0] if received else "",
        policy_version=built.policy_version,
        settings_version=built.settings_version,
    )


def versions(home: Home) -> dict[str, str]:
    """Code, policy and settings as they are now, under the names of the stamps."""
    return {
        "code_version": code_version(),
        "policy_version": policy_of(home).version,
        "settings_version": settings_version(home),
    }
