"""Marts against the truth: every figure of the clean twin, to the cent.

Belongs here: what is compared with what, a pair of queries per figure. Does not: faults, how marts come about. A query
returns (key, amount); a key that one side lacks counts as zero there. ``t`` holds the truth's files as text, ``m`` the
published marts. Decision 0018: quarters are calendar quarters. Decision 0010: what the ERP books as journals, such as
disputes, is no payment of it, so that chargebacks are compared in the bridge from charges to the bank.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

_MOST_SHOWN = 20  # differences kept of one figure
_SETUP = """
create macro eur(x) as cast(x as decimal(38, 4));
create macro quarter_of(d) as year(cast(d as date)) || '-Q' || quarter(cast(d as date));
create macro place(e) as replace(e, 'erp:', '');
create view t.posted as select * from t.billings where kind <> 'credit_void';
create view t.entries as
  select issued_on, currency, case kind when 'invoice' then 1 else -1 end as sign, net, tax from t.billings;
create view t.cash as select *, case kind when 'payment' then 1 else -1 end as sign from t.collections
  where kind in ('payment', 'refund');
create view t.moved as
  select *, case when eur(mrr_before) = 0 and kind = 'reactivation' then 'reactivation'
    when eur(mrr_before) = 0 then 'new' when eur(mrr_after) = 0 then 'churn'
    when eur(mrr_after) > eur(mrr_before) then 'expansion' when eur(mrr_after) < eur(mrr_before) then 'contraction'
    else 'renewal' end as movement from t.bookings;
create view t.links as select a.* from t.applications a
  where a.from_id not in (select document_id from t.billings where kind = 'credit_void');
create view t.period_names as
  select distinct legal_entity, period, period_name from t.trial_balance;
create view t.late as select *, date_diff('day', cast(due_on as date), getvariable('cut')) as days from t.open_invoices;
create view m.at_cut as select * from m.ar_open_items where getvariable('cut') between holds_from_on and holds_until_on;
"""

#: figure → (what one key is, truth, marts)
_FIGURES: dict[str, tuple[str, str, str]] = {
    "bookings": (
        "quarter × currency",
        "select quarter_of(booked_on) || ' ' || currency, sum(eur(tcv)) from t.bookings group by 1",
        "select quarter || ' ' || currency, bookings_amount from m.bookings_billings_collections",
    ),
    "billings": (
        "quarter × currency",
        "select quarter_of(issued_on) || ' ' || currency, sum(sign * eur(net)) from t.entries group by 1",
        "select quarter || ' ' || currency, billings_amount from m.bookings_billings_collections",
    ),
    "collections": (
        "quarter × currency",
        "select quarter_of(paid_on) || ' ' || currency, sum(sign * eur(amount)) from t.cash group by 1",
        "select quarter || ' ' || currency, collections_amount from m.bookings_billings_collections",
    ),
    "bookings of a deal": (
        "opportunity × day × currency",
        "select 'crm:' || opportunity_id || ' ' || booked_on || ' ' || currency, eur(tcv) from t.bookings",
        "select opportunity_id || ' ' || booked_on || ' ' || currency, sum(tcv_amount) from m.bookings group by 1",
    ),
    "movements of MRR": (
        "opportunity × movement",
        (
            "select 'crm:' || b.opportunity_id || ' ' || movement, sum(eur(mrr)) from t.moved b join t.booking_lines l "
            "on b.opportunity_id = l.opportunity_id and b.starts_on = l.starts_on where charge = 'R' group by 1"
        ),
        (
            "select b.opportunity_id || ' ' || movement, sum(mrr_amount) from m.bookings b "
            "where charge_kind = 'recurring' and service_starts_on = (select min(service_starts_on) from m.bookings o "
            "where o.opportunity_id = b.opportunity_id and o.charge_kind = 'recurring') group by 1"
        ),
    ),
    "billings of a document": (
        "document × day, net",
        "select 'erp:' || document_id || ' ' || issued_on, eur(net) from t.posted",
        "select invoice_id || ' ' || billed_on, abs(sum(net_amount)) from m.billings where not is_reversal group by 1",
    ),
    "tax of a document": (
        "document × currency",
        "select 'erp:' || document_id || ' ' || currency, eur(tax) from t.posted",
        "select invoice_id || ' ' || currency, abs(sum(tax_amount)) from m.billings where not is_reversal group by 1",
    ),
    "billings of a service": (
        "document × product × service dates, net",
        (
            "select concat_ws(' ', 'erp:' || document_id, product, starts_on, ends_on), sum(eur(net)) "
            "from t.billing_lines group by 1"
        ),
        (
            "select concat_ws(' ', invoice_id, place(product_id), service_starts_on, service_ends_on), sum(net_amount) "
            "from m.billings where kind = 'invoice' and not is_reversal group by 1"
        ),
    ),
    "voids": (
        "invoice × day, total",
        "select 'erp:' || invoice_id || ' ' || issued_on, eur(total) from t.billings where kind = 'credit_void'",
        "select invoice_id || ' ' || billed_on, -sum(total_amount) from m.billings where is_reversal group by 1",
    ),
    "write-offs": (
        "write-off × day",
        "select 'erp:' || document_id || ' ' || written_on, eur(amount) from t.write_offs",
        (
            "select item_id || ' ' || moved_on, -sum(amount) from m.ar_ledger "
            "where item_kind = 'write_off' and movement = 'write_off' group by 1"
        ),
    ),
    "money of a payment": (
        "payment or refund × day",
        "select 'erp:' || payment_id || ' ' || paid_on, sign * eur(amount) from t.cash",
        "select collection_id || ' ' || collected_on, amount from m.collections",
    ),
    "money applied": (
        "payment",
        "select 'erp:' || from_id, sum(eur(amount)) from t.links where kind = 'payment_to_invoice' group by 1",
        "select collection_id, applied_amount from m.collections where kind = 'payment'",
    ),
    "money unapplied": (
        "payment",
        "select '', eur(0)",
        "select collection_id, unapplied_amount from m.collections",
    ),
    "chargebacks": (
        "currency",
        (
            "select currency, sum(eur(amount) * case kind when 'chargeback' then -1 else 1 end) from t.collections "
            "where kind in ('chargeback', 'reinstatement') group by 1"
        ),
        "select currency, sum(dispute_amount) from m.cash_bridge group by 1",
    ),
    "applications": (
        "from × to × day",
        "select 'erp:' || from_id || ' erp:' || to_id || ' ' || applied_on, eur(amount) from t.links",
        (
            "select counter_id || ' ' || item_id || ' ' || moved_on, abs(sum(amount)) from m.ar_ledger "
            "where movement = 'application' and ar_entry_id like '%/to' group by 1"
        ),
    ),
    "receivable by month end": (
        "entity × currency × month end",
        "select concat_ws(' ', legal_entity, currency, ends_on), eur(balance) from t.receivables_by_month",
        (
            "select concat_ws(' ', place(legal_entity_id), currency, e.ends_on), sum(open_amount) from m.ar_open_items "
            "join (select distinct ends_on from t.receivables_by_month) e "
            "on cast(e.ends_on as date) between holds_from_on and holds_until_on group by 1"
        ),
    ),
    "receivable by month end, functional": (
        "entity × currency × month end",
        "select concat_ws(' ', legal_entity, currency, ends_on), eur(balance_functional) from t.receivables_by_month",
        (
            "select concat_ws(' ', place(legal_entity_id), currency, e.ends_on), sum(functional_open_amount) "
            "from m.ar_open_items join (select distinct ends_on from t.receivables_by_month) e "
            "on cast(e.ends_on as date) between holds_from_on and holds_until_on group by 1"
        ),
    ),
    "rollforward closing": (
        "entity × currency × fiscal period of the entity",
        "select concat_ws(' ', legal_entity, currency, period_name), eur(balance) from t.receivables_by_period",
        (
            "select concat_ws(' ', place(legal_entity_id), currency, period), closing_amount from m.ar_rollforward r "
            "where opening_amount <> closing_amount or exists (from t.receivables_by_period p "
            "where p.legal_entity = place(r.legal_entity_id) and p.period_name = r.period)"
        ),
    ),
    "open invoices at the cut": (
        "invoice",
        "select 'erp:' || invoice_id, eur(open) from t.open_invoices",
        "select item_id, open_amount from m.at_cut",
    ),
    "open invoices at the cut, functional": (
        "invoice",
        "select 'erp:' || invoice_id, eur(open_functional) from t.open_invoices",
        "select item_id, functional_open_amount from m.at_cut",
    ),
    "aging at the cut": (
        "entity × currency × days late",
        (
            "select concat_ws(' ', legal_entity, currency, case when days <= 0 then 'current' "
            "when days <= 30 then '1-30' when days <= 60 then '31-60' when days <= 90 then '61-90' "
            "when days <= 120 then '91-120' else '>120' end), sum(eur(open)) from t.late group by 1"
        ),
        (
            "select concat_ws(' ', place(legal_entity_id), currency, case bucket when 'current_amount' then 'current' "
            "when 'days_1_30_amount' then '1-30' when 'days_31_60_amount' then '31-60' when 'days_61_90_amount' then "
            "'61-90' when 'days_91_120_amount' then '91-120' when 'days_over_120_amount' then '>120' else bucket end), "
            "sum(amount) from (unpivot (from m.ar_aging where as_of_on = getvariable('cut')) on current_amount, "
            "days_1_30_amount, days_31_60_amount, days_61_90_amount, days_91_120_amount, days_over_120_amount, "
            "unapplied_amount, credit_amount into name bucket value amount) group by 1"
        ),
    ),
    "revenue of a line": (
        "invoice line × fiscal period of the entity",
        (
            "select concat_ws(' ', 'erp:' || document_id || '/' || line, p.period_name), eur(recognised) "
            "from t.revenue_lines r join t.period_names p on r.legal_entity = p.legal_entity and r.period = p.period"
        ),
        (
            "select billing_id || ' ' || period, amount from m.revenue_schedule where is_recognised "
            "and invoice_id in (select 'erp:' || document_id from t.billings where kind = 'invoice')"
        ),
    ),
    "revenue, functional": (
        "entity × fiscal period of the entity",
        (
            "select concat_ws(' ', r.legal_entity, p.period_name), sum(eur(recognised_functional)) "
            "from t.revenue_lines r join t.period_names p on r.legal_entity = p.legal_entity and r.period = p.period "
            "group by 1"
        ),
        (
            "select concat_ws(' ', place(legal_entity_id), period), sum(functional_amount) from m.revenue_schedule "
            "where is_recognised and invoice_id in (select 'erp:' || document_id from t.billings "
            "where kind = 'invoice') group by 1"
        ),
    ),
    "deferred revenue": (
        "entity × currency × fiscal period of the entity",
        "select concat_ws(' ', legal_entity, currency, period_name), eur(balance) from t.deferred_by_period",
        "select concat_ws(' ', place(legal_entity_id), currency, period), closing_amount from m.deferred_rollforward",
    ),
    "deferred revenue, functional": (
        "entity × currency × fiscal period of the entity",
        "select concat_ws(' ', legal_entity, currency, period_name), eur(balance_functional) from t.deferred_by_period",
        (
            "select concat_ws(' ', place(legal_entity_id), currency, period), functional_closing_amount "
            "from m.deferred_rollforward"
        ),
    ),
    "payouts": (
        "payout × status",
        "select 'billing:' || payout_id || ' ' || status, eur(amount) from t.payouts",
        "select payout_id || ' ' || status, payout_amount from m.cash_bridge where status <> 'not paid out'",
    ),
    "payouts at the bank": (
        "payout",
        "select 'billing:' || payout_id, eur(amount) from t.payouts where status = 'paid'",
        "select payout_id, bank_amount from m.cash_bridge where bank_amount is not null",
    ),
    "trial balance, closing": (
        "entity × account × fiscal period of the entity",
        "select concat_ws(' ', legal_entity, account, period_name), eur(closing) from t.trial_balance",
        (
            "select concat_ws(' ', place(legal_entity_id), place(gl_account_id), period), closing_amount "
            "from m.trial_balance b where debit_amount <> 0 or credit_amount <> 0 or exists (from t.trial_balance p "
            "where p.legal_entity = place(b.legal_entity_id) and p.period_name = b.period)"
        ),
    ),
    "trial balance, movement": (
        "entity × account × fiscal period of the entity",
        "select concat_ws(' ', legal_entity, account, period_name), eur(movement) from t.trial_balance",
        (
            "select concat_ws(' ', place(legal_entity_id), place(gl_account_id), period), debit_amount - credit_amount "
            "from m.trial_balance"
        ),
    ),
}


@dataclass(frozen=True)
class Figure:
    """One figure compared: how many keys there are, how many differ, and the first of those (key, truth, mart)."""

    name: str
    grain: str
    compared: int
    different: int
    differences: list[tuple[str, Decimal, Decimal]]


def compared(truth: Path, database: Path, cut: str, erp_ids: Path | None = None) -> list[Figure]:
    """Compare every figure of a published snapshot with the truth's folder, at the cut (an ISO date).

    ``erp_ids`` lists the transactions that an ERP which replaced another made under ids of its own.
    """
    with duckdb.connect() as connection:
        connection.execute("create schema t")
        connection.execute("create schema m")
        connection.execute(f"attach '{database}' as published (read_only)")
        marts = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'published' and schema_name = 'main'"
        ).fetchall()
        for (name,) in marts:
            connection.execute(f'create view m."{name}" as from published.main."{name}"')
        for path in sorted(truth.glob("*.csv")):
            connection.execute(f"create table t.{path.stem} as from read_csv('{path}', all_varchar = true)")
        if erp_ids:
            _under_other_ids(connection, erp_ids)
        connection.execute("set variable cut = cast(? as date)", [cut])
        connection.execute(_SETUP)
        return [_figure(connection, name, *queries) for name, queries in _FIGURES.items()]


def _under_other_ids(connection: duckdb.DuckDBPyConnection, erp_ids: Path) -> None:
    """Let the truth name transactions as the company's ERP of the day does."""
    connection.execute(f"create table other_ids as from read_csv('{erp_ids}', all_varchar = true)")
    named = connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 't' "
        "and column_name in ('document_id', 'invoice_id', 'payment_id', 'from_id', 'to_id')"
    ).fetchall()
    for table, column in named:
        connection.execute(
            f"update t.{table} as x set {column} = o.erp_id from other_ids as o where x.{column} = o.record"
        )


def _figure(connection: duckdb.DuckDBPyConnection, name: str, grain: str, truth: str, mart: str) -> Figure:
    both = f"""
        create or replace temp table both_sides as
        select coalesce(a.k, b.k) as k, coalesce(a.v, 0) as truth, coalesce(b.v, 0) as mart
        from (select k, sum(v) as v from ({truth}) as x (k, v) group by k) as a
        full join (select k, sum(v) as v from ({mart}) as x (k, v) group by k) as b on a.k = b.k
    """
    connection.execute(both)
    total, different = connection.execute(
        "select count(*), count(*) filter (where truth <> mart) from both_sides"
    ).fetchall()[0]
    rows = connection.execute(
        f"select k, truth, mart from both_sides where truth <> mart order by k limit {_MOST_SHOWN}"
    ).fetchall()
    return Figure(name, grain, total, different, rows)
