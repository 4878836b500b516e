-- The running balance of every open item, in its own currency and at its own rate. Functional movements are the change
-- of round(balance × rate): a settled item is worth exactly zero, and what the two legs of an application differ by is
-- the realised exchange difference (docs/decisions/0014).
with documents as (
    select * from {{ ref('int_documents__posted') }}
),

payments as (
    select * from {{ ref('int_payments__succeeded') }}
),

items as (
    select
        invoice_id as item_id,
        kind as item_kind,
        direction * total_amount as effect,
        document_number,
        customer_id,
        legal_entity_id,
        issued_on as dated_on,
        coalesce(due_on, issued_on) as due_on,
        currency,
        functional_currency,
        functional_rate,
        functional_minor_units,
        posted_period,
        posted_period_ends_on,
        voided_on
    from documents
    union all
    select
        payment_id,
        kind,
        -direction * amount,
        document_number,
        customer_id,
        legal_entity_id,
        paid_on,
        paid_on,
        currency,
        functional_currency,
        functional_rate,
        functional_minor_units,
        posted_period,
        posted_period_ends_on,
        null
    from payments
),

-- Both legs of an application: it takes the open amount of either document towards zero.
legs as (
    select
        application_id,
        from_id as item_id,
        to_id as counter_id,
        from_id as document_id,
        applied_on,
        case
            when kind in ('refund_to_payment', 'refund_to_credit', 'chargeback_to_payment') then -amount else amount
        end as amount,
        'from' as leg
    from {{ ref('int_applications__effective') }}
    union all
    select
        application_id,
        to_id,
        from_id,
        from_id,
        applied_on,
        case
            when kind in ('refund_to_payment', 'refund_to_credit', 'chargeback_to_payment') then amount else -amount
        end,
        'to'
    from {{ ref('int_applications__effective') }}
),

movements as (
    select
        item_id || '/posted' as ar_entry_id,
        item_id,
        item_kind as movement,
        cast(null as varchar) as counter_id,
        item_id as document_id,
        dated_on as moved_on,
        effect as amount,
        1 as step
    from items
    union all
    select
        item_id || '/void',
        item_id,
        'void',
        null,
        item_id,
        voided_on,
        -effect,
        2
    from items
    where voided_on is not null
    union all
    select
        application_id || '/' || leg,
        item_id,
        'application',
        counter_id,
        document_id,
        applied_on,
        amount,
        3
    from legs
),

running as (
    select
        movements.*,
        items.item_kind,
        items.document_number,
        items.customer_id,
        items.legal_entity_id,
        items.due_on,
        items.currency,
        items.functional_currency,
        items.functional_rate,
        items.functional_minor_units,
        items.posted_period,
        items.posted_period_ends_on,
        items.dated_on,
        sum(movements.amount) over (
            partition by movements.item_id
            order by movements.moved_on, movements.step, movements.ar_entry_id
            rows between unbounded preceding and current row
        ) as balance_amount
    from movements
    inner join items on movements.item_id = items.item_id
),

ledger as (
    select
        running.ar_entry_id,
        running.item_id,
        running.item_kind,
        running.movement,
        running.counter_id,
        running.document_id,
        running.document_number,
        running.customer_id,
        running.legal_entity_id,
        running.moved_on,
        running.due_on,
        -- Documents stand in the period they were posted in; what happens to them later, in that of its day.
        case
            when running.movement in ('void', 'application') and running.moved_on <> document.dated_on then dates.period
            else document.posted_period
        end as period,
        case
            when running.movement in ('void', 'application') and running.moved_on <> document.dated_on
                then dates.period_ends_on
            else document.posted_period_ends_on
        end as period_ends_on,
        running.currency,
        {{ money('running.amount') }} as amount,
        {{ money('running.balance_amount') }} as balance_amount,
        running.functional_currency,
        {{ rate('running.functional_rate') }} as functional_rate,
        {{ money(
            converted('running.balance_amount', 'running.functional_rate', 'running.functional_minor_units') ~ ' - '
            ~ converted('(running.balance_amount - running.amount)', 'running.functional_rate', 'running.functional_minor_units')
        ) }} as functional_amount,
        {{ converted('running.balance_amount', 'running.functional_rate', 'running.functional_minor_units') }}
            as functional_balance_amount
    from running
    inner join items as document on running.document_id = document.item_id
    left join {{ ref('stg_legal_entities') }} as entities on running.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_calendar_dates__placed') }} as dates
        on running.moved_on = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
)

select * from ledger
