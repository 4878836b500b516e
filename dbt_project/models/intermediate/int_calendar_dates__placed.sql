-- Every date that any record or period needs, in every calendar, lies in exactly one period: the ERP's or the company's
-- own where there is one for the date, else the group's. The calendar without a name is the group's
-- (docs/decisions/0018): there the calendar of whole months stands for all; then the shorter period, the later start
-- and the key decide.
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
    union all
    -- There is always a period after the one of today.
    select cast(last_day({{ as_of() }}) + 1 as date)
),

edges as (
    select
        date_trunc('month', min(day)) as starts_on,
        last_day(max(day)) as ends_on
    from seen
),

-- Whole periods of the company's own calendars at both edges.
bounds as (
    select
        least(edges.starts_on, coalesce(min(declared.starts_on), edges.starts_on)) as starts_on,
        greatest(edges.ends_on, coalesce(max(declared.ends_on), edges.ends_on)) as ends_on
    from edges
    left join {{ source('reference', 'fiscal_periods') }} as declared
        on
            declared.kind = 'period'
            and edges.ends_on >= declared.starts_on
            and edges.starts_on <= declared.ends_on
    group by edges.starts_on, edges.ends_on
),

days as (
    select cast({{ days_between('starts_on', 'ends_on') }} as date) as day from bounds
),

-- Each period in its own calendar, and in the group's. What the company declares counts where the ERP keeps nothing.
in_erp as (
    {%- for calendar in ["coalesce(calendar, '')", "''"] %}
        select
            {{ calendar }} as calendar,
            kind,
            accounting_period_id,
            name,
            starts_on,
            ends_on,
            is_closed
        from {{ ref('stg_accounting_periods') }}
        where not is_adjustment {{ 'and calendar is not null' if not loop.first }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

stated as (
    select * from in_erp
    union all
    select
        calendar,
        kind,
        'declared:' || calendar || '/' || name,
        name,
        starts_on,
        ends_on,
        false
    from {{ source('reference', 'fiscal_periods') }}
    where calendar not in (select calendar from in_erp)
),

calendars as (
    select '' as calendar
    union
    select calendar from {{ ref('stg_legal_entities') }}
    where calendar is not null
    union
    select calendar from stated
),

placed as (
    {%- for kind in ['period', 'quarter', 'year'] %}
        select
            stated.calendar,
            days.day,
            '{{ kind }}' as kind,
            stated.accounting_period_id,
            stated.name,
            stated.starts_on,
            stated.ends_on,
            stated.is_closed,
            row_number() over (
                partition by stated.calendar, days.day
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

one_each as (
    select * from placed
    where choice = 1
),

-- A calendar that keeps no period, quarter or year for the date leaves it to the group's.
chosen as (
    select
        calendars.calendar,
        days.day,
        coalesce(periods.accounting_period_id, group_periods.accounting_period_id) as accounting_period_id,
        coalesce(periods.name, group_periods.name) as period_name,
        coalesce(periods.starts_on, group_periods.starts_on) as period_starts_on,
        coalesce(periods.ends_on, group_periods.ends_on) as period_ends_on,
        coalesce(periods.is_closed, group_periods.is_closed, false) as is_period_closed,
        coalesce(quarters.starts_on, group_quarters.starts_on) as quarter_starts_on,
        coalesce(quarters.ends_on, group_quarters.ends_on) as quarter_ends_on,
        coalesce(years.starts_on, group_years.starts_on) as year_starts_on,
        coalesce(years.ends_on, group_years.ends_on) as year_ends_on
    from calendars
    cross join days
    left join one_each as periods
        on days.day = periods.day and calendars.calendar = periods.calendar and periods.kind = 'period'
    left join one_each as quarters
        on days.day = quarters.day and calendars.calendar = quarters.calendar and quarters.kind = 'quarter'
    left join one_each as years
        on days.day = years.day and calendars.calendar = years.calendar and years.kind = 'year'
    left join one_each as group_periods
        on days.day = group_periods.day and group_periods.calendar = '' and group_periods.kind = 'period'
    left join one_each as group_quarters
        on days.day = group_quarters.day and group_quarters.calendar = '' and group_quarters.kind = 'quarter'
    left join one_each as group_years
        on days.day = group_years.day and group_years.calendar = '' and group_years.kind = 'year'
),

by_date as (
    select
        calendar,
        day as date_on,
        accounting_period_id,
        coalesce(period_name, strftime(day, '%Y-%m')) as period,
        coalesce(period_starts_on, cast(date_trunc('month', day) as date)) as period_starts_on,
        coalesce(period_ends_on, last_day(day)) as period_ends_on,
        is_period_closed,
        case
            when quarter_starts_on is null then {{ calendar_quarter('day') }}
            -- The middle of a quarter names it where the ERP keeps no years.
            when year_starts_on is null
                then
                    {{ calendar_quarter(
                        'quarter_starts_on + cast((quarter_ends_on - quarter_starts_on) // 2 as integer)'
                    ) }}
            else
                -- A year of weeks may end in the first days of the next one.
                strftime(year_ends_on - 6, '%Y') || '-Q'
                || cast((2 * (quarter_starts_on - year_starts_on) + 91) // 182 + 1 as varchar)
        end as quarter
    from chosen
)

select * from by_date
