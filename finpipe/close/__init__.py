"""CLOSE: what must hold before a period is closed, what is stored of it, and the evidence that stays.

Belongs here: periods, the checklist, the figures of a close, the evidence pack.
Does not belong here: landing what was decided and keeping the publication (``orchestration.close`` puts stages
together), and what follows from a close in the figures (the models).
"""

from finpipe.close.checklist import Line, checklist
from finpipe.close.evidence import Pack, check_pack, write_pack
from finpipe.close.figures import MEASURES, digests, figures_of
from finpipe.close.periods import Period, meant, periods

__all__ = [
    "MEASURES",
    "Line",
    "Pack",
    "Period",
    "check_pack",
    "checklist",
    "digests",
    "figures_of",
    "meant",
    "periods",
    "write_pack",
]
