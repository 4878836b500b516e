"""Dagster's own SQLite event log, without a new connection and a flush to disk for each of a run's thousand events.

Belongs here: how connections to the event log are kept.  Does not belong here: what is in it.
On a slow disk the stock one spent 40 of 60 seconds of a run opening, flushing and closing.  A run's history is no
truth of ours (landing is), so a power cut may cost its last second; a killed process costs nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import SingletonThreadPool

#: Runs whose files stay open at once; the oldest is closed beyond that.
_MOST_OPEN = 4


class EventLog(SqliteEventLogStorage):
    """The same files and tables; connections are kept and commits do not wait for the disk."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Read where the files lie."""
        self._open: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """As Dagster makes it from ``dagster.yaml``."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._open:
            runs = [name for name in self._open if name != INDEX_SHARD_NAME]
            if len(runs) >= _MOST_OPEN:
                self._open.pop(runs[0]).dispose()
            engine = create_engine(
                self.conn_string_for_shard(shard), poolclass=SingletonThreadPool, connect_args={"timeout": 60}
            )
            event.listen(engine, "connect", _relax)
            self._open[shard] = engine
        return self._open[shard]

    def dispose(self) -> None:
        """Close every file."""
        for engine in self._open.values():
            engine.dispose()
        self._open.clear()
        super().dispose()


def _relax(connection: Any, _record: Any) -> None:
    """In a write-ahead log this is safe against a crash of the process, though not of the machine."""
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = off")
