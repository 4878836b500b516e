-- Which close stored the figures of a period and measure, and which close of the period came after it.
with locks as (
    select
        close_id,
        legal_entity_id,
        period_ends_on,
        case lock when 'ar' then ['ar'] else ['ar', 'deferred', 'ledger'] end as measures,
        decided_by,
        decided_at,
        decision_id,
        publication,
        known_load_seq,
        is_undone
    from {{ ref('int_periods__decided') }}
    where kind = 'close_signoff' and verdict = 'in force' and period_ends_on <= {{ as_of() }}
),

by_measure as (
    select
        * exclude (measures),
        unnest(measures) as measure
    from locks
),

-- Receivables may have been locked before the rest: those figures stand.
first_lock as (
    select *
    from by_measure
    qualify row_number() over (
        partition by close_id, legal_entity_id, period_ends_on, measure order by decided_at, decision_id
    ) = 1
),

signed as (
    select
        close_id,
        legal_entity_id,
        period_ends_on,
        measure,
        decided_by as signed_by,
        decided_at as signed_at,
        publication,
        known_load_seq,
        not is_undone as is_in_force,
        lead(close_id) over (
            partition by legal_entity_id, period_ends_on, measure order by decided_at, decision_id
        ) as next_close_id
    from first_lock
)

select * from signed
