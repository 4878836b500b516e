"""Which customer records of several systems are one customer, where the systems do not say it themselves.

Belongs here: reading names and evidence (``names``, ``evidence``), finding pairs worth a look (``blocks``), judging
them (``judge``), joining what is certain (``match``), and the table that models read (``store``).
Does not belong here: golden customers and their fields; the models make them of records and of these pairs.
"""

from finpipe.conform.matching.match import match
from finpipe.conform.matching.records import Decided, Pair, Record
from finpipe.conform.matching.store import COLUMNS, NAME, TABLE, bring_up

__all__ = ["COLUMNS", "NAME", "TABLE", "Decided", "Pair", "Record", "bring_up", "match"]
