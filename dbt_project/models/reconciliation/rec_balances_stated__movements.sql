-- R16, bank balances: each balance that the bank states against the one before it plus the movements between.
with figures as (
    select
        scope,
        currency,
        stated_on,
        stated_amount,
        control_total_id
    from {{ ref('stg_control_totals') }}
    where subject = 'bank_balance' and stated_amount is not null and stated_on is not null
    union all
    -- The first opening balance is that of the evening before; later ones repeat a closing balance.
    select
        scope,
        currency,
        cast(stated_on - 1 as date),
        stated_amount,
        control_total_id
    from (
        select
            *,
            row_number() over (partition by scope, currency order by stated_on, control_total_id) as position
        from {{ ref('stg_control_totals') }}
        where subject = 'bank_opening_balance' and stated_amount is not null and stated_on is not null
    ) as openings
    where position = 1
),

stated as (
    select
        scope,
        currency,
        stated_on,
        stated_amount,
        lag(stated_amount) over (partition by scope, currency order by stated_on, control_total_id) as previous_amount,
        lag(stated_on) over (partition by scope, currency order by stated_on, control_total_id) as previous_on
    from figures
),

movements as (
    select
        stated.scope,
        stated.currency,
        stated.stated_on,
        min(bank.legal_entity_id) as legal_entity_id,
        coalesce(sum(bank.amount), 0) as amount
    from stated
    left join {{ ref('stg_bank_transactions') }} as bank
        on
            stated.scope = bank.bank_account
            and coalesce(stated.currency, bank.currency) = bank.currency
            and stated.previous_on < bank.booked_on
            and stated.stated_on >= bank.booked_on
    group by stated.scope, stated.currency, stated.stated_on
),

records as (
    select
        stated.scope || '/' || coalesce(stated.currency, '') || '@' || stated.stated_on as record_id,
        stated.scope || ' on ' || stated.stated_on as label,
        [stated.scope || '/' || coalesce(stated.currency, '') || '@' || stated.stated_on] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        movements.legal_entity_id,
        stated.currency,
        stated.stated_on as happened_on,
        dates.period,
        stated.stated_amount,
        {{ money('stated.previous_amount + movements.amount') }} as moved_amount,
        true as is_expected
    from stated
    inner join movements
        on
            stated.scope = movements.scope
            and stated.currency is not distinct from movements.currency
            and stated.stated_on = movements.stated_on
    left join {{ ref('int_dates__placed') }} as dates on stated.stated_on = dates.date_on
    where stated.previous_on < stated.stated_on
),

left_records as (
    select
        *,
        stated_amount as amount
    from records
),

right_records as (
    select
        *,
        moved_amount as amount
    from records
),

{{ reconcile_balances(
    'R16', 'bank-balance', 'balance stated for', 'balance from movements',
    checks=[{'code': 'CTRL-TOTAL', 'what': 'balance', 'left': 'l.amount', 'right': 'r.amount'}]
) }}

select * from reconciled
