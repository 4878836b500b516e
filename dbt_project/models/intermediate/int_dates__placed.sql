-- Every date that any record or period needs lies in exactly one period: the ERP's where it keeps one for the date,
-- else the calendar month. Where the ERP keeps several calendars, the one of whole months stands for all here
-- (documents keep the period they were posted in); then the shorter period, the later start and the key decide.
with seen as (
    select closes_on as day from {{ ref('stg_opportunities') }}
    union all
    select signed_on from {{ ref('stg_opportunities') }}
    union all
    select issued_on from {{ ref('stg_invoices') }}
    union all
    select voided_on from {{ ref('stg_invoices') }}
    union all
    select paid_on from {{ ref('stg_payments') }}
    union all
    select applied_on from {{ ref('stg_applications') }}
    union all
    select created_on from {{ ref('stg_processor_transactions') }}
    union all
    select created_on from {{ ref('stg_payouts') }}
    union all
    select arrives_on from {{ ref('stg_payouts') }}
    union all
    select booked_on from {{ ref('stg_bank_transactions') }}
    union all
    select posted_on from {{ ref('stg_journal_events') }}
    union all
    select stated_on from {{ ref('stg_control_totals') }}
    union all
    select starts_on from {{ ref('stg_accounting_periods') }}
    union all
    select ends_on from {{ ref('stg_accounting_periods') }}
    union all
    select {{ as_of() }}
),

bounds as (
    select
        date_trunc('month', min(day)) as starts_on,
        last_day(max(day)) as ends_on
    from seen
),

days as (
    select cast({{ days_between('starts_on', 'ends_on') }} as date) as day from bounds
),

stated as (
    select *
    from {{ ref('stg_accounting_periods') }}
    where not is_adjustment
),

placed as (
    {%- for kind in ['period', 'quarter', 'year'] %}
        select
            days.day,
            '{{ kind }}' as kind,
            stated.accounting_period_id,
            stated.name,
            stated.starts_on,
            stated.ends_on,
            stated.is_closed,
            row_number() over (
                partition by days.day
                order by
                    case
                        when
                            extract(day from stated.starts_on) = 1 and stated.ends_on = last_day(stated.ends_on)
                            then 0
                        else 1
                    end,
                    stated.ends_on - stated.starts_on, stated.starts_on desc, stated.accounting_period_id
            ) as choice
        from days
        inner join stated on days.day between stated.starts_on and stated.ends_on and stated.kind = '{{ kind }}'
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

by_date as (
    select
        days.day as date_on,
        periods.accounting_period_id,
        coalesce(periods.name, strftime(days.day, '%Y-%m')) as period,
        coalesce(periods.starts_on, cast(date_trunc('month', days.day) as date)) as period_starts_on,
        coalesce(periods.ends_on, last_day(days.day)) as period_ends_on,
        coalesce(periods.is_closed, false) as is_period_closed,
        case
            when quarters.day is null then {{ calendar_quarter('days.day') }}
            -- The middle of a quarter names it where the ERP keeps no years.
            when years.day is null
                then
                    {{ calendar_quarter(
                        'quarters.starts_on + cast((quarters.ends_on - quarters.starts_on) // 2 as integer)'
                    ) }}
            else
                strftime(years.ends_on, '%Y') || '-Q'
                || cast((2 * (quarters.starts_on - years.starts_on) + 91) // 182 + 1 as varchar)
        end as quarter
    from days
    left join placed as periods on days.day = periods.day and periods.kind = 'period' and periods.choice = 1
    left join placed as quarters on days.day = quarters.day and quarters.kind = 'quarter' and quarters.choice = 1
    left join placed as years on days.day = years.day and years.kind = 'year' and years.choice = 1
)

select * from by_date
