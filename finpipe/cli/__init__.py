"""The command line: ``finpipe``.

Belongs here: arguments, what is printed, exit codes.  Does not belong here: anything a stage does.
Heavy modules are imported inside commands, so that ``--help`` and ``status`` answer at once.
"""

from finpipe.cli.base import Commands
from finpipe.cli.main import main

__all__ = ["Commands", "main"]
