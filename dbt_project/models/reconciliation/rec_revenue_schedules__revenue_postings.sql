-- R12, recognition: what schedules recognise against postings to revenue accounts, per entity and period, in functional
-- currency. What a document posts to revenue itself is held to its own schedule first, and stands by itself where the
-- two disagree; all that is left must be released by journals. Of the journals that release deferred revenue, those
-- that the schedules explain are the run of the period (docs/decisions/0021); any other has no schedule behind it.
with postings as (
    select * from {{ ref('int_revenue_postings__summed') }}
),

deferring as (
    select
        legal_entity_id,
        min(currency) as currency
    from postings
    group by legal_entity_id
),

known as (
    select max(posted_on) as known_until_on from {{ ref('stg_journal_events') }}
    where posted_on <= {{ as_of() }}
),

scheduled as (
    select
        revenue_schedule.*,
        {{ minor_unit('currencies.minor_units') }} as minor_unit
    from {{ ref('revenue_schedule') }} as revenue_schedule
    inner join deferring on revenue_schedule.legal_entity_id = deferring.legal_entity_id
    left join {{ source('reference', 'currencies') }} as currencies
        on revenue_schedule.functional_currency = currencies.code
    where
        revenue_schedule.is_recognised
        and revenue_schedule.functional_amount is not null
        and {{ role_of('revenue_schedule.invoice_id') }} = 'erp'
),

billed as (
    select
        invoice_id,
        customer_id,
        coalesce(document_number, invoice_id) as document_number
    from {{ ref('int_documents__posted') }}
    where kind <> 'write_off' and {{ role_of('invoice_id') }} = 'erp'
),

-- What documents post to revenue themselves. What settles or writes off a receivable has no schedule.
direct as (
    select
        postings.document_id,
        postings.legal_entity_id,
        postings.period_ends_on,
        min(postings.period) as period,
        max(postings.posted_on) as posted_on,
        sum(postings.revenue_amount) as amount
    from postings
    inner join billed on postings.document_id = billed.invoice_id
    group by postings.document_id, postings.legal_entity_id, postings.period_ends_on
    having sum(postings.revenue_amount) <> 0
),

deferred_documents as (
    select distinct document_id
    from postings
    where document_id is not null and deferred_amount <> 0
),

own_schedules as (
    select
        scheduled.invoice_id as document_id,
        scheduled.legal_entity_id,
        scheduled.period_ends_on,
        sum(scheduled.functional_amount) as amount,
        sum(case when scheduled.method = 'at_issue' then scheduled.functional_amount else 0 end) as at_issue_amount,
        (count(*) + 1) * max(scheduled.minor_unit) as tolerance_amount
    from scheduled
    where scheduled.invoice_id in (select document_id from direct)
    group by scheduled.invoice_id, scheduled.legal_entity_id, scheduled.period_ends_on
),

-- In order is a document that posts what it earns at issue, or no more than its schedule says by then.
judged as (
    select
        direct.*,
        deferred_documents.document_id is null as is_wholly_direct,
        case
            when abs(own_schedules.at_issue_amount - direct.amount) <= own_schedules.tolerance_amount
                then own_schedules.at_issue_amount
            when
                direct.amount
                between least(own_schedules.amount, 0) - own_schedules.tolerance_amount
                and greatest(own_schedules.amount, 0) + own_schedules.tolerance_amount
                then direct.amount
        end as accepted_amount
    from direct
    left join own_schedules
        on
            direct.document_id = own_schedules.document_id
            and direct.legal_entity_id = own_schedules.legal_entity_id
            and direct.period_ends_on = own_schedules.period_ends_on
    left join deferred_documents on direct.document_id = deferred_documents.document_id
),

odd_documents as (
    select
        document_id,
        legal_entity_id,
        bool_and(is_wholly_direct) as is_wholly_direct
    from judged
    group by document_id, legal_entity_id
    having count(*) > count(accepted_amount)
),

-- An odd document that defers nothing stands here with all of its schedule so far: no journal will release any of it.
odd_schedules as (
    select own_schedules.*
    from own_schedules
    inner join odd_documents
        on
            own_schedules.document_id = odd_documents.document_id
            and own_schedules.legal_entity_id = odd_documents.legal_entity_id
    left join judged
        on
            own_schedules.document_id = judged.document_id
            and own_schedules.legal_entity_id = judged.legal_entity_id
            and own_schedules.period_ends_on = judged.period_ends_on
    where odd_documents.is_wholly_direct or (judged.document_id is not null and judged.accepted_amount is null)
),

odd_postings as (
    select judged.*
    from judged
    inner join odd_documents
        on judged.document_id = odd_documents.document_id and judged.legal_entity_id = odd_documents.legal_entity_id
    where odd_documents.is_wholly_direct or judged.accepted_amount is null
),

accepted as (
    select
        judged.legal_entity_id,
        judged.period_ends_on,
        min(judged.period) as period,
        max(judged.posted_on) as posted_on,
        sum(judged.amount) as amount,
        sum(judged.accepted_amount) as accepted_amount
    from judged
    left join odd_documents
        on
            judged.document_id = odd_documents.document_id
            and judged.legal_entity_id = odd_documents.legal_entity_id
            and odd_documents.is_wholly_direct
    where judged.accepted_amount is not null and odd_documents.document_id is null
    group by judged.legal_entity_id, judged.period_ends_on
),

-- Per entity and period: all that is recognised, less what documents account for, is what journals must release.
totals as (
    select
        legal_entity_id,
        period_ends_on,
        min(period) as period,
        sum(functional_amount) as amount,
        (count(*) + 1) * max(minor_unit) as tolerance_amount
    from scheduled
    group by legal_entity_id, period_ends_on
),

odd_totals as (
    select
        legal_entity_id,
        period_ends_on,
        sum(amount) as amount
    from odd_schedules
    group by legal_entity_id, period_ends_on
),

ordered as (
    select
        totals.*,
        coalesce(
            lag(totals.period_ends_on) over (
                partition by totals.legal_entity_id order by totals.period_ends_on
            ) < known.known_until_on,
            true
        ) as is_begun,
        totals.period_ends_on <= known.known_until_on as is_over,
        least(totals.period_ends_on, known.known_until_on) as happened_on,
        deferring.currency
    from totals
    cross join known
    inner join deferring on totals.legal_entity_id = deferring.legal_entity_id
),

-- Periods that the ledger has not reached yet are not compared.
releases as (
    select
        ordered.legal_entity_id || '|' || ordered.period as record_key,
        ordered.legal_entity_id,
        ordered.period_ends_on,
        ordered.period,
        ordered.currency,
        ordered.happened_on,
        ordered.is_over,
        ordered.tolerance_amount,
        ordered.amount - coalesce(odd_totals.amount, 0) - coalesce(accepted.accepted_amount, 0) as amount
    from ordered
    left join odd_totals
        on
            ordered.legal_entity_id = odd_totals.legal_entity_id
            and ordered.period_ends_on = odd_totals.period_ends_on
    left join accepted
        on ordered.legal_entity_id = accepted.legal_entity_id and ordered.period_ends_on = accepted.period_ends_on
    where ordered.is_begun
),

-- Journals of one text, its period and numbers aside, are a series. A run is made in every period; a correction is not.
journals as (
    select
        *,
        deferred_amount <> 0 as is_release,
        trim(regexp_replace(
            replace(lower(coalesce(memo, document_number, '')), lower(period), ''),
            '\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|[0-9]+', '', 'g'
        )) as series
    from postings
    where document_id is null and revenue_amount <> 0
),

run_periods as (
    select
        legal_entity_id,
        count(distinct period_ends_on) as periods
    from journals
    where is_release
    group by legal_entity_id
),

regular_series as (
    select
        journals.legal_entity_id,
        journals.series
    from journals
    inner join run_periods on journals.legal_entity_id = run_periods.legal_entity_id
    where journals.is_release
    group by journals.legal_entity_id, journals.series
    having count(distinct journals.period_ends_on) * 2 >= min(run_periods.periods)
),

candidates as (
    select
        journals.*,
        coalesce(releases.amount, 0) as expected_amount,
        coalesce(releases.tolerance_amount, 0) as tolerance_amount,
        releases.record_key is not null as is_scheduled,
        regular_series.series is not null as is_regular,
        sum(journals.revenue_amount) over one_period as total_amount,
        bool_or(regular_series.series is not null) over one_period as has_regular,
        row_number() over (
            partition by journals.legal_entity_id, journals.period_ends_on
            order by abs(journals.revenue_amount - coalesce(releases.amount, 0)), journals.journal_event_id
        ) as nearness,
        min(abs(journals.revenue_amount - coalesce(releases.amount, 0))) over one_period as nearest_amount
    from journals
    left join releases
        on
            journals.legal_entity_id = releases.legal_entity_id and journals.period_ends_on = releases.period_ends_on
    left join regular_series
        on journals.legal_entity_id = regular_series.legal_entity_id and journals.series = regular_series.series
    where journals.is_release
    window one_period as (partition by journals.legal_entity_id, journals.period_ends_on)
),

chosen as (
    select
        *,
        case
            when not is_scheduled then false
            when abs(total_amount - expected_amount) <= tolerance_amount then true
            when nearest_amount <= tolerance_amount then nearness = 1
            when has_regular then is_regular
            else true
        end as is_run
    from candidates
),

-- Journals by hand on the receivable are R11's finding: here they are only a consequence.
reported as (
    select distinct {{ part_of('right_id', '|', 1) }} as journal_event_id
    from {{ ref('rec_receivables__ledger') }}
    where line_kind = 'finding' and code = 'JE-MANUAL-CONTROL'
),

unplanned as (
    select
        left_over.journal_event_id
        || case
            when count(*) over (partition by left_over.journal_event_id) > 1 then '|' || left_over.legal_entity_id
            else ''
        end as record_id,
        left_over.document_number,
        left_over.legal_entity_id,
        left_over.currency,
        left_over.posted_on,
        left_over.period,
        left_over.revenue_amount,
        reported.journal_event_id is not null as is_reported
    from (
        select
            journal_event_id,
            document_number,
            legal_entity_id,
            currency,
            posted_on,
            period,
            revenue_amount
        from journals
        where not is_release
        union all
        select
            journal_event_id,
            document_number,
            legal_entity_id,
            currency,
            posted_on,
            period,
            revenue_amount
        from chosen
        where not is_run
    ) as left_over
    left join reported on left_over.journal_event_id = reported.journal_event_id
),

left_records as (
    select
        record_key as record_id,
        period || ' of ' || legal_entity_id as label,
        [record_key] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        currency,
        happened_on,
        period,
        {{ money('amount') }} as amount,
        is_over,
        false as is_reported,
        {{ money('tolerance_amount') }} as tolerance_amount,
        abs(amount) > tolerance_amount as is_expected
    from releases
    union all
    select
        accepted.legal_entity_id || '|' || accepted.period || '|documents',
        'documents in ' || accepted.period || ' of ' || accepted.legal_entity_id,
        [accepted.legal_entity_id || '|' || accepted.period || '|documents'],
        [cast(null as varchar)],
        null,
        accepted.legal_entity_id,
        deferring.currency,
        accepted.posted_on,
        accepted.period,
        {{ money('accepted.accepted_amount') }},
        true,
        false,
        {{ money('abs(accepted.accepted_amount - accepted.amount)') }},
        true
    from accepted
    inner join deferring on accepted.legal_entity_id = deferring.legal_entity_id
    union all
    select
        odd_documents.document_id || '|' || odd_documents.legal_entity_id,
        min(billed.document_number),
        [odd_documents.document_id || '|' || odd_documents.legal_entity_id],
        [cast(null as varchar)],
        min(billed.customer_id),
        odd_documents.legal_entity_id,
        min(deferring.currency),
        min(postings.posted_on),
        arg_min(postings.period, postings.posted_on),
        {{ money('coalesce(min(own.amount), 0)') }},
        true,
        false,
        {{ money('coalesce(min(own.tolerance_amount), 0)') }},
        false
    from odd_documents
    inner join deferring on odd_documents.legal_entity_id = deferring.legal_entity_id
    inner join billed on odd_documents.document_id = billed.invoice_id
    inner join odd_postings as postings
        on
            odd_documents.document_id = postings.document_id
            and odd_documents.legal_entity_id = postings.legal_entity_id
    left join (
        select
            document_id,
            legal_entity_id,
            sum(amount) as amount,
            sum(tolerance_amount) as tolerance_amount
        from odd_schedules
        group by document_id, legal_entity_id
    ) as own
        on odd_documents.document_id = own.document_id and odd_documents.legal_entity_id = own.legal_entity_id
    group by odd_documents.document_id, odd_documents.legal_entity_id
    union all
    select
        'none for ' || record_id,
        document_number,
        [record_id],
        [cast(null as varchar)],
        null,
        legal_entity_id,
        currency,
        posted_on,
        period,
        {{ money(0) }},
        true,
        true,
        {{ money(0) }},
        false
    from unplanned
    where is_reported
),

right_records as (
    select
        case when count(*) = 1 then min(journal_event_id) else legal_entity_id || '|' || min(period) || '|run' end
            as record_id,
        case when count(*) = 1 then min(document_number) else count(*) || ' journals in ' || min(period) end as label,
        [legal_entity_id || '|' || min(period)] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        legal_entity_id,
        min(currency) as currency,
        max(posted_on) as happened_on,
        min(period) as period,
        {{ money('sum(revenue_amount)') }} as amount,
        true as is_expected
    from chosen
    where is_run
    group by legal_entity_id, period_ends_on
    union all
    select
        record_id,
        document_number,
        [record_id],
        [cast(null as varchar)],
        null,
        legal_entity_id,
        currency,
        posted_on,
        period,
        revenue_amount,
        true
    from unplanned
    union all
    select
        accepted.legal_entity_id || '|' || accepted.period || '|documents',
        'documents in ' || accepted.period || ' of ' || accepted.legal_entity_id,
        [accepted.legal_entity_id || '|' || accepted.period || '|documents'],
        [cast(null as varchar)],
        null,
        accepted.legal_entity_id,
        deferring.currency,
        accepted.posted_on,
        accepted.period,
        {{ money('accepted.amount') }},
        true
    from accepted
    inner join deferring on accepted.legal_entity_id = deferring.legal_entity_id
    union all
    select
        odd_postings.document_id || '|' || odd_postings.legal_entity_id || '|posted',
        min(billed.document_number),
        [odd_postings.document_id || '|' || odd_postings.legal_entity_id],
        [cast(null as varchar)],
        min(billed.customer_id),
        odd_postings.legal_entity_id,
        min(deferring.currency),
        min(odd_postings.posted_on),
        arg_min(odd_postings.period, odd_postings.posted_on),
        {{ money('sum(odd_postings.amount)') }},
        true
    from odd_postings
    inner join deferring on odd_postings.legal_entity_id = deferring.legal_entity_id
    inner join billed on odd_postings.document_id = billed.invoice_id
    group by odd_postings.document_id, odd_postings.legal_entity_id
),

{% set beyond = 'abs(l.amount - r.amount) > l.tolerance_amount' -%}
{{ reconcile(
    'R12', 'schedule-ledger', 'revenue schedule', 'revenue posting',
    passes=[{'rule': 'same key', 'by': 'ids', 'first': true}],
    checks=[
        {'code': 'REV-SCHEDULE', 'what': 'recognised', 'left': 'l.amount', 'right': 'r.amount', 'rounding': true,
            'when': 'not (' ~ beyond ~ ')'},
        {'code': 'REV-UNPLANNED', 'what': 'recognised', 'left': 'l.amount', 'right': 'r.amount', 'consequence': true,
            'when': beyond ~ ' and l.is_reported'},
        {'code': 'REV-SCHEDULE', 'what': 'recognised so far', 'left': 'l.amount', 'right': 'r.amount',
            'severity': 'timing', 'when': beyond ~ ' and not l.is_reported and not l.is_over'},
        {'code': 'REV-SCHEDULE', 'what': 'recognised', 'left': 'l.amount', 'right': 'r.amount',
            'when': beyond ~ ' and not l.is_reported and l.is_over'},
    ],
    left_only='REV-SCHEDULE', right_only='REV-UNPLANNED', currency_code='REV-SCHEDULE',
    neither='no entity defers revenue'
) }}

select * from reconciled
