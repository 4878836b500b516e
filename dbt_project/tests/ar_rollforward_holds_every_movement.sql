-- Conservation: the movements of all periods up to the cut are those of the ledger, less what is shown only after it.
with rolled as (
    select
        legal_entity_id,
        currency,
        sum(
            invoices_amount + debit_memos_amount + credit_memos_amount + write_offs_amount + voids_amount
            + payments_amount + refunds_amount + chargebacks_amount + prior_period_amount
        ) as amount
    from {{ ref('ar_rollforward') }}
    group by legal_entity_id, currency
),

moved as (
    select
        ledger.legal_entity_id,
        ledger.currency,
        sum(ledger.amount) as amount
    from {{ ref('ar_ledger') }} as ledger
    left join {{ ref('stg_legal_entities') }} as entities on ledger.legal_entity_id = entities.legal_entity_id
    inner join {{ ref('int_calendar_dates__placed') }} as cut
        on coalesce(entities.calendar, '') = cut.calendar and cut.date_on = {{ as_of() }}
    where ledger.period_ends_on <= cut.period_ends_on
    group by ledger.legal_entity_id, ledger.currency
),

after_the_cut as (
    select
        adjusted.legal_entity_id,
        adjusted.currency,
        sum(adjusted.amount) as amount
    from {{ ref('int_closed_periods__adjusted') }} as adjusted
    left join {{ ref('stg_legal_entities') }} as entities on adjusted.legal_entity_id = entities.legal_entity_id
    inner join {{ ref('int_calendar_dates__placed') }} as cut
        on coalesce(entities.calendar, '') = cut.calendar and cut.date_on = {{ as_of() }}
    where adjusted.measure = 'ar' and adjusted.period_ends_on > cut.period_ends_on
    group by adjusted.legal_entity_id, adjusted.currency
)

select
    moved.legal_entity_id,
    moved.currency,
    moved.amount as in_ledger,
    rolled.amount as in_rollforward
from moved
left join rolled on moved.legal_entity_id = rolled.legal_entity_id and moved.currency = rolled.currency
left join after_the_cut
    on moved.legal_entity_id = after_the_cut.legal_entity_id and moved.currency = after_the_cut.currency
where moved.amount <> coalesce(rolled.amount, 0) + coalesce(after_the_cut.amount, 0)
