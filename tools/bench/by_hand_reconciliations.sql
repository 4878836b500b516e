-- The reconciliations as an analyst would write them: two lists brought to one key, joined, and subtracted. No engine, no
-- sentences, no codes, no duplicates explained, no suggestions. Each statement gives one row per pair and per record that
-- misses the other: left_id, right_id, left_amount, right_amount. Its name is that of finpipe's model. Tables are those
-- of the working database (schema marts): the same views and intermediate tables that finpipe reads.

-- name: rec_billing_invoices__erp_invoices (R05: by id, number and amount, number and customer, amount and 3 days)
with invoices as (
    select split_part(invoice_id, ':', 1) as role, invoice_id as id, source_id, external_ref, upper(trim(document_number)) as number,
        coalesce(c.customer_id, i.customer_id) as customer_id, i.currency, issued_on,
        case when status = 'void' then 0 else total_amount end as amount
    from stg_invoices as i left join int_customers__identified as c on i.customer_id = c.source_customer_id
    where kind = 'invoice' and status <> 'draft'
),
l as (select * from invoices where role = 'billing'),
r as (select * from invoices where role = 'erp'),
p1 as (
    select l_id, arg_min(r_id, (misfit, r_id)) as r_id from (
        select l.id as l_id, r.id as r_id, l.amount <> r.amount or l.currency <> r.currency as misfit from l join r on l.source_id = r.external_ref
        union
        select l.id, r.id, l.amount <> r.amount or l.currency <> r.currency from l join r on l.external_ref = r.source_id
    ) group by l_id
),
l2 as (select * from l where id not in (select l_id from p1)),
r2 as (select * from r where id not in (select r_id from p1)),
p2 as (
    select l2.id as l_id, r2.id as r_id from l2 join r2 using (number, amount, currency)
    qualify count(*) over (partition by l2.id) = 1 and count(*) over (partition by r2.id) = 1
),
l3 as (select * from l2 where id not in (select l_id from p2)),
r3 as (select * from r2 where id not in (select r_id from p2)),
p3 as (
    select l3.id as l_id, r3.id as r_id from l3 join r3 using (number, customer_id)
    qualify count(*) over (partition by l3.id) = 1 and count(*) over (partition by r3.id) = 1
),
l4 as (select * from l3 where id not in (select l_id from p3)),
r4 as (select * from r3 where id not in (select r_id from p3)),
p4 as (
    select l4.id as l_id, r4.id as r_id from l4 join r4 using (amount, currency, customer_id)
    where l4.amount <> 0 and r4.external_ref is null and abs(l4.issued_on - r4.issued_on) <= 5
    qualify count(*) over (partition by l4.id) = 1 and count(*) over (partition by r4.id) = 1
),
pairs as (select * from p1 union all select * from p2 union all select * from p3 union all select * from p4)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where pairs.l_id is not null or l.amount <> 0
    or (r.amount <> 0 and (r.external_ref is not null or r.customer_id in (select customer_id from l)));

-- name: rec_billing_credits__erp_credits (R06: by id, number and amount)
with credits as (
    select split_part(invoice_id, ':', 1) as role, invoice_id as id, source_id, external_ref, upper(trim(document_number)) as number,
        currency, case when status = 'void' then 0 else total_amount end as amount
    from stg_invoices where kind = 'credit_memo' and status <> 'draft'
),
l as (select * from credits where role = 'billing'),
r as (select * from credits where role = 'erp'),
p1 as (
    select l.id as l_id, r.id as r_id from l join r on l.source_id = r.external_ref
    union select l.id, r.id from l join r on l.external_ref = r.source_id
),
p2 as (
    select l.id as l_id, r.id as r_id from l join r using (number, amount, currency)
    where l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from p1 union all select * from p2)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where pairs.l_id is not null or l.amount <> 0 or (r.amount <> 0 and r.external_ref is not null);

-- name: rec_billing_refunds__erp_refunds (R06: by id, number and amount)
with refunds as (
    select split_part(payment_id, ':', 1) as role, payment_id as id, source_id, external_ref, upper(trim(document_number)) as number,
        currency, amount
    from stg_payments where kind = 'refund' and status = 'succeeded'
),
l as (select * from refunds where role = 'billing'),
r as (select * from refunds where role = 'erp'),
p1 as (
    select l.id as l_id, r.id as r_id from l join r on l.source_id = r.external_ref
    union select l.id, r.id from l join r on l.external_ref = r.source_id
),
p2 as (
    select l.id as l_id, r.id as r_id from l join r using (number, amount, currency)
    where l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from p1 union all select * from p2)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where pairs.l_id is not null or l.amount <> 0 or r.external_ref is not null;

-- name: rec_processor_charges__billing_payments (R07: by id, amount and day)
with l as (
    select processor_transaction_id as id, source_ref, source_id, currency, created_on, gross_amount as amount
    from stg_processor_transactions where kind = 'charge'
),
r as (
    select payment_id as id, source_id, external_ref, currency, paid_on, amount, coalesce(method, '') as method
    from stg_payments where payment_id like 'billing:%' and kind = 'payment' and status = 'succeeded'
),
p1 as (
    select l.id as l_id, r.id as r_id from l join r on l.source_ref = r.source_id
    union select l.id, r.id from l join r on l.source_id = r.source_id
    union select l.id, r.id from l join r on l.source_ref = r.external_ref
),
p2 as (
    select l.id as l_id, r.id as r_id from l join r on l.amount = r.amount and l.currency = r.currency and l.created_on = r.paid_on
    where l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from p1 union all select * from p2)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where l.id is not null or pairs.l_id is not null or r.method not in ('out_of_band', 'paid_out_of_band');

-- name: rec_billing_payments__erp_payments (R07: by id, number and amount, amount and 3 days)
with payments as (
    select split_part(payment_id, ':', 1) as role, payment_id as id, source_id, external_ref, upper(trim(document_number)) as number,
        coalesce(c.customer_id, p.customer_id) as customer_id, p.currency, paid_on, amount
    from stg_payments as p left join int_customers__identified as c on p.customer_id = c.source_customer_id
    where kind = 'payment' and status = 'succeeded'
),
l as (select * from payments where role = 'billing'),
r as (select * from payments where role = 'erp'),
p1 as (
    select l_id, min(r_id) as r_id from (
        select l.id as l_id, r.id as r_id from l join r on l.source_id = r.external_ref
        union select l.id, r.id from l join r on l.external_ref = r.source_id
    ) group by l_id
),
p2 as (
    select l.id as l_id, r.id as r_id from l join r using (number, amount, currency)
    where l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs12 as (select * from p1 union all select * from p2),
p3 as (
    select l.id as l_id, r.id as r_id from l join r using (amount, currency, customer_id)
    where l.id not in (select l_id from pairs12) and r.id not in (select r_id from pairs12)
        and r.external_ref is null and abs(l.paid_on - r.paid_on) <= 5
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from pairs12 union all select * from p3),
-- A second image of a payment: the same money and day, and a number that goes on where the other's ends.
copies as (
    select distinct later.id from r as later join r as former using (customer_id, amount, currency, paid_on)
    where later.id <> former.id and later.external_ref is null and former.external_ref is not null
        and starts_with(later.number, former.number)
)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where l.id is not null or pairs.l_id is not null or r.external_ref is not null or r.id in (select id from copies);

-- name: rec_billing_applications__erp_applications (R08: payment by invoice)
with invoice_pairs as (
    select distinct left_id, right_id from rec_billing_invoices__erp_invoices
    where line_kind = 'pair' and left_id is not null and right_id is not null
),
payment_pairs as (
    select distinct left_id, right_id from rec_billing_payments__erp_payments
    where line_kind = 'pair' and left_id is not null and right_id is not null
),
applied as (
    select from_id, to_id, currency, sum(amount) as amount from stg_applications
    where kind = 'payment_to_invoice' group by all having sum(amount) <> 0
),
l as (
    select p.right_id || ' → ' || i.right_id as id, currency, sum(amount) as amount
    from applied join payment_pairs as p on from_id = p.left_id join invoice_pairs as i on to_id = i.left_id group by all
),
r as (
    select from_id || ' → ' || to_id as id, currency, sum(amount) as amount
    from applied join payment_pairs as p on from_id = p.right_id join invoice_pairs as i on to_id = i.right_id group by all
)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount from l full join r on l.id = r.id;

-- name: rec_processor_activity__payouts (R09: by payout and currency)
select case when part_count > 0 then payout_id || '/' || currency end as left_id,
    payout_id || '/' || currency as right_id, net_amount as left_amount, payout_amount as right_amount
from int_payouts__summed where status is not null and (part_count > 0 or coalesce(is_automatic, false));

-- name: rec_receivables__ledger (R11: by document, entity and period, in functional currency)
with book as (select min(book) as book from stg_journal_events where journal_event_id not like '%/%'),
subledger as (
    select document_id, legal_entity_id, period, movement = 'void' as is_void, min(functional_currency) as currency,
        min(moved_on) as happened_on, sum(functional_amount) as amount
    from ar_ledger where split_part(item_id, ':', 1) = 'erp' and functional_amount is not null
    group by all
),
posted as materialized (
    select coalesce(e.document_ref, e.journal_event_id) as document_id,
        coalesce(n.legal_entity_id, e.legal_entity_id, 'unassigned') as legal_entity_id,
        coalesce(p.name, d.period) as period, bool_and(e.document_ref is null) as is_manual, min(n.currency) as currency,
        min(e.posted_on) as happened_on, sum(n.amount) as amount
    from stg_journal_lines as n
    join stg_journal_events as e using (journal_event_id)
    join book on e.book = book.book
    join stg_gl_accounts as a using (gl_account_id)
    left join stg_legal_entities as le on coalesce(n.legal_entity_id, e.legal_entity_id) = le.legal_entity_id
    left join int_calendar_dates__placed as d on e.posted_on = d.date_on and coalesce(le.calendar, '') = d.calendar
    left join stg_accounting_periods as p on e.accounting_period_id = p.accounting_period_id and p.kind = 'period'
    where a.kind = 'receivable'
    group by 1, 2, 3
),
-- A void is posted with its document, or by a journal of its own.
together as (
    select document_id, legal_entity_id, period from (
        select document_id, legal_entity_id, period, sum(amount) as amount from subledger group by all having count(*) > 1
    ) join posted using (document_id, legal_entity_id, period, amount)
),
l as materialized (
    select s.document_id || '|' || s.legal_entity_id || '|' || s.period
            || case when is_void and t.document_id is null then '|void' else '' end as id,
        min(s.legal_entity_id) as legal_entity_id, min(currency) as currency, min(happened_on) as happened_on,
        bool_or(is_void) as is_void, sum(amount) as amount
    from subledger as s left join together as t using (document_id, legal_entity_id, period) group by 1
),
r as (select *, document_id || '|' || legal_entity_id || '|' || period as id from posted),
p1 as (select id as l_id, id as r_id from l semi join r using (id)),
p2 as (
    select l.id as l_id, r.id as r_id from l join r using (legal_entity_id, currency, amount, happened_on)
    where l.is_void and r.is_manual and l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from p1 union all select * from p2)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where pairs.l_id is not null or l.amount <> 0 or r.amount <> 0;

-- name: rec_debits__credits (R13: by journal and currency)
with sums as (
    select n.journal_event_id || '|' || n.currency as id, sum(n.amount) filter (where n.amount > 0) as debit,
        -sum(n.amount) filter (where n.amount < 0) as credit
    from stg_journal_lines as n join stg_journal_events using (journal_event_id) group by all
)
select id as left_id, id as right_id, coalesce(debit, 0) as left_amount, coalesce(credit, 0) as right_amount from sums;

-- name: rec_cash_movements__bank_lines (R10: by reference and amount, by invoice number, by amount and days)
with to_billing as (
    select distinct right_id from rec_billing_payments__erp_payments where line_kind = 'pair' and right_id is not null
),
numbers as (
    select from_id as id, upper(document_number) as word from stg_applications join stg_invoices on to_id = invoice_id
    where document_number is not null
),
receipts as (
    select payment_id as id, upper(source_id) as ref, upper(trim(document_number)) as number, 'receipt' as kind, currency,
        paid_on as happened_on, case when kind = 'payment' then amount else -amount end as amount, amount <> 0 as is_expected
    from stg_payments where payment_id like 'erp:%' and status = 'succeeded' and external_ref is null
        and payment_id not in (select right_id from to_billing)
),
l as materialized (
    select payout_id as id, upper(source_id) as ref, upper(trace_ref) as number, 'payout' as kind, currency,
        coalesce(arrives_on, created_on) as happened_on, amount, status <> 'failed' as is_expected
    from stg_payouts where status <> 'canceled'
    union all select * from receipts
    union all
    select n.journal_line_id, null, null, 'posting', coalesce(n.transaction_currency, n.currency), e.posted_on,
        coalesce(n.transaction_amount, n.amount), false
    from stg_journal_lines as n join stg_journal_events as e using (journal_event_id) join stg_gl_accounts as a using (gl_account_id)
    where a.kind = 'bank' and e.document_ref is null and coalesce(n.transaction_amount, n.amount) <> 0
),
r as materialized (
    select bank_transaction_id as id, currency, booked_on, amount, list_distinct([upper(end_to_end_ref), upper(bank_ref)]
        || string_split_regex(upper(coalesce(description, '')), '[\s,;:/]+')) as words
    from stg_bank_transactions where amount <> 0
),
near as (select *, happened_on + cast(unnest(range(-5, 6)) as integer) as booked_on from l),
-- A word that many lines carry says nothing.
said as materialized (select id, word from (select id, unnest(words) as word from r) where word <> '' qualify count(*) over (partition by word) <= 20),
called as materialized (
    select id, ref as word from l where ref is not null union select id, number from l where number is not null
    union select id, word from numbers
),
-- By itself, or DuckDB joins everything in one currency first.
worded as materialized (select distinct called.id as l_id, said.id as r_id from called join said using (word)),
referred as materialized (
    select l_id, r_id, l.kind, l.amount = r.amount as is_equal, abs(l.happened_on - r.booked_on) as days,
        l.currency = r.currency and sign(l.amount) = sign(r.amount) as is_alike
    from worded join l on l_id = l.id join r on r_id = r.id
),
p1 as materialized (
    select l_id, r_id from referred where is_alike and is_equal and days <= 10
    qualify count(*) over (partition by l_id) = 1 and count(*) over (partition by r_id) = 1
),
p2 as materialized (
    select l.id as l_id, r.id as r_id from near as l join r using (currency, amount, booked_on)
    where l.kind <> 'posting' and l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
p12 as (select * from p1 union all select * from p2),
p3 as materialized (
    select l_id, r_id from referred where is_alike and kind = 'receipt' and days <= 5
        and l_id not in (select l_id from p12) and r_id not in (select r_id from p12)
    qualify count(*) over (partition by l_id) = 1 and count(*) over (partition by r_id) = 1
),
p123 as (select * from p12 union all select * from p3),
p4 as materialized (
    select l.id as l_id, r.id as r_id from l join r using (currency, amount)
    where l.kind = 'posting' and l.happened_on = r.booked_on
        and l.id not in (select l_id from p123) and r.id not in (select r_id from p123)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
p1234 as (select * from p123 union all select * from p4),
p5 as materialized (
    select l.id as l_id, r.id as r_id from near as l join r using (currency, amount, booked_on)
    where l.kind = 'posting' and l.id not in (select l_id from p1234) and r.id not in (select r_id from p1234)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from p1234 union all select * from p5)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l full join pairs on l.id = pairs.l_id full join r on pairs.r_id = r.id
where pairs.l_id is not null or l.is_expected or r.id is not null;

-- name: rec_won_opportunities__orders (R03: by deal)
with l as (
    select opportunity_id, order_ref, coalesce(amount, lines.total, 0) as amount from stg_opportunities
    left join (select opportunity_id, sum(total_amount) as total from stg_opportunity_lines group by all) as lines using (opportunity_id)
    where is_won
),
r as (
    select coalesce(o.opportunity_id, l.opportunity_id, o.order_id) as deal_id, min(o.order_id) as id, o.currency,
        sum(o.total_amount) as amount
    from stg_orders as o left join l on o.order_id = l.order_ref and o.opportunity_id is null
    where o.order_id like 'erp:%' and lower(coalesce(o.status, '')) not in ('salesord:a', 'salesord:c')
        and not regexp_matches(lower(coalesce(o.status, '')), '(^|[: ])(draft|cancell?ed|pending approval)$')
    group by all
)
select l.opportunity_id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l left join r on l.opportunity_id = r.deal_id where l.amount <> 0 or r.id is not null;

-- name: rec_won_opportunities__first_invoices (R03: by deal, days)
with billed as (
    select opportunity_ref, arg_min(invoice_id, (issued_on, invoice_id)) as id, min(issued_on) as issued_on from stg_invoices
    where kind = 'invoice' and status <> 'draft' and opportunity_ref is not null group by all
)
select o.opportunity_id as left_id, billed.id as right_id, 0 as left_amount, 0 as right_amount
from stg_opportunities as o join billed on o.opportunity_id = billed.opportunity_ref where o.is_won;

-- name: rec_document_taxes__tax_postings (R18: by document, entity and period, in functional currency)
with book as (select min(book) as book from stg_journal_events where journal_event_id not like '%/%'),
postings as (
    select n.*, e.document_ref, e.posted_on, e.accounting_period_id, e.journal_event_id as event_id,
        coalesce(n.legal_entity_id, e.legal_entity_id, 'unassigned') as entity_id
    from stg_journal_lines as n join stg_journal_events as e using (journal_event_id) join book on e.book = book.book
),
tax_accounts as (
    select gl_account_id from postings where gl_account_id is not null
    group by all having count(case when is_tax then 1 end) * 2 >= count(*)
),
r as materialized (
    select coalesce(document_ref, event_id) as document_id, entity_id as legal_entity_id, coalesce(p.name, d.period) as period,
        document_ref is null as is_manual, min(currency) as currency, min(posted_on) as happened_on, -sum(amount) as amount
    from postings join tax_accounts using (gl_account_id)
    left join stg_legal_entities as le on entity_id = le.legal_entity_id
    left join int_calendar_dates__placed as d on posted_on = d.date_on and coalesce(le.calendar, '') = d.calendar
    left join stg_accounting_periods as p on postings.accounting_period_id = p.accounting_period_id and p.kind = 'period'
    group by 1, 2, 3, 4
),
taxed as (
    select *, direction * case functional_minor_units
        when 0 then cast(round(tax_amount * functional_rate, 0) as decimal(18, 4))
        when 3 then cast(round(tax_amount * functional_rate, 3) as decimal(18, 4))
        else cast(round(tax_amount * functional_rate, 2) as decimal(18, 4)) end as amount
    from int_documents__posted
    where split_part(invoice_id, ':', 1) = 'erp' and functional_rate is not null and tax_amount <> 0
),
l as materialized (
    select invoice_id as document_id, legal_entity_id, posted_period as period, false as is_void,
        functional_currency as currency, issued_on as happened_on, amount, voided_on is null as is_expected
    from taxed
    union all
    select invoice_id, t.legal_entity_id, d.period, true, t.functional_currency, voided_on, -amount, false
    from taxed as t
    left join stg_legal_entities as le on t.legal_entity_id = le.legal_entity_id
    left join int_calendar_dates__placed as d on voided_on = d.date_on and coalesce(le.calendar, '') = d.calendar
    where voided_on is not null
),
l_keyed as (
    select *, document_id || '|' || legal_entity_id || '|' || period || case when is_void then '|void' else '' end as id from l
),
r_keyed as (select *, document_id || '|' || legal_entity_id || '|' || period as id from r),
p1 as (select id as l_id, id as r_id from l_keyed semi join r_keyed using (id)),
p2 as (
    select l.id as l_id, r.id as r_id from l_keyed as l join r_keyed as r using (legal_entity_id, currency, amount, happened_on)
    where l.is_void and r.is_manual and l.id not in (select l_id from p1) and r.id not in (select r_id from p1)
    qualify count(*) over (partition by l.id) = 1 and count(*) over (partition by r.id) = 1
),
pairs as (select * from p1 union all select * from p2)
select l.id as left_id, r.id as right_id, l.amount as left_amount, r.amount as right_amount
from l_keyed as l full join pairs on l.id = pairs.l_id full join r_keyed as r on pairs.r_id = r.id
where pairs.l_id is not null or l.is_expected
    or (r.amount <> 0 and r.document_id in (select invoice_id from taxed where voided_on is null));
