with sole_entity as ({{ sole_entity() }}
),

journal as (
    select
        coalesce(lines.legal_entity_id, events.legal_entity_id, sole_entity.legal_entity_id, 'unassigned')
            as legal_entity_id,
        events.book,
        lines.currency,
        coalesce(lines.gl_account_id, 'unassigned') as gl_account_id,
        coalesce(posted.ends_on, dates.period_ends_on) as period_ends_on,
        lines.amount
    from {{ ref('stg_journal_lines') }} as lines
    inner join {{ ref('stg_journal_events') }} as events on lines.journal_event_id = events.journal_event_id
    cross join sole_entity
    left join {{ ref('stg_accounting_periods') }} as posted
        on events.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
    left join {{ ref('int_dates__placed') }} as dates on events.posted_on = dates.date_on
),

moved as (
    select
        legal_entity_id,
        book,
        currency,
        gl_account_id,
        period_ends_on,
        sum(case when amount > 0 then amount else 0 end) as debit_amount,
        sum(case when amount < 0 then -amount else 0 end) as credit_amount
    from journal
    group by legal_entity_id, book, currency, gl_account_id, period_ends_on
),

accounts as (
    select
        legal_entity_id,
        book,
        currency,
        gl_account_id,
        min(period_ends_on) as first_on
    from moved
    group by all
),

-- Every period up to the last one that anything was posted in, so that each sums to zero.
periods as (
    select
        dates.period_ends_on,
        min(dates.period) as period,
        min(dates.quarter) as quarter
    from {{ ref('int_dates__placed') }} as dates
    where dates.period_ends_on <= (select max(period_ends_on) from moved)
    group by dates.period_ends_on
    union
    -- Periods of other calendars, and adjustment periods, that journals were posted in.
    select
        moved.period_ends_on,
        min(stated.name),
        min(dates.quarter)
    from moved
    left join {{ ref('stg_accounting_periods') }} as stated
        on moved.period_ends_on = stated.ends_on and stated.kind = 'period'
    left join {{ ref('int_dates__placed') }} as dates on moved.period_ends_on = dates.date_on
    where moved.period_ends_on not in (select period_ends_on from {{ ref('int_dates__placed') }})
    group by moved.period_ends_on
),

spine as (
    select
        accounts.*,
        periods.period,
        periods.period_ends_on,
        periods.quarter
    from accounts
    inner join periods on accounts.first_on <= periods.period_ends_on
),

filled as (
    select
        spine.*,
        coalesce(moved.debit_amount, 0) as debit_amount,
        coalesce(moved.credit_amount, 0) as credit_amount
    from spine
    left join moved
        on
            spine.legal_entity_id = moved.legal_entity_id
            and spine.book = moved.book
            and spine.currency = moved.currency
            and spine.gl_account_id = moved.gl_account_id
            and spine.period_ends_on = moved.period_ends_on
),

rolled as (
    select
        *,
        sum(debit_amount - credit_amount) over (
            partition by legal_entity_id, book, currency, gl_account_id order by period_ends_on
            rows between unbounded preceding and current row
        ) as closing_amount
    from filled
),

balances as (
    select
        rolled.legal_entity_id,
        rolled.book,
        rolled.currency,
        rolled.period,
        rolled.period_ends_on,
        rolled.quarter,
        rolled.gl_account_id,
        accounts.number as account_number,
        accounts.name as account_name,
        accounts.kind as account_kind,
        {{ money('rolled.closing_amount - rolled.debit_amount + rolled.credit_amount') }} as opening_amount,
        {{ money('rolled.debit_amount') }} as debit_amount,
        {{ money('rolled.credit_amount') }} as credit_amount,
        {{ money('rolled.closing_amount') }} as closing_amount
    from rolled
    left join {{ ref('stg_gl_accounts') }} as accounts on rolled.gl_account_id = accounts.gl_account_id
)

select * from balances
