"""The generator's run: blocks of accounts one after another, then what crosses them.

Belongs here: which frame goes to which file. Does not: the frames' content. Memory holds one block, plus the small
sums and the cash movements (a few columns) that payouts, statements and balances are made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from finpipe.demo import (
    balances,
    books,
    faults,
    netsuite,
    netsuite_reference,
    revenue,
    salesforce,
    stripe,
    stripe_money,
    treasury,
    truth,
)
from finpipe.demo.company import Block, World, live, order_documents, with_heads
from finpipe.demo.customers import FIRST
from finpipe.demo.faults.company import CompanyPlanter
from finpipe.demo.faults.plan import Planter, Register
from finpipe.demo.ids import TRANSACTIONS
from finpipe.demo.out import Writer
from finpipe.demo.world import ENTITIES, periods

ACCOUNTS_AT_SCALE_1 = 20_000
BLOCK = 4_000  # accounts held at once: about 20,000 invoices

Extracts = dict[str, pl.DataFrame]  # file name below extracts/ -> native rows


@dataclass
class Across:
    """What is kept of every block for the tables that cross customers."""

    movements: list[pl.DataFrame] = field(default_factory=list)
    wires: list[pl.DataFrame] = field(default_factory=list)
    balances: list[pl.DataFrame] = field(default_factory=list)
    receivable: list[pl.DataFrame] = field(default_factory=list)
    revenue: list[pl.DataFrame] = field(default_factory=list)
    deferred: list[pl.DataFrame] = field(default_factory=list)
    misrun: list[pl.DataFrame] = field(default_factory=list)  # what faults in documents change in the revenue run

    def keep(self, block: Block, entries: pl.DataFrame, spans: pl.DataFrame) -> None:
        """Keep sums and movements of a block."""
        self.movements.append(block.movements)
        self.wires.append(block.wires)
        self.revenue.append(
            block.revenue.group_by("entity", "period").agg(pl.col("amount").sum()).sort("entity", "period")
        )
        self.deferred.append(revenue.deferred(block.invoice_lines, block.revenue, spans))
        self.post(entries)

    def post(self, entries: pl.DataFrame) -> None:
        """Add ledger lines (with their period) to the running sums."""
        by = ["entity", "account", "period"]
        self.balances.append(entries.group_by(by).agg(pl.col("func_amount").sum()).sort(by))
        by = ["entity", "ccy", "dated_on"]
        due = entries.filter(balances.is_receivable())
        self.receivable.append(due.group_by(by).agg(pl.col("foreign", "func_amount").sum()).sort(by))


def crm_extract(block: Block, world: World) -> Extracts:
    """Return the CRM's rows of a block."""
    opportunities = [
        salesforce.opportunities(block.deals),
        salesforce.pipeline(block.accounts, world.chance, world.horizon),
    ]
    return {
        "salesforce/Account.csv": salesforce.accounts(block.accounts),
        "salesforce/Opportunity.csv": pl.concat(opportunities).sort("Id"),
        "salesforce/OpportunityLineItem.csv": salesforce.opportunity_lines(block.contract_lines),
        "salesforce/Contract.csv": salesforce.contracts(block.deals),
        "salesforce/Order.csv": salesforce.orders(block.deals),
    }


def billing_extract(block: Block, world: World) -> Extracts:
    """Return the billing platform's rows of a block: card customers only."""
    card = block.invoices.filter(~pl.col("is_wire")).select("inv", "c")
    own = block.invoice_lines.join(card, on="inv", how="semi", maintain_order="left")
    of_card = block.accounts.filter((pl.col("role") == 1) & ~pl.col("is_wire")).select("c")
    deals = block.deals.join(of_card, on="c", how="semi", maintain_order="left")
    promised = block.contract_lines.join(of_card, on="c", how="semi", maintain_order="left")
    items = stripe.line_items(own)
    settled = stripe.settled_so_far(block.applications, block.credits)
    refunds, disputes = block.refunds, block.disputes
    return {
        "stripe/customer.jsonl": stripe.customers(block.accounts),
        "stripe/subscription.jsonl": stripe.subscriptions(promised, deals, world.horizon),
        "stripe/invoice.jsonl": stripe.invoices(block.invoices, settled, items),
        "stripe/invoice_line_item.jsonl": stripe.more_lines(items),
        "stripe/invoice_payment.jsonl": stripe_money.invoice_payments(block.payments),
        "stripe/payment_intent.jsonl": stripe_money.payment_intents(block.invoices, block.payments, world.horizon),
        "stripe/charge.jsonl": stripe_money.charges(block.invoices, block.payments, refunds, disputes, world.horizon),
        "stripe/refund.jsonl": stripe_money.refunds(refunds),
        "stripe/dispute.jsonl": stripe_money.disputes(disputes),
        "stripe/credit_note.jsonl": stripe_money.credit_notes(block.credits, refunds),
    }


def _modified(block: Block) -> pl.DataFrame:
    """When each invoice was last touched by an application, what of it is open, when it was voided."""
    links = block.applications
    by_invoice = links.group_by("inv").agg(last_on=pl.col("applied_on").max(), used=pl.col("amount").sum())
    frame = block.invoices.select("inv", "total", "void_on").join(
        by_invoice, on="inv", how="left", maintain_order="left"
    )
    left = pl.col("total") - pl.col("used").fill_null(0)
    return frame.select("void_on", tid=pl.col("inv") * 32, last_on="last_on", open=left)


def erp_extract(block: Block, entries: pl.DataFrame, world: World) -> Extracts:
    """Return the ERP's rows of a block. ``entries`` have their period."""
    orders, order_lines = order_documents(block.deals, block.contract_lines, world)
    documents = netsuite.with_period(pl.concat([block.documents, orders]), world.spans)
    own = ["inv", "deal", "ccy", "invoiced_on"]
    billed = (
        block.invoice_lines.filter(pl.col("reissue") == 0).group_by(own, maintain_order=True).agg(pl.col("net").sum())
    )
    lines = pl.concat([entries.drop("period"), order_lines])
    return {
        "netsuite/customer.csv": netsuite.customers(block.accounts),
        "netsuite/transaction.csv": netsuite.transactions(documents, _modified(block)),
        "netsuite/transactionline.csv": netsuite.transaction_lines(lines),
        "netsuite/transactionaccountingline.csv": netsuite.accounting_lines(lines),
        "netsuite/nexttransactionlinelink.csv": netsuite.links(block.applications, block.refunds, billed),
        "netsuite/deletedrecord.csv": netsuite.deleted_records(block.invoices),
    }


def truth_tables(block: Block, entries: pl.DataFrame) -> Extracts:
    """Return the truth of a block."""
    documents, lines = truth.billings(block)
    return {
        "bookings.csv": truth.bookings(block),
        "booking_lines.csv": truth.booking_lines(block),
        "billings.csv": documents,
        "billing_lines.csv": lines,
        "write_offs.csv": truth.write_offs(block),
        "collections.csv": truth.collections(block),
        "applications.csv": truth.applications(block),
        "open_invoices.csv": truth.open_invoices(block),
        "revenue_lines.csv": truth.revenue_lines(block),
        "journal_lines.csv": truth.journal_lines(entries),
    }


def with_periods(entries: pl.DataFrame, world: World) -> pl.DataFrame:
    """Add the posting period to ledger lines."""
    return netsuite.with_period(entries, world.spans).sort("tid", "line")


def write(writer: Writer, extracts: Extracts, folder: str) -> None:
    """Append native rows to their files."""
    for name, frame in extracts.items():
        add = writer.jsonl if name.endswith(".jsonl") else writer.csv
        add(f"{folder}/{name}", frame)


def across_all(
    kept: Across, world: World, first_tid: int, register: Register, codes: frozenset[str]
) -> tuple[Extracts, Extracts, dict[str, bytes]]:
    """Return what crosses customers: extracts (payouts, bank, the company's own entries), truth, misshapen files."""
    moves = pl.concat([*kept.movements, treasury.stripe_fees(world.horizon)]).sort("entity", "moved_on", "txn")
    payout, moves = treasury.payouts(moves, world.seed, world.horizon)
    fees = treasury.bank_fees(world.horizon)
    banked = pl.concat([*kept.wires, treasury.payout_entries(payout), fees])
    banked = faults.company.bank_faults(banked, Planter(world, {}, register), payout, codes)
    earned = pl.concat(kept.revenue).group_by("entity", "period").agg(pl.col("amount").sum())
    earned = world.spans.join(earned, on=["entity", "period"], how="inner").sort("entity", "period")
    documents, entries = books.company_books(payout, fees, earned, world.rates, first_tid)
    documents = netsuite.with_period(documents, world.spans)
    entries = with_periods(with_heads(entries, documents), world)
    kept.post(entries)
    modified = pl.DataFrame(schema={"tid": pl.Int64, "last_on": pl.Date, "open": pl.Int64, "void_on": pl.Date})
    extracts = {
        "stripe/balance_transaction.jsonl": stripe_money.balance_transactions(moves, payout),
        "stripe/payout.jsonl": stripe_money.payouts(payout),
        "netsuite/transaction.csv": netsuite.transactions(documents, modified),
        "netsuite/transactionline.csv": netsuite.transaction_lines(entries),
        "netsuite/transactionaccountingline.csv": netsuite.accounting_lines(entries),
        "bank/statement.csv": treasury.bank_lines(treasury.statement(banked)),
        **reference(world),
    }
    misrun = pl.concat(kept.misrun)
    extracts, files = _planted(extracts, world, register, codes, payout, documents, misrun)
    sums, due = pl.concat(kept.balances), pl.concat(kept.receivable)
    tables = {
        "journal_lines.csv": truth.journal_lines(entries),
        "payouts.csv": balances.payouts(payout),
        "timing.csv": balances.in_transit(moves, payout),
        "trial_balance.csv": balances.trial_balance(sums, world.spans),
        "receivables_by_period.csv": balances.receivables(
            due, world.spans.select("entity", "period_name", last_on="seen_to")
        ),
        "deferred_by_period.csv": balances.deferred(pl.concat(kept.deferred), world.spans),
        "receivables_by_month.csv": balances.receivables(due, _months(world)),
    }
    return extracts, tables, files


def _planted(
    extracts: Extracts,
    world: World,
    register: Register,
    codes: frozenset[str],
    payout: pl.DataFrame,
    documents: pl.DataFrame,
    misrun: pl.DataFrame,
) -> tuple[Extracts, dict[str, bytes]]:
    planter = CompanyPlanter(Planter(world, extracts, register), payout, documents, documents["tid"].max())  # type: ignore[arg-type]
    faults.revenue_run.follow(planter, misrun)
    faults.plant_in_company(planter, codes)
    if "PRD-UNMAPPED" in codes:
        planter.edits.add("netsuite/item.csv", faults.company.unmapped_item())
    return planter.done(), planter.files


def _months(world: World) -> pl.DataFrame:
    months = periods(world.horizon).filter((pl.col("calendar") == 0) & pl.col("is_told"))
    entities = pl.DataFrame({"entity": [e.no for e in ENTITIES]})
    return entities.join(months.select("period_name", "last_on"), how="cross").sort("last_on", "entity")


def reference(world: World) -> Extracts:
    """Return the tables no customer changes."""
    return {
        **{f"salesforce/{k}.csv": v for k, v in salesforce.reference(world.seed, world.horizon).items()},
        **{f"stripe/{k}.jsonl": v for k, v in stripe.reference(world.horizon).items()},
        **{
            f"netsuite/{k}.csv": v
            for k, v in netsuite_reference.reference(world.rates, world.spans, world.horizon).items()
        },
    }


def block_extracts(block: Block, entries: pl.DataFrame, world: World) -> Extracts:
    """Return what all systems show of a block, free of faults."""
    return crm_extract(block, world) | billing_extract(block, world) | erp_extract(block, entries, world)


def run(root: Path, world: World, count: int, codes: frozenset[str]) -> tuple[Writer, Register]:
    """Write a company of ``count`` accounts below ``root``, with faults of ``codes`` planted in its extracts."""
    writer, kept, register = Writer(root), Across(), Register()
    end = FIRST + count
    for low in range(FIRST, end, BLOCK):
        block = live(low, min(low + BLOCK, end), world)
        entries = with_periods(block.entries, world)
        kept.keep(block, entries, world.spans)
        planter = Planter(world, block_extracts(block, entries, world), register, block)
        faults.plant_in_block(planter, codes)
        planted = planter.done()
        kept.misrun.append(faults.revenue_run.changed(planter, planted))
        write(writer, planted, "extracts")
        write(writer, {"stripe/customer.jsonl": stripe.deleted_customers(block.accounts)}, "extracts")
        write(writer, truth_tables(block, entries), "truth")
    extracts, tables, files = across_all(kept, world, end * TRANSACTIONS, register, codes)
    write(writer, extracts, "extracts")
    for name, data in files.items():
        writer.whole(f"extracts/{name}", data)
    write(writer, tables | {"faults.csv": register.frame()}, "truth")
    return writer, register
