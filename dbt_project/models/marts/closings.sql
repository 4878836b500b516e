-- Balances as they were stored when periods were locked.
with periods as (
    select * from {{ ref('int_periods__listed') }}
),

accounts as (
    select * from {{ ref('stg_gl_accounts') }}
),

stored as (
    select
        closings.closing_id,
        closings.close_id,
        closings.legal_entity_id,
        periods.period,
        closings.period_ends_on,
        closings.measure,
        case when closings.measure = 'ledger' then {{ part_of('closings.part', '/', 1) }} end as book,
        case
            when closings.measure = 'ledger' then substr(closings.part, strpos(closings.part, '/') + 1)
        end as gl_account_id,
        closings.currency,
        {{ money('closings.amount') }} as closing_amount,
        closings.functional_currency,
        {{ money('closings.functional_amount') }} as functional_closing_amount,
        closings.signed_by,
        closings.signed_at,
        closings.is_in_force and closings.next_close_id is null as is_in_force
    from {{ ref('int_closings__signed') }} as closings
    left join periods
        on closings.legal_entity_id = periods.legal_entity_id and closings.period_ends_on = periods.ends_on
    where closings.kind = 'closing'
),

named as (
    select
        stored.closing_id,
        stored.close_id,
        stored.legal_entity_id,
        stored.period,
        stored.period_ends_on,
        stored.measure,
        stored.book,
        stored.gl_account_id,
        accounts.number as account_number,
        stored.currency,
        stored.closing_amount,
        stored.functional_currency,
        stored.functional_closing_amount,
        stored.signed_by,
        stored.signed_at,
        stored.is_in_force
    from stored
    left join accounts on stored.gl_account_id = accounts.gl_account_id
)

select * from named
