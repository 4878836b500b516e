-- R16, bank balances: each balance that the bank states against the one before it plus the movements between. Where the
-- statements' own numbers and running balances prove that lines are missing between two, the finding is SEQ.
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

ordered as (
    select
        *,
        min(booked_on) over (partition by bank_account, currency, statement_ref) as statement_on,
        lag(line_number) over (
            partition by bank_account, currency, statement_ref order by line_number
        ) as previous_number
    from {{ ref('stg_bank_transactions') }}
    where line_number is not null and statement_ref is not null
),

-- What a line starts from less what the line before it ended with. Between two neighbours it is an error in one of
-- them; where numbers are left out, or a statement ended in between, it is what the missing lines are worth.
chained as (
    select
        bank_account,
        currency,
        booked_on,
        coalesce(line_number > previous_number + 1, false) as is_after_gap,
        coalesce(line_number <> previous_number + 1, true) as is_after_break,
        balance_amount - amount - lag(balance_amount) over (
            partition by bank_account, currency order by statement_on, statement_ref, line_number
        ) as jump_amount
    from ordered
),

missing as (
    select
        stated.scope,
        stated.currency,
        stated.stated_on,
        count(chained.jump_amount) > 0 as has_chain,
        coalesce(bool_or(chained.is_after_gap), false) as has_gap,
        coalesce(sum(case when chained.is_after_break then chained.jump_amount end), 0) as amount
    from stated
    left join chained
        on
            stated.scope = chained.bank_account
            and coalesce(stated.currency, chained.currency) = chained.currency
            and stated.previous_on < chained.booked_on
            and stated.stated_on >= chained.booked_on
    group by stated.scope, stated.currency, stated.stated_on
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
        case when missing.has_chain then missing.amount <> 0 else missing.has_gap end as is_missing_lines,
        missing.amount as missing_amount,
        missing.has_chain,
        true as is_expected
    from stated
    inner join movements
        on
            stated.scope = movements.scope
            and stated.currency is not distinct from movements.currency
            and stated.stated_on = movements.stated_on
    inner join missing
        on
            stated.scope = missing.scope
            and stated.currency is not distinct from missing.currency
            and stated.stated_on = missing.stated_on
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

{% set missing = 'l.is_missing_lines and (not l.has_chain or l.missing_amount = l.amount - r.amount)' -%}
{{ reconcile_balances(
    'R16', 'bank-balance', 'balance stated for', 'balance from movements',
    checks=[
        {'code': 'SEQ', 'what': 'balance, as lines of the statements are missing:', 'left': 'l.amount',
            'right': 'r.amount', 'when': missing},
        {'code': 'CTRL-TOTAL', 'what': 'balance', 'left': 'l.amount', 'right': 'r.amount', 'when': 'not (' ~ missing ~ ')'},
    ]
) }}

select * from reconciled
