"""A whole company, made up from a seed: the truth first, then what each system would show of it.

Belongs here: a generator that knows nothing of the rest of finpipe and that nothing of it knows; extracts and truth are
all that passes. Does not: reading, mapping, reconciling, scoring.

How the company does business (what a reconciler may take as honest)

- **Entities**: 1 US (USD), 2 GB (GBP, 4-4-5 weeks from the first day, second year of 53 weeks), 3 JP (JPY), 4 KW (KWD).
  A subsidiary's ``fiscalcalendar`` names its periods' calendar. Of 24 told periods 20 are closed, two more AR-locked.
- **Accounts** buy, are prospects, or are duplicates merged away in the CRM; groups of up to ten share a parent. A buyer
  has one entity, one currency, and pays by card or by wire for good.
- **Card customers** pay in their entity's functional currency and are billed in Stripe: each invoice is in the ERP as
  CustInvc (same number, ``externalid`` in_), each successful charge as CustPymt (ch_, gross of fee, same day), each
  refund as CustRfnd (re_), each credit note as CustCred (cn_). The money goes to Stripe Clearing.
- **Wire customers** (any currency their entity sells in) are in CRM, ERP and bank, never in Stripe: no billing id, no
  ``externalid`` on invoices and payments. ``otherrefnum`` of the payment is the bank's end-to-end reference; the bank
  line names the invoices; value date = payment date.
- **Deals**: every closed-won opportunity has a Salesforce order and an ERP SalesOrd (``externalid`` = opportunity),
  reductions with negative amounts; it is signed 0 to 5 days before it starts (renewals up to 60). TotalPrice =
  quantity x UnitPrice (whole term) less discount, exact. Usage has no committed value. There is one contract and one
  subscription per new, renewed or reactivated deal; upsells, downgrades and cancellations amend theirs.
- **Invoices**: subscriptions in advance (1, 3, 12 or 24 months) or in arrears (1 or 3), usage in arrears, one invoice
  per customer and day; a Stripe subscription's discount ends with the subscription;
  tax per line, half up; numbers run without gaps per customer. A void is issued again, whole, the same day.
- **ERP void**: the invoice is marked voided, keeps its postings, and names (``reversal``, ``reversaldate``) the journal
  that reverses them on the void date.
- **Settlement** at the cut is all or nothing: an invoice is wholly open (unpaid, honestly) or wholly settled; nothing
  is unapplied. Short payments end in a credit memo, overpayments in a refund; every dispute is decided. What is given
  up (uncollectible in Stripe) is a credit memo of the ERP's write-off item, to bad debt expense, and no billing.
- **Disputes** do not reopen invoices: a journal (``externalid`` dp_) moves the money from clearing to losses, one with
  the balance transaction's id moves it back when won. The processor's fees are booked with the payout's Deposit (po_).
- **Payouts** are weekly per entity; one in 29 fails and leaves with the next. Its bank line carries the trace id.
- **Rates**: documents use the day's rate of ``currencyrate``; credit memos their invoice's; what is left of an invoice
  is worth itself at its own rate, the difference on payment is realised; no revaluation at period end.
- **Revenue**: subscriptions by the day over the service dates, one journal per entity and period; usage, services at
  once. Credits go to an allowance account. Intercompany: a monthly pair of journals with the same number.
- **Time**: instants are UTC on the business day. At the cut are open: unpaid invoices, balance not yet paid out and
  payouts on their way (``truth/timing.csv``), negotiations.

Planted faults (`finpipe.demo.faults`) are errors of recording in the native rows, and files that nobody can read; the
truth stays as it is, so figures built on faulty extracts differ from it by what ``truth/faults.csv`` lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from finpipe.demo.build import ACCOUNTS_AT_SCALE_1, run
from finpipe.demo.company import World
from finpipe.demo.config import configuration
from finpipe.demo.drops import deliver
from finpipe.demo.faults import CODES, chosen
from finpipe.demo.out import DemoError, whole_folder
from finpipe.demo.world import Horizon

__all__ = ["FAULT_CODES", "DemoError", "Summary", "generate"]

FAULT_CODES: tuple[str, ...] = CODES
MINIMUM = 100  # accounts: below this an entity or a way of paying may have no customer at all


@dataclass(frozen=True)
class Summary:
    """What was written: rows per file below the output folder, faults planted per code, and the last day told."""

    out: Path
    rows: dict[str, int]
    faults: dict[str, int]
    cut: date


def generate(
    seed: int, scale: float, faults: str, out: Path, start: date = date(2023, 1, 1), batches: str | None = None
) -> Summary:
    """Write the company of ``seed`` at ``scale`` (1 = 20,000 accounts, about 100,000 invoices) to ``out``.

    ``faults`` is ``none``, ``all`` or codes separated by commas. ``batches`` (``day`` or ``hour``) also delivers the
    company as a sequence of drops, with mishaps (see `finpipe.demo.drops`). ``finpipe.toml`` beside the extracts is the
    configuration such a company would write. The same arguments give the same bytes.
    Raises DemoError, with nothing written, for an unknown code, a scale not above zero, a start that is no first of
    month, or an output that is not empty.
    """
    if not scale > 0:
        raise DemoError(f"scale must be above zero, not {scale}")
    if start.day != 1:
        raise DemoError(f"start must be the first day of a month, not {start}")
    if batches not in (None, "day", "hour"):
        raise DemoError(f"batches must be day or hour, not {batches}")
    codes = chosen(faults)
    world = World.of(seed, Horizon.of(start))
    with whole_folder(Path(out)) as work:
        writer, register = run(work, world, max(MINIMUM, round(ACCOUNTS_AT_SCALE_1 * scale) // 10 * 10), codes)
        if batches:
            deliver(work, world.horizon, seed, hourly=batches == "hour")
        (work / "finpipe.toml").write_text(configuration(), encoding="utf-8")
    return Summary(Path(out), writer.rows, register.counts(), world.horizon.cut)
