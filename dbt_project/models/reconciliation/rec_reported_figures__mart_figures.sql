-- R19: figures that a system's own report states (sources/controls) against the marts. Few figures are stated: each
-- mart is summed by day first, and the aging is taken at the days that reports are of. A figure of which a mart has no
-- row is zero there.
with names as (
    select
        legal_entity_id,
        unnest([lower(legal_entity_id), lower({{ id_of('legal_entity_id') }}), lower(name)]) as word
    from {{ ref('stg_legal_entities') }}
),

entities as (
    select
        word,
        min(legal_entity_id) as legal_entity_id
    from names
    group by word
    having count(distinct legal_entity_id) = 1
),

reports as (
    select
        {{ part_of('subject', '.', 1) }} as report,
        subject
    from (
        select
            unnest([
                'ar_aging.current', 'ar_aging.1-30', 'ar_aging.31-60', 'ar_aging.61-90', 'ar_aging.91-120',
                'ar_aging.>120', 'ar_aging.unapplied', 'ar_aging.credit', 'ar_aging.total',
                'trial_balance.opening', 'trial_balance.debit', 'trial_balance.credit', 'trial_balance.closing',
                'billings.gross', 'billings.discount', 'billings.net', 'billings.tax', 'billings.total',
                'collections.amount', 'collections.applied', 'collections.unapplied', 'collections.fees',
                'balance_summary.starting_balance', 'balance_summary.activity', 'balance_summary.fees',
                'balance_summary.payouts', 'balance_summary.ending_balance'
            ]) as subject
    ) as known
),

stated as (
    select
        totals.control_total_id,
        totals.subject,
        reports.report,
        totals.scope,
        totals.entity,
        entities.legal_entity_id,
        totals.currency,
        totals.starts_on,
        totals.stated_on,
        totals.stated_amount,
        -- The days whose figures count: one for a balance of a report, a span for movements.
        case
            when reports.report in ('ar_aging', 'trial_balance') then totals.stated_on
            when totals.subject like '%_balance' then date '1900-01-01'
            else coalesce(totals.starts_on, date '1900-01-01')
        end as counts_from_on,
        case
            when totals.subject = 'balance_summary.starting_balance' then totals.starts_on - 1
            else totals.stated_on
        end as counts_until_on,
        reports.report is not null and (totals.entity is null or entities.legal_entity_id is not null) as is_known
    from {{ ref('stg_control_totals') }} as totals
    left join reports on totals.subject = reports.subject
    left join entities on lower(totals.entity) = entities.word
    where {{ role_of('totals.control_total_id') }} = 'control' and totals.stated_on is not null
),

asked as (
    select * from stated
    where is_known and stated_on <= {{ as_of() }}
),

aged_days as (
    select distinct stated_on as as_of_on
    from asked
    where report = 'ar_aging'
),

aged as (
    select
        aged_days.as_of_on,
        i.legal_entity_id,
        i.currency,
        {{ aging_columns('aged_days.as_of_on') }}
    from aged_days
    inner join {{ ref('ar_open_items') }} as i on aged_days.as_of_on between i.holds_from_on and i.holds_until_on
    group by aged_days.as_of_on, i.legal_entity_id, i.currency, i.functional_currency
),

first_book as (
    select min(book) as book from {{ ref('trial_balance') }}
),

balanced as (
    select trial_balance.*
    from {{ ref('trial_balance') }} as trial_balance
    inner join first_book on trial_balance.book = first_book.book
    inner join (
        select distinct stated_on
        from asked
        where report = 'trial_balance'
    ) as days on trial_balance.period_ends_on = days.stated_on
),

figures as (
    select
        legal_entity_id,
        currency,
        '' as item,
        as_of_on as happened_on,
        unnest([
            'ar_aging.current', 'ar_aging.1-30', 'ar_aging.31-60', 'ar_aging.61-90', 'ar_aging.91-120', 'ar_aging.>120',
            'ar_aging.unapplied', 'ar_aging.credit', 'ar_aging.total'
        ]) as subject,
        unnest([
            current_amount, days_1_30_amount, days_31_60_amount, days_61_90_amount, days_91_120_amount,
            days_over_120_amount, unapplied_amount, credit_amount, total_amount
        ]) as amount
    from aged
    union all
    select
        legal_entity_id,
        currency,
        account_number,
        period_ends_on,
        unnest(['trial_balance.opening', 'trial_balance.debit', 'trial_balance.credit', 'trial_balance.closing']),
        unnest([opening_amount, debit_amount, credit_amount, closing_amount])
    from balanced
    union all
    select
        legal_entity_id,
        currency,
        '',
        billed_on,
        unnest(['billings.gross', 'billings.discount', 'billings.net', 'billings.tax', 'billings.total']),
        unnest([sum(gross_amount), sum(discount_amount), sum(net_amount), sum(tax_amount), sum(total_amount)])
    from {{ ref('billings') }}
    group by legal_entity_id, currency, billed_on
    union all
    select
        legal_entity_id,
        currency,
        '',
        collected_on,
        unnest(['collections.amount', 'collections.applied', 'collections.unapplied', 'collections.fees']),
        unnest([sum(amount), sum(applied_amount), sum(unapplied_amount), sum(fee_amount)])
    from {{ ref('collections') }}
    group by legal_entity_id, currency, collected_on
    union all
    select
        null,
        currency,
        '',
        created_on,
        unnest([
            'balance_summary.starting_balance', 'balance_summary.ending_balance', 'balance_summary.payouts',
            'balance_summary.activity', 'balance_summary.fees'
        ]),
        unnest([
            sum(net_amount), sum(net_amount), sum(case when kind = 'payout' then net_amount else 0 end),
            sum(case when kind = 'payout' then 0 else gross_amount end), sum(fee_amount)
        ])
    from {{ ref('stg_processor_transactions') }}
    group by currency, created_on
),

kept as (
    select
        asked.control_total_id,
        sum(figures.amount) as amount
    from asked
    inner join figures
        on
            asked.subject = figures.subject
            and asked.currency = figures.currency
            and case when asked.report = 'trial_balance' then asked.scope else '' end = figures.item
    where
        figures.happened_on between asked.counts_from_on and asked.counts_until_on
        and (
            asked.legal_entity_id is null
            or figures.legal_entity_id is null
            or asked.legal_entity_id = figures.legal_entity_id
        )
    group by asked.control_total_id
),

-- What a trial balance has no period for cannot be zero: nobody knows it.
period_ends as (
    select distinct period_ends_on from balanced
),

left_records as (
    select
        stated.control_total_id as record_id,
        concat_ws(
            ' ', stated.subject, 'of', coalesce(stated.entity, 'all entities'),
            case when stated.report = 'trial_balance' then stated.scope end,
            case when stated.starts_on is not null then 'from ' || stated.starts_on || ' to' else 'on' end,
            stated.stated_on
        ) as label,
        [stated.control_total_id] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        coalesce(stated.legal_entity_id, 'all') as legal_entity_id,
        stated.currency,
        cast(null as date) as happened_on,
        dates.period,
        stated.stated_amount as amount,
        stated.is_known
        and (stated.report <> 'trial_balance' or period_ends.period_ends_on is not null) as is_known,
        stated.stated_on <= {{ as_of() }} as is_expected
    from stated
    left join period_ends on stated.stated_on = period_ends.period_ends_on
    left join {{ ref('int_dates__placed') }} as dates on stated.stated_on = dates.date_on
),

right_records as (
    select
        left_records.* replace ({{ money('coalesce(kept.amount, 0)') }} as amount)
    from left_records
    left join kept on left_records.record_id = kept.control_total_id
    where left_records.is_known and left_records.is_expected
),

{{ reconcile_balances(
    'R19', 'report-mart', 'reported figure', 'mart',
    checks=[{'code': 'CTRL-TOTAL', 'what': 'amount', 'left': 'l.amount', 'right': 'r.amount'}],
    left_only='CTRL-TOTAL', right_must_exist=false
) }}

select * from reconciled
