"""Under a real Dagster instance: whatever is killed, the next run succeeds unattended and no slot stays taken.

Real are daemon, code server, run workers, queue, pool, sensor, retries, run monitoring and the steps that land, load
and conform; the instance is the one of ``dagster.yaml`` with shorter pauses and storage of the test's own. Who starts
the daemon again is systemd's part, played here by ``Supervised``.
"""

import fcntl
import json
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.instance.config import dagster_instance_config
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES, NOT_FINISHED_STATUSES

from finpipe.orchestration.jobs import MICRO_BATCH
from finpipe.settings import PROJECT, Home
from tests.prove.supervised import Supervised, kill, waited
from tests.prove.verdicts import Proof

CRM = 'role = "crm"\nprefixes = ["deals"]\n[tables.deal]\nkey = ["id"]\ncolumns = ["id", "name"]\n'
ROWS = 7
#: How long a company may take to be well again, a start that timed out included; a hung one takes for ever.
PATIENCE = 600
KINDS = ("step", "worker", "server", "daemon", "tree")
WORKSPACE = """
load_from:
  - python_module: {{module_name: tests.prove.location, working_directory: "{project}", location_name: finpipe}}
"""


@dataclass
class Site:
    """An installation: a company, an instance, a daemon that is kept running, and what was delivered so far."""

    home: Home
    folder: Path
    instance: dg.DagsterInstance
    daemon: Supervised
    delivered: int = 0
    killed: list[int] = field(default_factory=list)

    def deliver(self) -> None:
        """One more file in the inbox, whole at once."""
        inbox = self.home.inbox / "deals"
        inbox.mkdir(parents=True, exist_ok=True)
        lines = [f"d{self.delivered}-{row},x" for row in range(ROWS)]
        draft = inbox / f"deal_{self.delivered}.csv.part"
        draft.write_text("\n".join(["id,name", *lines]) + "\n")
        draft.rename(inbox / f"deal_{self.delivered}.csv")
        self.delivered += 1

    def writer(self) -> int | None:
        """Who holds a lock: that of LOAD's file, or that of the warehouse."""
        return _holder(self.home.raw_lock) or _holder(self.home.lock)

    def conformed(self) -> int:
        """How many files the warehouse knows."""
        if not self.home.warehouse.exists():
            return 0
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            known = "select 1 from duckdb_tables() where schema_name = 'ledger' and table_name = 'loads'"
            if not connection.execute(known).fetchall():
                return 0
            return int(connection.execute("select count(*) from ledger.loads").fetchall()[0][0])

    def workers(self) -> list[int]:
        """Processes that work on runs which have not ended."""
        found = []
        for record in self.instance.get_run_records(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)):
            for entry in self.instance.all_logs(record.dagster_run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
                event = entry.dagster_event
                if event and "pid" in event.engine_event_data.metadata:
                    found.append(int(str(event.engine_event_data.metadata["pid"].value)))
        return found[-1:]

    def kill(self, kind: str, proof: Proof) -> bool:
        """Kill what the trial is about, when there is such a thing; whether it was."""
        pause = proof.random.random
        victims: list[int] = []
        if kind == "step":
            waited(lambda: bool(self.writer()), 60, 0.01)
            time.sleep(pause() * 0.5)
            victims = [n for n in [self.writer()] if n]
        elif kind == "worker":
            waited(lambda: bool(self.workers()), 60, 0.02)
            time.sleep(pause() * 2)
            victims = self.workers()
        else:
            time.sleep(pause() * 12)
            if kind == "tree":
                victims = self.daemon.below()
            elif kind == "server":
                victims = self.daemon.below("api", "grpc")
            elif self.daemon.running is not None:
                victims = [self.daemon.running.pid]
        self.killed = [n for n in victims if kill(n)]
        return bool(self.killed)

    def succeeded(self) -> int:
        return self.instance.get_runs_count(dg.RunsFilter(job_name=MICRO_BATCH, statuses=[dg.DagsterRunStatus.SUCCESS]))

    def is_well(self) -> bool:
        """Everything delivered is loaded, nothing waits or works, and the last run succeeded."""
        self.daemon.watch()
        if self.instance.get_runs_count(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES)) or self.writer():
            return False
        if not self.home.witness.exists() or json.loads(self.home.witness.read_text())["load_seq"] < self.delivered:
            return False
        last = self.instance.get_runs(dg.RunsFilter(job_name=MICRO_BATCH), limit=1)
        return bool(last) and last[0].status == dg.DagsterRunStatus.SUCCESS and self.conformed() == self.delivered

    def ailments(self) -> list[str]:
        """What is not as it must be, once all is at rest."""
        found = []
        with duckdb.connect(str(self.home.raw), read_only=True) as connection:
            rows = connection.execute("select count(*), count(distinct id) from raw_deals.deal").fetchall()[0]
            files = connection.execute("select count(*), count(distinct digest) from ledger.loads").fetchall()[0]
        if rows != (self.delivered * ROWS,) * 2:
            found.append(f"rows {rows}, delivered {self.delivered * ROWS}")
        if files != (self.delivered,) * 2:
            found.append(f"ledger {files}, delivered {self.delivered}")
        for pool in self.instance.event_log_storage.get_concurrency_keys():
            info = self.instance.event_log_storage.get_concurrency_info(pool)
            if info.active_slot_count or info.pending_step_count:
                found.append(f"pool {pool}: {info.active_slot_count} slots taken, {info.pending_step_count} steps wait")
        left = [p.name for p in self.home.scratch.glob("load-*")] if self.home.scratch.exists() else []
        return [*found, *(f"left over: {name}" for name in left)]

    def state(self) -> str:
        runs = self.instance.get_runs(limit=6)
        return ", ".join(f"{r.run_id[:8]} {r.job_name} {r.status.value}" for r in runs)


def _holder(lock: Path) -> int | None:
    """The process that holds a lock."""
    if not lock.exists():
        return None
    with lock.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = handle.read().strip()
            return int(said) if said else None
    return None


def instance_yaml(folder: Path) -> str:
    """The project's ``dagster.yaml``, its storage below a folder and its looks frequent; what a run may take to start
    stays, for on a busy machine that is long."""
    said, _ = dagster_instance_config(str(PROJECT))
    text = json.dumps(said).replace(".finpipe/dagster", str(folder / "dagster"))
    short = json.loads(text)
    short["run_monitoring"] |= {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 2}
    return json.dumps(short)


@pytest.mark.prove_dagster
def test_the_next_run_succeeds_unattended_whatever_was_killed(proof: Proof, tmp_path: Path) -> None:
    if not proof.is_full:
        pytest.skip("a trial under a real daemon takes half a minute: FINPIPE_PROVE=full makes 50 of them")
    home = Home(tmp_path / "home", tmp_path / "sources")
    (tmp_path / "sources" / "deals").mkdir(parents=True)
    (tmp_path / "sources" / "deals" / "system.toml").write_text(CRM)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster.yaml").write_text(instance_yaml(tmp_path))
    (tmp_path / "workspace.yaml").write_text(WORKSPACE.format(project=PROJECT))
    daemon = Supervised(
        [sys.executable, "-m", "dagster._daemon", "run", "-w", str(tmp_path / "workspace.yaml")],
        {
            "DAGSTER_HOME": str(tmp_path),
            "FINPIPE_HOME": str(home.root),
            "FINPIPE_SOURCES": str(tmp_path / "sources"),
            "PYTHONPATH": str(PROJECT),
        },
        tmp_path / "daemon.log",
        uuid.uuid4().hex,
    )
    waits: list[float] = []
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        site = Site(home, tmp_path, instance, daemon)
        try:
            while proof.trials < proof.size(slice=1, full=50) and not proof.is_over():
                kind = KINDS[proof.trials % len(KINDS)]
                daemon.watch()
                before = site.succeeded()
                site.deliver()
                if site.kill(kind, proof):
                    proof.trials += 1
                    proof.figures[kind] = int(proof.figures.get(kind, 0)) + 1
                began = time.monotonic()
                if not waited(site.is_well, PATIENCE, 0.2):
                    proof.deviated(f"{proof.trials} {kind}: not well after {PATIENCE} s: {site.state()}")
                    break
                waits.append(time.monotonic() - began)
                ailments = site.ailments()
                if site.succeeded() <= before:
                    ailments.append("no run succeeded")
                if ailments:
                    proof.deviated(f"{proof.trials} {kind}: {'; '.join(ailments)}")
                print(f"trial {proof.trials} {kind}: well after {waits[-1]:.0f} s, {site.state()}", flush=True)
        finally:
            daemon.end()
    proof.figures["daemon_starts"] = daemon.starts
    proof.figures["longest_recovery_seconds"] = round(max(waits, default=0))
    proof.conclude()
