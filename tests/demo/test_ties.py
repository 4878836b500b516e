"""The clean twin ties: inside its truth, inside each system, and between them."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from .conftest import Rows

RECEIVABLE, CLEARING, DEFERRED, REVENUE = "110", "105", "220", ("400", "401", "402")
ZERO = Decimal(0)


def sums(rows, key, amount) -> dict:
    found = defaultdict(Decimal)
    for row in rows:
        found[key(row)] += Decimal(amount(row))
    return dict(found)


def minor(row: dict, places: dict[str, int] = {"jpy": 0, "kwd": 3}) -> int:  # noqa: B006
    return places.get(row["currency"], 2)


def test_every_erp_document_balances(clean: Rows) -> None:
    lines = clean("extracts/netsuite/transactionaccountingline.csv")
    assert set(sums(lines, lambda r: r["transaction"], lambda r: r["amount"]).values()) == {ZERO}
    foreign = clean("extracts/netsuite/transactionline.csv")
    assert set(sums(foreign, lambda r: r["transaction"], lambda r: r["foreignamount"]).values()) == {ZERO}


def test_trial_balance_is_zero_in_every_entity_and_period(clean: Rows) -> None:
    rows = clean("truth/trial_balance.csv")
    for measure in ("movement", "closing"):
        found = sums(rows, lambda r: (r["legal_entity"], r["period"]), lambda r, m=measure: r[m])
        assert len(found) == 96
        assert set(found.values()) == {ZERO}


def test_trial_balance_equals_the_erp_ledger(clean: Rows) -> None:
    heads = {r["id"]: r for r in clean("extracts/netsuite/transaction.csv")}
    entity = {r["transaction"]: r["subsidiary"] for r in clean("extracts/netsuite/transactionline.csv")}
    ledger = sums(
        clean("extracts/netsuite/transactionaccountingline.csv"),
        lambda r: (entity[r["transaction"]], r["account"], heads[r["transaction"]]["postingperiod"]),
        lambda r: r["amount"],
    )
    truth = {
        (r["legal_entity"], r["account"], r["period"]): Decimal(r["movement"]) for r in clean("truth/trial_balance.csv")
    }
    assert {k: v for k, v in truth.items() if v} == {k: v for k, v in ledger.items() if v}


def test_receivables_equal_the_control_account(clean: Rows) -> None:
    due = clean("truth/receivables_by_period.csv")
    subledger = sums(due, lambda r: (r["legal_entity"], r["period_name"]), lambda r: r["balance_functional"])
    control = {
        (r["legal_entity"], r["period_name"]): Decimal(r["closing"])
        for r in clean("truth/trial_balance.csv")
        if r["account"] == RECEIVABLE
    }
    assert subledger == control
    assert sum(1 for v in control.values() if v) > 80


def test_receivables_equal_open_documents_at_the_cut(clean: Rows) -> None:
    last = [r for r in clean("truth/receivables_by_month.csv") if r["ends_on"] == "2024-12-31"]
    for measure, total in (("open", "balance"), ("open_functional", "balance_functional")):
        documents = sums(
            clean("truth/open_invoices.csv"), lambda r: (r["legal_entity"], r["currency"]), lambda r, m=measure: r[m]
        )
        balances = {(r["legal_entity"], r["currency"]): Decimal(r[total]) for r in last}
        assert {k: v for k, v in balances.items() if v} == documents


def test_receivables_equal_documents_less_applications_at_every_month_end(clean: Rows) -> None:
    due = clean("truth/receivables_by_month.csv")
    documents, cash = clean("truth/billings.csv"), clean("truth/collections.csv")
    lost = [{**w, "kind": "write_off", "total": w["amount"], "issued_on": w["written_on"]}
            for w in clean("truth/write_offs.csv")]  # fmt: skip
    documents = [*documents, *lost]
    for row in due:
        mine = [d for d in documents if (d["legal_entity"], d["currency"]) == (row["legal_entity"], row["currency"])]
        moved = [c for c in cash if (c["legal_entity"], c["currency"]) == (row["legal_entity"], row["currency"])]
        sign = {"invoice": 1, "payment": -1, "refund": 1, "chargeback": 0, "reinstatement": 0}
        total = sum(
            sign.get(d["kind"], -1) * Decimal(d["total"]) for d in mine if d["issued_on"] <= row["ends_on"]
        ) + sum(sign[c["kind"]] * Decimal(c["amount"]) for c in moved if c["paid_on"] <= row["ends_on"])
        assert total == Decimal(row["balance"])


def test_payouts_equal_their_parts_and_the_bank_line(clean: Rows) -> None:
    moves = clean("extracts/stripe/balance_transaction.jsonl")
    assert all(m["net"] == m["amount"] - m["fee"] for m in moves)
    parts = sums([m for m in moves if m["payout"]], lambda m: m["payout"], lambda m: m["net"])
    bank = {r["end_to_end_reference"]: Decimal(r["amount"]) for r in clean("extracts/bank/statement.csv")}
    payouts = clean("extracts/stripe/payout.jsonl")
    assert parts == {p["id"]: p["amount"] for p in payouts}
    assert {p["status"] for p in payouts} >= {"paid", "failed"}
    for p in payouts:
        if p["status"] == "paid":
            assert bank[p["trace_id"]["value"]] == Decimal(p["amount"]).scaleb(-minor(p))
        else:
            assert p["trace_id"]["value"] is None


def test_clearing_account_equals_the_processor_balance_before_fees(clean: Rows) -> None:
    truth = [r for r in clean("truth/trial_balance.csv") if r["account"] == CLEARING and r["ends_on"] >= "2024-12-31"]
    moves = clean("extracts/stripe/balance_transaction.jsonl")
    arrived = {p["id"] for p in clean("extracts/stripe/payout.jsonl") if p["status"] in ("paid", "failed")}
    left = [m for m in moves if m["type"] not in ("payout", "stripe_fee") and m["payout"] not in arrived]
    assert not [m for m in left if m["type"] == "payout_failure"], "choose another seed: a failed payout is still open"
    pending = sums(left, lambda m: m["currency"], lambda m: m["amount"])
    for row in truth:
        currency = row["currency"].lower()
        assert Decimal(row["closing"]) == pending.get(currency, ZERO).scaleb(-minor({"currency": currency}))


def test_nothing_is_applied_beyond_its_amount_and_payments_are_used_up(clean: Rows) -> None:
    applied = clean("truth/applications.csv")
    to_invoice = sums(
        [a for a in applied if a["kind"].endswith("_to_invoice")], lambda a: a["to_id"], lambda a: a["amount"]
    )
    totals = {d["document_id"]: Decimal(d["total"]) for d in clean("truth/billings.csv")}
    assert all(0 < amount <= totals[id_] for id_, amount in to_invoice.items())
    used = sums(
        [a for a in applied if not a["kind"].startswith("refund")], lambda a: a["from_id"], lambda a: a["amount"]
    )
    back = sums([a for a in applied if a["kind"].startswith("refund")], lambda a: a["to_id"], lambda a: a["amount"])
    for payment in clean("truth/collections.csv"):
        if payment["kind"] == "payment":
            id_ = payment["payment_id"]
            assert Decimal(payment["amount"]) == used[id_] + back.get(id_, ZERO)
    assert len([1 for _, group in groups(applied, "from_id").items() if len(group) > 1]) > 3
    assert len([1 for _, group in groups(applied, "to_id").items() if len(group) > 1]) > 3


def groups(rows, column) -> dict:
    found = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return found


def test_erp_shows_each_stripe_document_with_the_same_amount(clean: Rows) -> None:
    heads = clean("extracts/netsuite/transaction.csv")
    erp = {(r["type"], r["externalid"]): abs(Decimal(r["foreigntotal"])) for r in heads if r["externalid"]}
    pairs = (("invoice", "CustInvc", "total"), ("credit_note", "CustCred", "total"), ("refund", "CustRfnd", "amount"))
    for name, kind, amount in pairs:
        stripe = {o["id"]: Decimal(o[amount]).scaleb(-minor(o)) for o in clean(f"extracts/stripe/{name}.jsonl")}
        assert stripe == {
            e: a for (t, e), a in erp.items() if t == kind and not (t == "CustCred" and e.startswith("in_"))
        }
    charges = [o for o in clean("extracts/stripe/charge.jsonl") if o["status"] == "succeeded"]
    assert {o["id"]: Decimal(o["amount"]).scaleb(-minor(o)) for o in charges} == {
        e: a for (t, e), a in erp.items() if t == "CustPymt"
    }


def test_stripe_invoices_equal_their_lines_and_payments(clean: Rows) -> None:
    more = groups(clean("extracts/stripe/invoice_line_item.jsonl"), "invoice")
    paid = sums(clean("extracts/stripe/invoice_payment.jsonl"), lambda p: p["invoice"], lambda p: p["amount_paid"])
    for i in clean("extracts/stripe/invoice.jsonl"):
        lines = i["lines"]["data"] + more.get(i["id"], [])
        assert len(lines) == i["lines"]["total_count"]
        assert i["lines"]["has_more"] == (len(lines) > 10)
        tax = sum(t["amount"] for line in lines for t in line["taxes"])
        off = sum(d["amount"] for line in lines for d in line["discount_amounts"])
        assert i["subtotal"] == sum(line["amount"] for line in lines)
        assert i["total"] == i["subtotal"] - off + tax == i["total_excluding_tax"] + tax
        assert i["amount_paid"] == paid.get(i["id"], 0)
        expected = {"paid": 0, "void": 0, "open": i["total"], "uncollectible": i["total"]}[i["status"]]
        assert i["amount_remaining"] == expected


def test_bank_balances_run_without_a_gap(clean: Rows) -> None:
    balance, number = {}, {}
    for r in clean("extracts/bank/statement.csv"):
        account = r["account_id"]
        if account in balance:
            assert Decimal(r["balance_after"]) == balance[account] + Decimal(r["amount"])
        assert int(r["line_number"]) == number.get(r["statement_id"], 0) + 1
        balance[account], number[r["statement_id"]] = Decimal(r["balance_after"]), int(r["line_number"])


def test_bank_equals_the_bank_accounts_of_the_ledger(clean: Rows) -> None:
    accounts = {
        r["accountsearchdisplayname"].rpartition("Bank ")[2]: r["id"] for r in clean("extracts/netsuite/account.csv")
    }
    lines = groups(clean("extracts/netsuite/transactionaccountingline.csv"), "account")
    foreign = {
        (r["transaction"], r["id"]): Decimal(r["foreignamount"]) for r in clean("extracts/netsuite/transactionline.csv")
    }
    closing = {r["account_id"]: r for r in clean("extracts/bank/statement.csv")}
    code = {"01": "US", "02": "GB", "03": "JP", "04": "KW"}
    for id_, row in closing.items():
        account = accounts[f"{code[id_[:2]]} {row['currency']}"]
        assert sum(foreign[r["transaction"], r["transactionline"]] for r in lines[account]) == Decimal(
            row["balance_after"]
        )


def test_opportunities_equal_their_lines_and_orders(clean: Rows) -> None:
    lines = sums(
        clean("extracts/salesforce/OpportunityLineItem.csv"), lambda r: r["OpportunityId"], lambda r: r["TotalPrice"]
    )
    orders = {r["externalid"]: r for r in clean("extracts/netsuite/transaction.csv") if r["type"] == "SalesOrd"}
    won = [r for r in clean("extracts/salesforce/Opportunity.csv") if r["IsWon"] == "true"]
    assert len(won) > 200
    for r in won:
        assert Decimal(r["Amount"]) == lines[r["Id"]] == Decimal(orders[r["Id"]]["foreigntotal"])
        assert r["ERP_Order_Id__c"] == orders[r["Id"]]["id"]


def test_quantity_times_price_is_the_line_total(clean: Rows) -> None:
    for r in clean("extracts/salesforce/OpportunityLineItem.csv"):
        price = Decimal(r["Quantity"]) * Decimal(r["UnitPrice"]) * (100 - Decimal(r["Discount"])) / 100
        assert price == Decimal(r["TotalPrice"])


def test_currencies_keep_their_decimals(clean: Rows) -> None:
    for r in clean("extracts/bank/statement.csv"):
        places = len(r["amount"].partition(".")[2])
        assert places == {"JPY": 0, "KWD": 3}.get(r["currency"], 2)


def test_calendars_have_no_gap_and_one_53_week_year(clean: Rows) -> None:
    periods = groups(clean("extracts/netsuite/accountingperiod.csv"), "fiscalcalendar")
    for rows in periods.values():
        spans = sorted((date.fromisoformat(r["startdate"]), date.fromisoformat(r["enddate"])) for r in rows)
        assert all(a[1] + timedelta(days=1) == b[0] for a, b in pairwise(spans))
    weeks = [(date.fromisoformat(r["enddate"]) - date.fromisoformat(r["startdate"])).days + 1 for r in periods["2"]]
    assert [sum(weeks[n : n + 12]) for n in (0, 12, 24)] == [364, 371, 364]


def test_what_is_written_off_is_a_whole_invoice_called_uncollectible_by_the_processor(clean: Rows) -> None:
    invoices = {r["document_id"]: r for r in clean("truth/billings.csv") if r["kind"] == "invoice"}
    status = {r["id"]: r["status"] for r in clean("extracts/stripe/invoice.jsonl")}
    lost = clean("truth/write_offs.csv")
    assert len(lost) > 3
    for row in lost:
        invoice = invoices[row["invoice_id"]]
        assert (row["amount"], row["amount_functional"]) == (invoice["total"], invoice["total_functional"])
        assert row["written_on"] > invoice["due_on"]
        assert status.get(invoice["billing_id"], "uncollectible") == "uncollectible"
    assert list(status.values()).count("uncollectible") == sum(
        1 for r in lost if invoices[r["invoice_id"]]["billing_id"]
    )


def test_services_are_billed_in_advance_and_in_arrears_by_the_month_and_the_quarter(clean: Rows) -> None:
    issued = {r["document_id"]: date.fromisoformat(r["issued_on"]) for r in clean("truth/billings.csv")}
    found = set()
    for line in clean("truth/billing_lines.csv"):
        starts, ends = date.fromisoformat(line["starts_on"]), date.fromisoformat(line["ends_on"])
        if line["charge"] == "R" and issued[line["document_id"]] in (starts, ends + timedelta(days=1)):
            months = round((ends - starts).days / 30.4)
            found.add((months, "advance" if issued[line["document_id"]] == starts else "arrears"))
    assert found >= {(1, "advance"), (3, "advance"), (12, "advance"), (24, "advance"), (1, "arrears"), (3, "arrears")}


def test_discounts_are_given_while_their_subscription_lasts(clean: Rows) -> None:
    ends = {s["id"]: s["discounts"][0]["end"] for s in clean("extracts/stripe/subscription.jsonl") if s["discounts"]}
    lines = [x for i in clean("extracts/stripe/invoice.jsonl") for x in i["lines"]["data"]]
    given = [x for x in lines if x["discount_amounts"] and x["parent"]]
    assert len(given) > 50
    for line in given:
        assert line["period"]["end"] < ends[line["parent"]["subscription_item_details"]["subscription"]]


def test_deferred_revenue_equals_its_account(clean: Rows) -> None:
    told = sums(
        clean("truth/deferred_by_period.csv"),
        lambda r: (r["legal_entity"], r["period_name"]),
        lambda r: r["balance_functional"],
    )
    account = {
        (r["legal_entity"], r["period_name"]): -Decimal(r["closing"])
        for r in clean("truth/trial_balance.csv")
        if r["account"] == DEFERRED
    }
    assert told == account
    assert sum(1 for v in account.values() if v) > 80


def test_revenue_of_lines_equals_the_revenue_accounts(clean: Rows) -> None:
    told = sums(
        clean("truth/revenue_lines.csv"),
        lambda r: (r["legal_entity"], r["period"]),
        lambda r: r["recognised_functional"],
    )
    booked = [r for r in clean("truth/trial_balance.csv") if r["account"] in REVENUE]
    accounts = sums(booked, lambda r: (r["legal_entity"], r["period"]), lambda r: r["movement"])
    assert {k: v for k, v in told.items() if v} == {k: -v for k, v in accounts.items() if v}


def test_the_revenue_run_recognises_what_the_erp_shows(faulty: Rows) -> None:
    """Faults in documents leave their trace in the run; only planted differences are beyond it."""
    heads = {r["id"]: r for r in faulty("extracts/netsuite/transaction.csv")}
    lines = {(r["transaction"], r["id"]): r for r in faulty("extracts/netsuite/transactionline.csv")}
    spans = {r["id"]: (r["startdate"], r["enddate"]) for r in faulty("extracts/netsuite/accountingperiod.csv")}
    planted = [r for r in faulty("truth/faults.csv") if r["code"] in ("REV-SCHEDULE", "REV-UNPLANNED")]
    extra = sums(planted, lambda r: heads[r["record_id"]]["postingperiod"] + r["legal_entity"], lambda r: r["amount"])
    rows = [
        (heads[r["transaction"]], lines[r["transaction"], r["transactionline"]], Decimal(r["amount"]))
        for r in faulty("extracts/netsuite/transactionaccountingline.csv")
        if r["account"] == DEFERRED
    ]
    for no, digits in (("1", Decimal("0.01")), ("4", Decimal("0.001"))):
        own = [x for x in rows if x[1]["subsidiary"] == no]
        schedules = [(h, x, -a) for h, x, a in own if h["type"] == "CustInvc" and x["custcol_service_start"]]
        runs = sums([x for x in own if is_run(x[0])], lambda x: x[0]["postingperiod"], lambda x: x[2])
        assert len(runs) > 20
        for period, released in runs.items():
            start, end = spans[period]
            due = sum(earned(x, h, a, end, digits) - earned(x, h, a, before(start), digits) for h, x, a in schedules)
            assert released == due + extra.get(period + no, ZERO), (no, start)


def is_run(head: dict) -> bool:
    """A journal that releases deferred revenue, by the run or by hand."""
    return head["type"] == "Journal" and head["memo"].startswith(("Revenue recognised", "Manual release"))


def before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def earned(line: dict, head: dict, net: Decimal, on: str, digits: Decimal) -> Decimal:
    """What of a line is earned by the end of a day, as the ERP's run counts."""
    start, end, day = (date.fromisoformat(x) for x in (line["custcol_service_start"], line["custcol_service_end"], on))
    if on < head["trandate"] or (head["reversaldate"] and head["reversaldate"] <= on) or day < start:
        return ZERO
    if day >= end:
        return net
    return (net * ((day - start).days + 1) / ((end - start).days + 1)).quantize(digits, ROUND_HALF_UP)
