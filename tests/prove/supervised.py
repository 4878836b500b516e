"""Processes of a proof: real ones, found by a mark in their environment, killed with -9 and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def waited(happened: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Whether something happened in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(pause)
    return happened()


def kill(number: int) -> bool:
    """Kill -9; whether there was something to kill."""
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@dataclass
class Supervised:
    """A command that is started again when it dies, as systemd does it; everything below it carries a mark."""

    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    mark: str
    starts: int = 0
    running: "subprocess.Popen[bytes] | None" = field(default=None)

    def watch(self) -> None:
        """Start it if it does not run."""
        if self.running is None or self.running.poll() is not None:
            with self.log.open("ab") as log:
                self.running = subprocess.Popen(
                    self.command,
                    env={**os.environ, **self.environment, "FINPIPE_PROVE_MARK": self.mark},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self.starts += 1

    def below(self, *words: str) -> list[int]:
        """Living processes that carry the mark and whose command line has all the words."""
        sought = f"FINPIPE_PROVE_MARK={self.mark}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                if sought in (folder / "environ").read_bytes().split(b"\0"):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if line and all(word in line for word in words):
                        found.append(int(folder.name))
            except OSError:
                continue
        return found

    def end(self) -> None:
        """Kill all of it, for good."""
        for _ in range(20):
            numbers = self.below()
            for number in numbers:
                kill(number)
            if self.running is not None:
                self.running.poll()
            if not numbers:
                return
            time.sleep(0.1)
