"""Stripe's objects become the right canonical rows: a few members in, the figures a controller expects out."""

import json
from pathlib import Path
from typing import Any

from tests.sources.conftest import Company, NewCompany

DAY = 86_400
MARCH_1 = 1_709_294_400  # 2024-03-01T12:00:00Z


def invoice(id_: str, total: int, **more: Any) -> dict[str, Any]:
    """An open invoice of one line, as the API of 2025-03 and later shows it."""
    base = {
        "id": id_,
        "object": "invoice",
        "number": id_.upper(),
        "status": "open",
        "currency": "usd",
        "customer": "cus_1",
        "created": MARCH_1,
        "due_date": MARCH_1 + 30 * DAY,
        "subtotal": total,
        "total": total,
        "amount_remaining": total,
        "status_transitions": {"finalized_at": MARCH_1, "paid_at": None, "voided_at": None},
    }
    return base | more


def line(id_: str, amount: int, **more: Any) -> dict[str, Any]:
    base = {"id": id_, "object": "line_item", "amount": amount, "currency": "usd", "quantity": 1}
    return base | more


def lines(*items: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(items), "has_more": has_more}


def charge(id_: str, amount: int, **more: Any) -> dict[str, Any]:
    base = {
        "id": id_,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "currency": "usd",
        "customer": "cus_1",
        "status": "succeeded",
        "captured": True,
        "refunded": False,
        "created": MARCH_1 + DAY,
    }
    return base | more


def refund(id_: str, amount: int, charge_id: str | None, **more: Any) -> dict[str, Any]:
    base = {
        "id": id_,
        "object": "refund",
        "amount": amount,
        "currency": "usd",
        "charge": charge_id,
        "status": "succeeded",
        "created": MARCH_1 + 5 * DAY,
    }
    return base | more


def credit_note(id_: str, total: int, invoice_id: str, **more: Any) -> dict[str, Any]:
    base = {
        "id": id_,
        "object": "credit_note",
        "number": id_.upper(),
        "status": "issued",
        "currency": "usd",
        "customer": "cus_1",
        "invoice": invoice_id,
        "amount": total,
        "total": total,
        "subtotal": total,
        "total_excluding_tax": total,
        "created": MARCH_1 + 4 * DAY,
    }
    return base | more


def dispute(id_: str, amount: int, charge_id: str, status: str, *moved: int) -> dict[str, Any]:
    moves = [{"id": f"txn_{id_}_{n}", "amount": m, "fee": 0, "net": m} for n, m in enumerate(moved)]
    base = {"id": id_, "object": "dispute", "amount": amount, "currency": "usd", "charge": charge_id}
    return base | {"status": status, "created": MARCH_1 + 9 * DAY, "balance_transactions": moves}


def stripe(company_of: NewCompany, *objects: dict[str, Any], **config: Any) -> Company:
    """A company with these objects in one mixed file."""
    company = company_of("stripe", config.pop("overrides", None), **config)
    company.land({"objects.jsonl": list(objects)})
    company.conform()
    return company


APPLIED = "select kind, from_id, to_id, amount from canonical.applications order by kind, from_id, to_id"


# ── invoices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_of_the_new_api_has_tax_and_discount_from_their_lists(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice(
            "in_1",
            10800,
            subtotal=10000,
            total_discount_amounts=[{"amount": 1000, "discount": "di_1"}],
            total_taxes=[{"amount": 1500, "tax_behavior": "exclusive"}, {"amount": 300, "tax_behavior": "exclusive"}],
            parent={"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
            metadata={"erp_invoice_id": "9001", "opportunity_id": "006A", "legal_entity": "2"},
            lines=lines(
                line(
                    "il_1",
                    10000,
                    discount_amounts=[{"amount": 1000}],
                    taxes=[{"amount": 1800, "tax_behavior": "exclusive"}],
                )
            ),
        ),
    )
    assert company.rows(
        "select kind, status, gross_amount, discount_amount, net_amount, tax_amount, total_amount, open_amount, "
        "currency, issued_on, due_on from canonical.invoices"
    ) == [
        (
            "invoice",
            "posted",
            "100.00",
            "10.00",
            "90.00",
            "18.00",
            "108.00",
            "108.00",
            "USD",
            "2024-03-01",
            "2024-03-31",
        )
    ]
    assert company.rows(
        "select contract_id, external_ref, opportunity_ref, legal_entity_id from canonical.invoices"
    ) == [("billing:sub_1", "9001", "crm:006A", "erp:2")]
    assert company.rows(
        "select gross_amount, discount_amount, net_amount, tax_amount from canonical.invoice_lines"
    ) == [("100.00", "10.00", "90.00", "18.00")]
    assert company.refused() == []


def test_an_invoice_of_the_old_api_may_have_its_tax_inside_the_price(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice(
            "in_1",
            4000,
            tax=522,
            total_tax_amounts=[{"amount": 522, "inclusive": True}],
            lines=lines(line("il_1", 4000, tax_amounts=[{"amount": 522, "inclusive": True}])),
        ),
    )
    figures = "gross_amount, discount_amount, net_amount, tax_amount"
    expected = [("34.78", "0.00", "34.78", "5.22")]
    assert company.rows(f"select {figures} from canonical.invoices") == expected
    assert company.rows(f"select {figures} from canonical.invoice_lines") == expected


def test_without_a_list_the_discount_is_what_the_total_lacks(company_of: NewCompany) -> None:
    company = stripe(company_of, invoice("in_1", 9900, subtotal=10000, tax=900))
    assert company.rows("select gross_amount, discount_amount, net_amount, tax_amount from canonical.invoices") == [
        ("100.00", "10.00", "90.00", "9.00")
    ]


def test_minor_units_follow_the_currency(company_of: NewCompany) -> None:
    found = stripe(
        company_of,
        invoice("in_j", 1999, currency="jpy"),
        invoice("in_k", 1999, currency="kwd"),
        invoice("in_i", 1900, currency="isk"),
    ).rows("select currency, total_amount from canonical.invoices order by currency")
    assert found == [("ISK", "19.00"), ("JPY", "1999.00"), ("KWD", "1.999")]


def test_statuses_of_invoices(company_of: NewCompany) -> None:
    voided = {"finalized_at": MARCH_1, "voided_at": MARCH_1 + 20 * DAY}
    company = stripe(
        company_of,
        invoice("in_d", 100, status="draft", number=None, status_transitions={"finalized_at": None}),
        invoice("in_p", 100, status="paid"),
        invoice("in_u", 100, status="uncollectible"),
        invoice("in_v", 100, status="void", status_transitions=voided),
        invoice("in_x", 100, status="deleted"),
        invoice("in_z", 100, status="fancy"),
    )
    assert company.rows("select source_id, status, voided_on, is_deleted from canonical.invoices order by 1")[:4] == [
        ("in_d", "draft", None, False),
        ("in_p", "posted", None, False),
        ("in_u", "posted", None, False),
        ("in_v", "void", "2024-03-21", False),
    ]
    assert [(key, "fancy" in why) for _, key, why in company.refused()] == [("billing:in_z", True)]


def test_a_negative_invoice_is_a_credit_memo_of_positive_amounts(company_of: NewCompany) -> None:
    company = stripe(company_of, invoice("in_n", -2400, tax=-400, lines=lines(line("il_1", -3000), line("il_2", 1000))))
    assert company.rows("select kind, net_amount, tax_amount, total_amount from canonical.invoices") == [
        ("credit_memo", "20.00", "4.00", "24.00")
    ]
    assert company.rows("select sum(net_amount) from canonical.invoice_lines") == [("20.00",)]


def test_text_that_is_no_amount_reaches_the_gate_as_it_was(company_of: NewCompany) -> None:
    company = stripe(company_of, invoice("in_1", 100) | {"total": "1,234"}, invoice("in_2", 100, currency="xxq"))
    reasons = {key: why for _, key, why in company.refused()}
    assert "'1,234'" in reasons["billing:in_1"]
    assert "'XXQ'" in reasons["billing:in_2"]


def test_an_older_copy_that_lands_late_does_not_win(company_of: NewCompany) -> None:
    company = company_of("stripe")
    paid = {"finalized_at": MARCH_1, "paid_at": MARCH_1 + DAY}
    company.land({"invoice.jsonl": [invoice("in_1", 100, status="paid", status_transitions=paid, amount_remaining=0)]})
    company.land({"invoice_2.jsonl": [invoice("in_1", 100)]})
    company.conform()
    assert company.rows("select open_amount from canonical.invoices") == [("0.00",)]


def test_a_truncated_list_is_completed_by_the_file_of_lines(company_of: NewCompany) -> None:
    company = company_of("stripe")
    company.land(
        {
            "invoice.jsonl": [invoice("in_1", 600, lines=lines(line("il_1", 100), line("il_2", 200), has_more=True))],
            "invoice_line_item.jsonl": [line("il_3", 300, invoice="in_1"), line("il_9", 5, invoice="in_none")],
        }
    )
    company.conform()
    assert company.rows("select count(*), sum(net_amount) from canonical.invoice_lines") == [(3, "6.00")]
    assert [(entity, key) for entity, key, _ in company.refused()] == [("invoice_lines", "billing:il_9")]


def test_a_line_dropped_from_a_draft_is_deleted(company_of: NewCompany) -> None:
    company = company_of("stripe")
    draft = {"status": "draft", "status_transitions": {"finalized_at": None}}
    company.land({"invoice.jsonl": [invoice("in_1", 300, lines=lines(line("il_1", 100), line("il_2", 200)), **draft)]})
    company.land({"invoice_2.jsonl": [invoice("in_1", 500, lines=lines(line("il_1", 100), line("il_3", 400)))]})
    company.conform()
    assert company.rows(
        "select source_id, net_amount from canonical.invoice_lines where not is_deleted order by 1"
    ) == [
        ("il_1", "1.00"),
        ("il_3", "4.00"),
    ]


def test_the_last_day_of_a_service_is_inclusive_either_way(company_of: NewCompany) -> None:
    february, march, last_of_march = 1_706_745_600, 1_709_251_200, 1_711_843_200
    company = stripe(
        company_of,
        invoice(
            "in_1",
            200,
            lines=lines(
                line("il_1", 100, period={"start": february, "end": march}),
                line("il_2", 100, period={"start": march, "end": last_of_march}),
            ),
        ),
    )
    assert company.column("select service_ends_on from canonical.invoice_lines order by source_id") == [
        "2024-02-29",
        "2024-03-31",
    ]


def test_shipping_is_a_line_of_its_own(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice(
            "in_1",
            1500,
            subtotal=1000,
            amount_shipping=500,
            shipping_cost={"amount_subtotal": 500, "amount_tax": 0},
            lines=lines(line("il_1", 1000)),
        ),
    )
    assert company.rows("select sum(net_amount) from canonical.invoice_lines") == [("15.00",)]
    assert company.rows("select net_amount, discount_amount from canonical.invoices") == [("15.00", "0.00")]


# ── payments and what they pay ───────────────────────────────────────────────────────────────────────────────────────


def test_several_charges_may_pay_one_invoice_in_the_old_api(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000, charge="ch_2", payment_intent="pi_2"),
        charge("ch_0", 10000, invoice="in_1", status="failed", captured=False, payment_intent="pi_1"),
        charge("ch_1", 3000, invoice="in_1", payment_intent="pi_1"),
        charge("ch_2", 7000, payment_intent="pi_2"),
        charge("ch_3", 500),
    )
    assert company.rows(APPLIED) == [
        ("payment_to_invoice", "billing:ch_1", "billing:in_1", "30.00"),
        ("payment_to_invoice", "billing:ch_2", "billing:in_1", "70.00"),
    ]
    assert company.rows("select status, sum(amount) from canonical.payments group by 1 order by 1") == [
        ("failed", "100.00"),
        ("succeeded", "105.00"),
    ]


def invoice_payment(id_: str, invoice_id: str, amount: int, intent: str, status: str = "paid") -> dict[str, Any]:
    return {
        "id": id_,
        "object": "invoice_payment",
        "invoice": invoice_id,
        "amount_paid": amount,
        "currency": "usd",
        "status": status,
        "created": MARCH_1 + DAY,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status_transitions": {"paid_at": MARCH_1 + 2 * DAY},
    }


def test_one_payment_pays_two_invoices_with_what_each_was_given(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000),
        invoice("in_2", 5000),
        charge("ch_1", 15000, payment_intent="pi_1"),
        charge("ch_f", 15000, payment_intent="pi_1", status="failed", captured=False, created=MARCH_1 + 3 * DAY),
        invoice_payment("inpay_1", "in_1", 10000, "pi_1"),
        invoice_payment("inpay_2", "in_2", 5000, "pi_1"),
        invoice_payment("inpay_3", "in_2", 5000, "pi_1", status="canceled"),
    )
    assert company.rows(APPLIED) == [
        ("payment_to_invoice", "billing:ch_1", "billing:in_1", "100.00"),
        ("payment_to_invoice", "billing:ch_1", "billing:in_2", "50.00"),
    ]
    assert company.column("select distinct applied_on from canonical.applications") == ["2024-03-03"]


def test_money_stated_by_an_invoice_payment_is_not_counted_by_its_charge_again(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000, charge="ch_1", payment_intent="pi_1"),
        charge("ch_1", 10000, invoice="in_1", payment_intent="pi_1"),
        invoice_payment("inpay_1", "in_1", 10000, "pi_1"),
    )
    assert company.rows("select source_id, from_id, amount from canonical.applications") == [
        ("inpay_1", "billing:ch_1", "100.00")
    ]


def test_a_payment_record_still_settles_its_invoice(company_of: NewCompany) -> None:
    outside = invoice_payment("inpay_1", "in_1", 10000, "pi_1") | {
        "payment": {"type": "payment_record", "payment_record": "pr_1"}
    }
    company = stripe(company_of, invoice("in_1", 10000), outside)
    assert company.rows(APPLIED) == [("payment_to_invoice", "billing:pr_1", "billing:in_1", "100.00")]


def test_an_authorisation_is_no_cash_and_a_part_capture_is_its_part(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 1000),
        charge("ch_a", 1000, captured=False, amount_captured=0, invoice="in_1"),
        charge("ch_b", 1000, captured=False, amount_captured=0, refunded=True),
        charge("ch_c", 1000, amount_captured=400, invoice="in_1"),
        refund("re_b", 1000, "ch_b"),
    )
    assert company.rows("select source_id, status, amount from canonical.payments order by 1") == [
        ("ch_a", "pending", "10.00"),
        ("ch_b", "void", "10.00"),
        ("ch_c", "succeeded", "4.00"),
        ("re_b", "void", "10.00"),
    ]
    assert company.rows(APPLIED) == [("payment_to_invoice", "billing:ch_c", "billing:in_1", "4.00")]


def test_references_may_be_expanded_objects(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 1000, customer={"id": "cus_1", "object": "customer"}),
        charge("ch_1", 1000, invoice={"id": "in_1", "object": "invoice"}, customer={"id": "cus_1"}),
    )
    assert company.rows(
        "select customer_id from canonical.invoices union all select customer_id from canonical.payments"
    ) == [
        ("billing:cus_1",),
        ("billing:cus_1",),
    ]
    assert company.rows(APPLIED) == [("payment_to_invoice", "billing:ch_1", "billing:in_1", "10.00")]


def test_a_fee_is_kept_only_in_the_currency_of_its_charge(company_of: NewCompany) -> None:
    move = {"object": "balance_transaction", "type": "charge", "amount": 1000, "net": 941, "created": MARCH_1}
    company = stripe(
        company_of,
        charge("ch_1", 1000, balance_transaction="txn_1"),
        charge("ch_2", 1000, balance_transaction="txn_2", currency="eur"),
        move | {"id": "txn_1", "fee": 59, "currency": "usd", "source": "ch_1"},
        move | {"id": "txn_2", "fee": 59, "currency": "usd", "source": "ch_2"},
    )
    assert company.column("select fee_amount from canonical.payments order by source_id") == ["0.59", None]


# ── refunds and credit notes ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_credit_before_payment_lowers_what_is_due(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000, charge="ch_1"),
        charge("ch_1", 7000, invoice="in_1"),
        credit_note("cn_1", 3000, "in_1", type="pre_payment", total_excluding_tax=2500),
    )
    assert company.rows(
        "select kind, net_amount, tax_amount, total_amount, original_invoice_id from canonical.invoices "
        "where source_id = 'cn_1'"
    ) == [("credit_memo", "25.00", "5.00", "30.00", "billing:in_1")]
    assert company.rows(APPLIED) == [
        ("credit_to_invoice", "billing:cn_1", "billing:in_1", "30.00"),
        ("payment_to_invoice", "billing:ch_1", "billing:in_1", "70.00"),
    ]


def test_a_credit_after_payment_is_paid_back_and_not_applied(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000, charge="ch_1"),
        charge("ch_1", 10000, invoice="in_1"),
        refund("re_1", 3000, "ch_1"),
        credit_note("cn_1", 3000, "in_1", type="post_payment", refund="re_1"),
    )
    assert company.rows(APPLIED) == [
        ("payment_to_invoice", "billing:ch_1", "billing:in_1", "100.00"),
        ("refund_to_credit", "billing:re_1", "billing:cn_1", "30.00"),
    ]


def test_a_mixed_credit_splits_and_what_its_refund_exceeds_pays_back_the_charge(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000),
        charge("ch_1", 8000, invoice="in_1"),
        refund("re_1", 3500, "ch_1"),
        credit_note(
            "cn_1",
            5000,
            "in_1",
            type="mixed",
            pre_payment_amount=2000,
            post_payment_amount=3000,
            refunds=[{"refund": "re_1", "amount_refunded": 3000}],
        ),
    )
    assert company.rows(APPLIED) == [
        ("credit_to_invoice", "billing:cn_1", "billing:in_1", "20.00"),
        ("payment_to_invoice", "billing:ch_1", "billing:in_1", "80.00"),
        ("refund_to_credit", "billing:re_1", "billing:cn_1", "30.00"),
        ("refund_to_payment", "billing:re_1", "billing:ch_1", "5.00"),
    ]


def test_a_credit_to_the_balance_stays_open_and_a_void_one_does_nothing(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        invoice("in_1", 10000),
        credit_note("cn_1", 3000, "in_1", type="post_payment", customer_balance_transaction="cbtxn_1"),
        credit_note("cn_2", 3000, "in_1", type="pre_payment", status="void", voided_at=MARCH_1 + 6 * DAY),
    )
    assert company.rows(APPLIED) == []
    assert company.rows(
        "select source_id, status, voided_on from canonical.invoices where kind = 'credit_memo' order by 1"
    ) == [("cn_1", "posted", None), ("cn_2", "void", "2024-03-07")]


def test_refunds_count_once_they_succeed(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        charge("ch_1", 1000, payment_intent="pi_1"),
        refund("re_1", 100, "ch_1"),
        refund("re_2", 200, "ch_1", status="pending"),
        refund("re_3", 300, "ch_1", status="failed"),
        refund("re_4", 400, "ch_1", status="canceled"),
        refund("re_5", 50, None, payment_intent="pi_1"),
    )
    assert company.rows("select source_id, status from canonical.payments where kind = 'refund' order by 1") == [
        ("re_1", "succeeded"),
        ("re_2", "pending"),
        ("re_3", "failed"),
        ("re_4", "void"),
        ("re_5", "succeeded"),
    ]
    assert company.rows(APPLIED) == [
        ("refund_to_payment", "billing:re_1", "billing:ch_1", "1.00"),
        ("refund_to_payment", "billing:re_5", "billing:ch_1", "0.50"),
    ]


def test_refunds_embedded_in_their_charge_are_found(company_of: NewCompany) -> None:
    inside = {"object": "list", "data": [refund("re_1", 100, "ch_1")], "has_more": False}
    company = stripe(company_of, charge("ch_1", 1000, refunds=inside))
    assert company.column("select kind from canonical.payments order by 1") == ["payment", "refund"]


# ── disputes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_dispute_counts_while_it_holds_the_money(company_of: NewCompany) -> None:
    company = stripe(
        company_of,
        charge("ch_1", 1000),
        dispute("dp_lost", 1000, "ch_1", "lost", -1000),
        dispute("dp_open", 1000, "ch_1", "under_review", -1000),
        dispute("dp_won", 1000, "ch_1", "won", -1000, 1000),
        dispute("dp_won_unpaid", 1000, "ch_1", "won", -1000),
        dispute("dp_ask", 1000, "ch_1", "warning_needs_response"),
        dispute("dp_asked", 1000, "ch_1", "warning_closed"),
    )
    assert company.rows("select source_id, status from canonical.payments where kind = 'chargeback' order by 1") == [
        ("dp_ask", "pending"),
        ("dp_asked", "void"),
        ("dp_lost", "succeeded"),
        ("dp_open", "succeeded"),
        ("dp_won", "void"),
        ("dp_won_unpaid", "succeeded"),
    ]
    assert company.column("select from_id from canonical.applications order by 1") == [
        "billing:dp_lost",
        "billing:dp_open",
        "billing:dp_won_unpaid",
    ]


def test_chargebacks_and_their_applications_agree(company_of: NewCompany) -> None:
    statuses = ["won", "lost", "needs_response", "under_review", "warning_closed", "prevented", "charge_refunded"]
    objects = [
        dispute(f"dp_{s}_{n}", 100, "ch_1", s, *moves) for s in statuses for n, moves in enumerate([(), (-100,)])
    ]
    for number, status in enumerate(statuses):
        silent = dispute(f"dp_silent_{number}", 100, "ch_1", status)
        del silent["balance_transactions"]
        objects.append(silent)
    company = stripe(company_of, charge("ch_1", 1000), *objects)
    assert company.column("select from_id from canonical.applications order by 1") == company.column(
        "select payment_id from canonical.payments where kind = 'chargeback' and status = 'succeeded' order by 1"
    )


# ── balance and payouts ──────────────────────────────────────────────────────────────────────────────────────────────


def test_movements_have_kinds_and_payouts_have_parts(company_of: NewCompany) -> None:
    def move(id_: str, type_: str, net: int, payout: str | None, source: str, **more: Any) -> dict[str, Any]:
        base = {"id": id_, "object": "balance_transaction", "type": type_, "amount": net, "fee": 0, "net": net}
        return base | {"currency": "usd", "source": source, "created": MARCH_1, "payout": payout} | more

    payout = {"id": "po_1", "object": "payout", "amount": 700, "currency": "usd", "status": "paid", "automatic": True}
    company = stripe(
        company_of,
        move("txn_1", "charge", 941, "po_1", "ch_1", amount=1000, fee=59, reporting_category="charge"),
        move("txn_2", "adjustment", -200, "po_1", "dp_1", reporting_category="dispute"),
        move("txn_3", "adjustment", -41, "po_1", "dp_2"),
        move("txn_4", "stripe_fee", -10, "po_2", "fee_1", reporting_category="fee"),
        move("txn_5", "payout", -700, None, "po_1", reporting_category="payout"),
        move("txn_6", "payout_failure", 700, "po_2", "po_1", reporting_category="payout_reversal"),
        move("txn_7", "adjustment", 5, None, "adj_1", reporting_category="other_adjustment"),
        payout
        | {
            "created": MARCH_1,
            "arrival_date": MARCH_1 + 2 * DAY,
            "statement_descriptor": "QUILLMARK",
            "trace_id": {"status": "supported", "value": "TRC1"},
        },
    )
    assert company.rows(
        "select source_id, kind, payout_id, net_amount from canonical.processor_transactions order by 1"
    ) == [
        ("txn_1", "charge", "billing:po_1", "9.41"),
        ("txn_2", "dispute", "billing:po_1", "-2.00"),
        ("txn_3", "dispute", "billing:po_1", "-0.41"),
        ("txn_4", "fee", "billing:po_2", "-0.10"),
        ("txn_5", "payout", None, "-7.00"),
        ("txn_6", "payout", "billing:po_2", "7.00"),
        ("txn_7", "adjustment", None, "0.05"),
    ]
    assert company.rows(
        "select p.amount, sum(t.net_amount), p.arrives_on, p.trace_ref, p.descriptor, p.is_automatic "
        "from canonical.payouts p join canonical.processor_transactions t using (payout_id) group by all"
    ) == [("7.00", "7.00", "2024-03-03", "TRC1", "QUILLMARK", True)]


def test_the_link_to_a_payout_may_come_as_a_table(company_of: NewCompany) -> None:
    company = company_of("stripe")
    company.land(
        {
            "balance_transaction.csv": "id,amount,fee,net,currency,type,source,created\n"
            "txn_1,1000,59,941,usd,charge,ch_1,2024-03-01 10:00:00\n",
            "payout_balance_transaction_data.csv": "payout_id,balance_transaction_id\npo_1,txn_1\n",
        }
    )
    company.conform()
    assert company.rows("select payout_id, created_on from canonical.processor_transactions") == [
        ("billing:po_1", "2024-03-01")
    ]


# ── master data ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_customers_carry_the_references_that_the_company_names(company_of: NewCompany) -> None:
    overrides = {"references": {"crm_account": "sfdc"}}
    customer = {"id": "cus_1", "object": "customer", "name": "Ada", "created": MARCH_1, "address": {"country": "DE"}}
    company = stripe(
        company_of,
        customer | {"metadata": {"sfdc": "001A", "erp_customer_id": "77"}},
        {"id": "cus_2", "object": "customer", "deleted": True},
        overrides=overrides,
    )
    assert company.rows(
        "select source_id, country, crm_customer_id, erp_customer_id, is_deleted from canonical.customers order by 1"
    ) == [("cus_1", "DE", "crm:001A", "erp:77", False), ("cus_2", None, None, None, True)]


def test_a_deleted_stub_that_lands_later_deletes_the_customer(company_of: NewCompany) -> None:
    company = company_of("stripe")
    company.land({"customer.jsonl": [{"id": "cus_1", "object": "customer", "name": "Ada", "created": MARCH_1}]})
    company.land({"customer_2.jsonl": [{"id": "cus_1", "object": "customer", "deleted": True}]})
    company.conform()
    assert company.rows("select source_id, is_deleted from canonical.customers") == [("cus_1", True)]


def test_references_in_metadata_that_is_text_are_found(company_of: NewCompany) -> None:
    company = company_of("stripe")
    once = json.dumps({"crm_account_id": "001A"}).replace('"', '""')
    company.land(
        {"customer_data.csv": f'id,name,metadata\ncus_1,Ada,"{once}"\ncus_2,Bob,"""{once}"""\ncus_3,Cy,oops\n'}
    )
    company.conform()
    assert company.column("select crm_customer_id from canonical.customers order by source_id") == [
        "crm:001A",
        "crm:001A",
        None,
    ]


def test_subscriptions_and_items_carry_price_interval_and_dates(company_of: NewCompany) -> None:
    yearly = {"unit_amount": 1200000, "product": "prod_1", "recurring": {"interval": "year", "interval_count": 1}}
    price = {"id": "price_1", "object": "price", "currency": "usd", "type": "recurring"} | yearly
    ends = 1_740_830_400  # 2025-03-01T12:00:00Z
    subscription = {
        "id": "sub_1",
        "object": "subscription",
        "customer": "cus_1",
        "currency": "usd",
        "status": "active",
        "created": MARCH_1,
        "start_date": MARCH_1,
        "cancel_at": ends,
        "items": {
            "object": "list",
            "has_more": False,
            "data": [
                {"id": "si_1", "object": "subscription_item", "subscription": "sub_1", "quantity": 2, "price": price}
            ],
        },
    }
    company = stripe(
        company_of, price, {"id": "prod_1", "object": "product", "name": "Platform", "active": True}, subscription
    )
    assert company.rows("select starts_on, ends_on, term_months, currency from canonical.contracts") == [
        ("2024-03-01", "2025-02-28", 12, "USD")
    ]
    assert company.rows(
        "select contract_id, product_id, quantity, unit_price, interval_months, ends_on from canonical.contract_lines"
    ) == [("billing:sub_1", "billing:prod_1", "2.00", "12000.00", 12, "2025-02-28")]
    assert company.rows("select name, charge_kind, is_active from canonical.products") == [
        ("Platform", "recurring", True)
    ]


def test_an_item_dropped_from_its_subscription_is_deleted(company_of: NewCompany) -> None:
    def subscription(*items: str) -> dict[str, Any]:
        data = [{"id": i, "object": "subscription_item", "subscription": "sub_1", "quantity": 1} for i in items]
        base = {"id": "sub_1", "object": "subscription", "status": "active", "created": MARCH_1, "currency": "usd"}
        return base | {"items": {"object": "list", "data": data, "has_more": False}}

    company = company_of("stripe")
    company.land({"subscription.jsonl": [subscription("si_1", "si_2")]})
    company.land({"subscription_2.jsonl": [subscription("si_1", "si_3")]})
    company.conform()
    assert company.column("select source_id from canonical.contract_lines where not is_deleted order by 1") == [
        "si_1",
        "si_3",
    ]


def test_the_one_legal_entity_of_a_company_is_the_default(company_of: NewCompany) -> None:
    company = stripe(company_of, invoice("in_1", 100), charge("ch_1", 100), legal_entity={"id": "1"})
    assert company.column(
        "select legal_entity_id from canonical.invoices union all select legal_entity_id from canonical.payments"
    ) == ["erp:1", "erp:1"]


# ── real-shaped data that nobody here wrote ──────────────────────────────────────────────────────────────────────────


def _seeds(company: Company, data: Path) -> None:
    folder = data / "fivetran_seeds" / "stripe"
    tables = company.system.tables
    files = [
        p for p in sorted(folder.glob("*.csv")) if p.stem.removesuffix("_data") in {*tables, "subscription_history"}
    ]
    company.land_paths(files)
    company.conform()


def test_the_flattened_dialect_ties_to_its_totals(company_of: NewCompany, shared_data: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())["stripe_seed_totals"]
    company = company_of("stripe")
    _seeds(company, shared_data)
    minor = "cast(cast({} * 100 as bigint) as varchar)"
    assert company.rows(
        f"select native_kind, count(*)::varchar, {minor.format('sum(gross_amount)')}, "
        f"{minor.format('sum(fee_amount)')}, {minor.format('sum(net_amount)')} "
        "from canonical.processor_transactions group by 1 order by 1"
    ) == [(t["type"], t["n"], t["amount"], t["fee"], t["net"]) for t in expected["balance_transactions"]]
    assert company.rows(
        f"select status, count(*)::varchar, {minor.format('sum(amount)')} from canonical.payments "
        "where kind = 'payment' group by 1"
    ) == [(c["status"], c["n"], c["amount"]) for c in expected["charges"]]
    assert company.rows(
        f"select source_id, {minor.format('total_amount')}, {minor.format('open_amount')}, issued_on "
        "from canonical.invoices where kind = 'invoice' order by 1"
    ) == [(i["id"], i["total"], i["amount_remaining"], "2021-02-19") for i in expected["invoices"]]


def test_the_flattened_dialect_is_refused_only_where_its_rows_hang_in_the_air(
    company_of: NewCompany, shared_data: Path
) -> None:
    company = company_of("stripe")
    _seeds(company, shared_data)
    # The seeds are not linked: lines without their invoice, items without their subscription.
    assert all("has no accepted row" in why for _, _, why in company.refused()), company.refused()
    assert {entity for entity, _, _ in company.refused()} == {"contract_lines", "invoice_lines"}


def test_dj_stripe_objects_become_rows(company_of: NewCompany, shared_data: Path) -> None:
    company = company_of("stripe")
    kinds = {t.kind for t in company.system.tables.values()}
    files = sorted((shared_data / "stripe_native" / "dj_stripe").glob("*.json"))
    company.land_paths([p for p in files if json.loads(p.read_text()).get("object") in kinds])
    company.conform()
    assert company.rows(
        "select source_id, net_amount, tax_amount, total_amount from canonical.invoices order by 1"
    ) == [
        ("in_fakefakefakefakefake0001", "17.39", "2.61", "20.00"),
        ("in_fakefakefakefakefake0004", "34.78", "5.22", "40.00"),
    ]
    paid = "select from_id, to_id, amount from canonical.applications where kind = 'payment_to_invoice'"
    assert ("billing:ch_fakefakefakefakefake0001", "billing:in_fakefakefakefakefake0001", "20.00") in company.rows(paid)
    # Two line items stand in files of their own and name no invoice.
    assert {(entity, "invoice_id is missing" in why) for entity, _, why in company.refused()} == {
        ("invoice_lines", True)
    }


def test_the_examples_of_the_api_itself_become_rows(company_of: NewCompany, shared_data: Path) -> None:
    resources = json.loads((shared_data / "stripe_native" / "fixtures3.json").read_text())["resources"]
    company = company_of("stripe")
    company.land({"fixtures3.jsonl": list(resources.values())})
    company.conform()
    assert company.rows("select kind, status, total_amount from canonical.invoices order by kind") == [
        ("credit_memo", "posted", "16.90"),
        ("invoice", "draft", "10.00"),
    ]
    assert company.rows("select kind, status, amount from canonical.payments order by kind") == [
        ("chargeback", "pending", "10.00"),
        ("payment", "pending", "1.00"),
        ("refund", "void", "1.00"),
    ]
    assert company.rows("select amount from canonical.payouts") == [("11.00",)]


def test_webhook_events_become_rows(company_of: NewCompany, shared_data: Path) -> None:
    company = company_of("stripe")
    kinds = {t.kind for t in company.system.tables.values()}
    files = sorted((shared_data / "stripe_native" / "webhooks").glob("*.json"))
    company.land_paths([p for p in files if json.loads(p.read_text())["data"]["object"].get("object") in kinds])
    company.conform()
    assert company.rows("select source_id, is_deleted from canonical.customers") == [("cus_IhGfebO16cMIGN", False)]
    assert company.column("select source_id from canonical.invoices where is_deleted") == ["in_xyz"]
    assert company.rows("select count(*), sum(amount) from canonical.applications where source_id like 'inpay%'") == [
        (1, "20.00")
    ]
    assert company.refused() == []
