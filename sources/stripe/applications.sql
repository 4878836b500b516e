-- One row per pair of documents: what paid, credited or was paid back, and how much of it.
with invoices as (select * from invoice),

links as (select * from invoice_payment),

charges as (select * from charge),

intents as (select * from payment_intent),

refunds as (select * from refund),

credits as (
    select * from credit_note
    where status = 'issued'
),

disputes as (select * from dispute),

-- Money that arrived: an authorisation without capture is none.
paid_charges as (
    select
        *,
        case
            when is_true(captured) = 'true' and amount(amount_captured) > 0 then amount_captured
            else amount
        end as paid_text
    from charges
    where status = 'succeeded' and coalesce(is_true(captured), 'true') <> 'false'
),

intent_charges as (
    select
        payment_intent_id,
        arg_max(id, (iso_instant(created), id)) as charge_id
    from paid_charges
    where payment_intent_id is not null
    group by payment_intent_id
),

-- ── payment → invoice ────────────────────────────────────────────────────────────────────────────────────────────────
-- Since 2025-03-31 Stripe states the pair itself.
stated as (
    select
        l.id,
        coalesce(l.charge_id, c.charge_id, i.latest_charge_id, l.payment_intent_id, l.payment_record_id) as from_id,
        l.invoice_id as to_id,
        iso_date(coalesce(l.paid_at, l.created)) as applied_on,
        coalesce(l.currency, v.currency) as currency,
        l.amount_paid as amount_text,
        l._load_seq as load_seq,
        l._row as row_number
    from links as l
    left join intent_charges as c on l.payment_intent_id = c.payment_intent_id
    left join intents as i on l.payment_intent_id = i.id
    left join invoices as v on l.invoice_id = v.id
    where l.status = 'paid'
),

-- Before, the pair follows from the charge, its intent or the invoice: the first that names one, so that no charge
-- pays twice. An invoice whose payments are stated is left to them.
named as (
    select
        id as charge_id,
        invoice_id,
        1 as preference
    from paid_charges
    union all
    select
        c.id as charge_id,
        i.invoice_id,
        2 as preference
    from paid_charges as c inner join intents as i on c.payment_intent_id = i.id
    union all
    select
        c.id as charge_id,
        v.id as invoice_id,
        3 as preference
    from paid_charges as c inner join invoices as v on c.id = v.charge_id
    union all
    select
        c.id as charge_id,
        v.id as invoice_id,
        4 as preference
    from paid_charges as c inner join invoices as v on c.payment_intent_id = v.payment_intent_id
),

derived as (
    select
        charge_id,
        arg_min(invoice_id, (preference, invoice_id)) as invoice_id
    from named
    where invoice_id is not null
    group by charge_id
),

payment_to_invoice as (
    select
        id,
        'payment_to_invoice' as kind,
        from_id,
        to_id,
        applied_on,
        currency,
        amount_text,
        'invoice_payment' as source_table,
        load_seq,
        row_number
    from stated
    union all
    select
        c.id || ':' || d.invoice_id as id,
        'payment_to_invoice' as kind,
        c.id as from_id,
        d.invoice_id as to_id,
        iso_date(c.created) as applied_on,
        c.currency,
        c.paid_text as amount_text,
        'charge' as source_table,
        c._load_seq as load_seq,
        c._row as row_number
    from derived as d
    inner join paid_charges as c on d.charge_id = c.id
    where not exists (
        select 1 from stated as s
        where s.to_id = d.invoice_id
    )
    -- The charge's money may be stated against other invoices: then it is spent.
    and not exists (
        select 1 from stated as s
        where s.from_id = d.charge_id
    )
),

-- ── credit note → invoice ────────────────────────────────────────────────────────────────────────────────────────────
-- Only the part issued before payment lowers what is due. The rest is paid back or kept as the customer's balance.
credit_parts as (
    select
        *,
        coalesce(pre_payment_amount, case when type = 'pre_payment' then total when type = 'post_payment' then '0' end)
            as pre_text,
        amount(coalesce(post_payment_amount, case when type = 'post_payment' then total end)) as post_minor,
        iso_date(coalesce(effective_at, created)) as credited_on
    from credits
),

credit_to_invoice as (
    select
        id || ':' || coalesce(invoice_id, '') as id,
        'credit_to_invoice' as kind,
        id as from_id,
        invoice_id as to_id,
        credited_on as applied_on,
        currency,
        pre_text as amount_text,
        'credit_note' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from credit_parts
    where pre_text is not null and coalesce(amount(pre_text) <> 0, true)
),

-- ── refund → credit note or payment ──────────────────────────────────────────────────────────────────────────────────
-- A refund that a credit note names pays back that credit; what is left of it pays back the charge.
real_refunds as (
    select
        r.*,
        coalesce(r.charge_id, i.latest_charge_id, n.charge_id) as paid_charge_id,
        coalesce(r.currency, c.currency) as money
    from refunds as r
    left join intents as i on r.payment_intent_id = i.id
    left join intent_charges as n on r.payment_intent_id = n.payment_intent_id
    left join charges as c on coalesce(r.charge_id, i.latest_charge_id, n.charge_id) = c.id
    where
        (r.status = 'succeeded' or (r.status is null and r.balance_transaction_id is not null))
        and not coalesce(c.status = 'succeeded' and is_true(c.captured) = 'false', false)
),

credit_refunds as (
    select
        n.id as credit_note_id,
        coalesce(json_extract_string(part, '$.refund.id'), json_extract_string(part, '$.refund')) as refund_id,
        amount(json_extract_string(part, '$.amount_refunded')) as named_minor
    from (
        select
            id,
            unnest(case when json_valid(refunds) then json_extract(refunds, '$[*]') else [] end) as part
        from credit_parts
    ) as n
    union
    -- Before 2024 a credit note named one refund, and no amount.
    select
        id as credit_note_id,
        refund_id,
        null as named_minor
    from credit_parts
    where refund_id is not null and not coalesce(json_valid(refunds) and json_array_length(refunds) > 0, false)
),

refund_shares as (
    select
        s.credit_note_id,
        s.refund_id,
        coalesce(s.named_minor, least(amount(r.amount), coalesce(c.post_minor, amount(r.amount)))) as share_minor
    from credit_refunds as s
    inner join real_refunds as r on s.refund_id = r.id
    inner join credit_parts as c on s.credit_note_id = c.id
),

refund_to_credit as (
    select
        r.id || ':' || s.credit_note_id as id,
        'refund_to_credit' as kind,
        r.id as from_id,
        s.credit_note_id as to_id,
        iso_date(r.created) as applied_on,
        r.money as currency,
        cast(s.share_minor as varchar) as amount_text,
        'refund' as source_table,
        r._load_seq as load_seq,
        r._row as row_number
    from refund_shares as s
    inner join real_refunds as r on s.refund_id = r.id
    where s.share_minor > 0
),

credited_refunds as (
    select
        refund_id,
        sum(share_minor) as share_minor
    from refund_shares
    group by refund_id
),

refund_to_payment as (
    select
        r.id || ':' || coalesce(r.paid_charge_id, '') as id,
        'refund_to_payment' as kind,
        r.id as from_id,
        r.paid_charge_id as to_id,
        iso_date(r.created) as applied_on,
        r.money as currency,
        coalesce(cast(amount(r.amount) - coalesce(s.share_minor, 0) as varchar), r.amount) as amount_text,
        'refund' as source_table,
        r._load_seq as load_seq,
        r._row as row_number
    from real_refunds as r
    left join credited_refunds as s on r.id = s.refund_id
    where coalesce(amount(r.amount) - coalesce(s.share_minor, 0) > 0, true)
),

-- ── dispute → payment ────────────────────────────────────────────────────────────────────────────────────────────────
-- The same test of what a dispute took as in payments.sql: a won one gave its money back and is void there.
dispute_money as (
    select
        *,
        case when json_valid(balance_transactions) then len(json_extract(balance_transactions, '$[*]')) end
            as movements,
        case
            when json_valid(balance_transactions)
                then list_sum([amount(a) for a in json_extract_string(balance_transactions, '$[*].amount')])
        end as moved
    from disputes
),

chargeback_to_payment as (
    select
        d.id || ':' || coalesce(d.charge_id, n.charge_id, '') as id,
        'chargeback_to_payment' as kind,
        d.id as from_id,
        coalesce(d.charge_id, n.charge_id) as to_id,
        iso_date(d.created) as applied_on,
        d.currency,
        d.amount as amount_text,
        'dispute' as source_table,
        d._load_seq as load_seq,
        d._row as row_number
    from dispute_money as d
    left join intent_charges as n on d.payment_intent_id = n.payment_intent_id
    where case
        when d.movements > 0 then coalesce(d.moved <> 0, true)
        else d.status = 'lost' or (d.status in ('needs_response', 'under_review') and d.movements is null)
    end
),

all_applications as (
    select * from payment_to_invoice
    union all
    select * from credit_to_invoice
    union all
    select * from refund_to_credit
    union all
    select * from refund_to_payment
    union all
    select * from chargeback_to_payment
),

mapped as (
    select
        key('billing', id) as application_id,
        kind,
        key('billing', from_id) as from_id,
        key('billing', to_id) as to_id,
        applied_on,
        upper(currency) as currency,
        from_minor(amount_text, upper(currency)) as amount,
        null as valid_from,
        false as is_deleted,
        source_table,
        load_seq,
        row_number
    from all_applications
)

select * from mapped
