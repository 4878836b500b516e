-- One row per charge (payment), refund and dispute (chargeback).
with charges as (select * from charge),

refunds as (select * from refund),

disputes as (select * from dispute),

intents as (select * from payment_intent),

movements as (select * from balance_transaction),

invoices as (select * from invoice),

links as (select * from invoice_payment),

customers as (select * from customer),

-- An intent succeeds with one charge at most; before that it may have failed with several.
intent_charges as (
    select
        payment_intent_id,
        arg_max(id, (coalesce(status = 'succeeded', false), iso_instant(created), id)) as charge_id
    from charges
    where payment_intent_id is not null
    group by payment_intent_id
),

invoice_entities as (
    select
        id,
        coalesce(
            legal_entity,
            case
                when json_valid(trim(metadata, '"'))
                    then json_extract_string(trim(metadata, '"'), '$."' || getvariable('legal_entity') || '"')
            end
        ) as entity
    from invoices
),

customer_entities as (
    select
        id,
        coalesce(
            legal_entity,
            case
                when json_valid(trim(metadata, '"'))
                    then json_extract_string(trim(metadata, '"'), '$."' || getvariable('legal_entity') || '"')
            end
        ) as entity
    from customers
),

-- A charge belongs to the entity of the invoices it pays, when those agree.
charge_invoices as (
    select
        id as charge_id,
        invoice_id
    from charges
    union all
    select
        c.id as charge_id,
        l.invoice_id
    from charges as c
    inner join links as l on c.payment_intent_id = l.payment_intent_id
    union all
    select
        charge_id,
        invoice_id
    from links
    where charge_id is not null
),

charge_entities as (
    select
        c.charge_id,
        case when min(e.entity) = max(e.entity) then min(e.entity) end as entity
    from charge_invoices as c
    inner join invoice_entities as e on c.invoice_id = e.id
    group by c.charge_id
),

-- The fee stands on the balance transaction, in the settlement currency: kept where that is the charge's own.
fees as (
    select
        m.id,
        m.fee,
        upper(m.currency) as currency
    from movements as m
),

-- A dispute costs a fee of its own, on the movement that took the money.
dispute_fees as (
    select
        source,
        upper(currency) as currency,
        cast(sum(amount(fee)) as varchar) as fee
    from movements
    where regexp_matches(source, '^(dp|du)_')
    group by source, upper(currency)
),

from_charges as (
    select
        c.id,
        'payment' as kind,
        -- An authorisation that was never captured moved no money; a released one never will.
        case
            when c.status = 'succeeded' and is_true(c.captured) = 'false'
                then case when is_true(c.refunded) = 'true' then 'void' else 'pending' end
            else c.status
        end as status,
        c.receipt_number as document_number,
        c.erp_payment,
        c.metadata,
        c.customer_id as customer,
        coalesce(
            c.legal_entity,
            case
                when json_valid(trim(c.metadata, '"'))
                    then json_extract_string(trim(c.metadata, '"'), '$."' || getvariable('legal_entity') || '"')
            end,
            e.entity
        ) as entity,
        null as original,
        null as is_undecided,
        iso_date(c.created) as paid_on,
        c.method,
        upper(c.currency) as currency,
        case
            when is_true(c.captured) = 'true' and amount(c.amount_captured) > 0 then c.amount_captured
            else c.amount
        end as amount_text,
        f.fee,
        iso_instant(c.created) as valid_from,
        'charge' as source_table,
        c._load_seq as load_seq,
        c._row as row_number
    from charges as c
    left join charge_entities as e on c.id = e.charge_id
    left join fees as f on c.balance_transaction_id = f.id and f.currency = upper(c.currency)
),

from_refunds as (
    select
        r.id,
        'refund' as kind,
        case
            -- Releasing an authorisation makes a refund object too, without money.
            when r.status = 'succeeded' and c.status in ('void', 'pending') then 'void'
            when r.status = 'requires_action' then 'pending'
            when r.status = 'canceled' then 'void'
            -- Stripe kept no status for its oldest refunds: those with a movement went through.
            when r.status is null and r.balance_transaction_id is not null then 'succeeded'
            else r.status
        end as status,
        r.receipt_number as document_number,
        r.erp_payment,
        r.metadata,
        coalesce(c.customer, i.customer_id) as customer,
        coalesce(r.legal_entity, c.entity) as entity,
        coalesce(r.charge_id, i.latest_charge_id, n.charge_id) as original,
        null as is_undecided,
        iso_date(r.created) as paid_on,
        c.method,
        upper(coalesce(r.currency, c.currency)) as currency,
        r.amount as amount_text,
        f.fee,
        iso_instant(r.created) as valid_from,
        'refund' as source_table,
        r._load_seq as load_seq,
        r._row as row_number
    from refunds as r
    left join intents as i on r.payment_intent_id = i.id
    left join intent_charges as n on r.payment_intent_id = n.payment_intent_id
    left join from_charges as c on coalesce(r.charge_id, i.latest_charge_id, n.charge_id) = c.id
    left join fees as f on r.balance_transaction_id = f.id and f.currency = upper(coalesce(r.currency, c.currency))
),

-- What a dispute took: its own movements say; without them its status must.
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

from_disputes as (
    select
        d.id,
        'chargeback' as kind,
        case
            when d.movements > 0 and d.moved = 0 then 'void'
            when d.movements > 0 or d.status = 'lost' then 'succeeded'
            when d.status in ('won', 'warning_closed', 'prevented', 'charge_refunded') then 'void'
            when d.status in ('warning_needs_response', 'warning_under_review') then 'pending'
            when d.status in ('needs_response', 'under_review')
                then case when d.movements = 0 then 'pending' else 'succeeded' end
            else d.status
        end as status,
        null as document_number,
        d.erp_payment,
        d.metadata,
        c.customer,
        c.entity,
        coalesce(d.charge_id, n.charge_id) as original,
        case
            when
                d.status in ('needs_response', 'under_review', 'warning_needs_response', 'warning_under_review')
                then 'true'
            else 'false'
        end as is_undecided,
        iso_date(d.created) as paid_on,
        c.method,
        upper(d.currency) as currency,
        d.amount as amount_text,
        f.fee,
        iso_instant(d.created) as valid_from,
        'dispute' as source_table,
        d._load_seq as load_seq,
        d._row as row_number
    from dispute_money as d
    left join intent_charges as n on d.payment_intent_id = n.payment_intent_id
    left join from_charges as c on coalesce(d.charge_id, n.charge_id) = c.id
    left join dispute_fees as f on d.id = f.source and f.currency = upper(d.currency)
),

all_payments as (
    select * from from_charges
    union all
    select * from from_refunds
    union all
    select * from from_disputes
),

mapped as (
    select
        key('billing', p.id) as payment_id,
        p.kind,
        p.status,
        p.document_number,
        coalesce(
            p.erp_payment,
            case
                when json_valid(trim(p.metadata, '"'))
                    then json_extract_string(trim(p.metadata, '"'), '$."' || getvariable('erp_payment') || '"')
            end
        ) as external_ref,
        key('billing', p.customer) as customer_id,
        coalesce(key('erp', coalesce(p.entity, e.entity)), default_legal_entity()) as legal_entity_id,
        key('billing', p.original) as original_payment_id,
        p.is_undecided,
        p.paid_on,
        p.method,
        p.currency,
        from_minor(p.amount_text, p.currency) as amount,
        from_minor(p.fee, p.currency) as fee_amount,
        p.valid_from,
        false as is_deleted,
        p.source_table,
        p.load_seq,
        p.row_number
    from all_payments as p
    left join customer_entities as e on p.customer = e.id
)

select * from mapped
