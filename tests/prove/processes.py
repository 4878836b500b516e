"""Real processes that start warm: forked from a server that has imported everything and done nothing.

Belongs here: running a function in such a process, killing it, letting a tracer in first.
Does not belong here: what the functions do.  Importing the stack costs seconds, forking milliseconds; and as the server
itself never opens a database or starts a thread, what is forked is whole.
"""

import ctypes
import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_PRELOAD = ["pytest", "tests.prove.company"]
#: A child that says nothing for so long is a defect: nothing here works for more than seconds.
PATIENCE_SECONDS = 120.0
KILLED = -9
#: Linux's PR_SET_PTRACER.
_SET_PTRACER = 0x59616D61


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code (``KILLED`` by SIGKILL), what it returned or why it failed, and its wall time."""

    code: int
    answer: Any
    seconds: float

    @property
    def is_done(self) -> bool:
        """Whether it came to its end."""
        return self.code == 0


def run(
    what: Callable[..., Any],
    *args: Any,
    kill_after: float | None = None,
    before: Callable[[int], None] = lambda _pid: None,
) -> Ended:
    """Call ``what`` in a process of its own; kill -9 it after so many seconds of work.

    ``before`` is called with the process's id while it waits to begin.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, what, args))
    process.start()
    theirs.close()
    try:
        if not ours.poll(PATIENCE_SECONDS):
            raise TimeoutError("a process did not start")
        ours.recv()
        if process.pid is not None:
            before(process.pid)
        ours.send("go")
        began = time.perf_counter()
        answer = _answer(ours, PATIENCE_SECONDS if kill_after is None else kill_after)
        if kill_after is not None:
            process.kill()
        process.join(PATIENCE_SECONDS)
        return Ended(_code(process), answer, time.perf_counter() - began)
    finally:
        ours.close()
        process.kill()


def outcome(what: Callable[..., Any], *args: Any) -> Any:
    """What ``what`` returns in a process of its own; raises ``RuntimeError`` with its words when it failed."""
    ended = run(what, *args)
    if not ended.is_done:
        raise RuntimeError(f"{getattr(what, '__name__', what)} ended with {ended.code}: {ended.answer}")
    return ended.answer


def _answer(pipe: Any, seconds: float) -> Any:
    with suppress(EOFError, OSError):  # killed while it wrote, or before
        if pipe.poll(seconds):
            return pipe.recv()
    return None


def _code(process: Any) -> int:
    if process.exitcode is None:
        raise TimeoutError(f"process {process.pid} neither ended nor could be killed")
    return int(process.exitcode)


def _work(pipe: Any, what: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """In the child: wait for the word, work, answer. It leaves without clean-up, as a server would be left."""
    ctypes.CDLL(None).prctl(_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)  # a tracer need not be an ancestor
    pipe.send("ready")
    pipe.recv()
    code = 0
    try:
        answer = what(*args)
    except BaseException as problem:  # noqa: BLE001 - whatever it is, the parent wants to know
        code, answer = 1, f"{type(problem).__name__}: {problem}"
    with suppress(OSError):  # a fault that is injected into this write, too
        pipe.send(answer)
    os._exit(code)
