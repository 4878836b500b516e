with sole_entity as ({{ sole_entity() }}
),

journal as (
    {{ journal_entries() }}
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

-- Every period of the entity's calendar up to the last one that anything was posted in, so that each sums to zero.
books as (
    select distinct
        accounts.legal_entity_id,
        coalesce(entities.calendar, '') as calendar
    from accounts
    left join {{ ref('stg_legal_entities') }} as entities on accounts.legal_entity_id = entities.legal_entity_id
),

periods as (
    select
        books.legal_entity_id,
        dates.period_ends_on,
        min(dates.period) as period,
        min(dates.quarter) as quarter
    from books
    inner join {{ ref('int_calendar_dates__placed') }} as dates on books.calendar = dates.calendar
    where dates.period_ends_on <= (select max(period_ends_on) from moved)
    group by books.legal_entity_id, dates.period_ends_on
),

-- Periods of other calendars, and adjustment periods, that journals were posted in.
further_periods as (
    select
        moved.legal_entity_id,
        moved.period_ends_on,
        min(stated.name) as period,
        min(dates.quarter) as quarter
    from moved
    left join {{ ref('stg_accounting_periods') }} as stated
        on moved.period_ends_on = stated.ends_on and stated.kind = 'period'
    left join {{ ref('int_dates__placed') }} as dates on moved.period_ends_on = dates.date_on
    left join periods
        on moved.legal_entity_id = periods.legal_entity_id and moved.period_ends_on = periods.period_ends_on
    where periods.period_ends_on is null
    group by moved.legal_entity_id, moved.period_ends_on
),

all_periods as (
    select * from periods
    union all
    select * from further_periods
),

spine as (
    select
        accounts.*,
        all_periods.period,
        all_periods.period_ends_on,
        all_periods.quarter
    from accounts
    inner join all_periods
        on accounts.legal_entity_id = all_periods.legal_entity_id and accounts.first_on <= all_periods.period_ends_on
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
