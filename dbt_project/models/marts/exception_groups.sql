-- A flood of equal causes is one line: a lost file is one thing to mend, however many records it held.
with queue as (
    select * from {{ ref('exceptions') }}
),

grouped as (
    select
        md5(concat_ws('|', code, leg, cause, coalesce(currency, ''))) as exception_group_id,
        code,
        leg,
        cause,
        currency,
        min(owner) as owner,
        -- The worst of them.
        case
            when bool_or(severity = 'blocking') then 'blocking'
            when bool_or(severity = 'material') then 'material'
            when bool_or(severity = 'minor') then 'minor'
            else 'timing'
        end as severity,
        count(*) as exception_count,
        count(case when state = 'waived' then 1 end) as waived_count,
        count(case when is_blocking then 1 end) as blocking_count,
        {{ money('coalesce(sum(amount), 0)') }} as amount,
        {{ money('coalesce(sum(abs(amount)), 0)') }} as gross_amount,
        min(first_seen_on) as first_seen_on,
        min(due_at) as due_at,
        min(exception_id) as example_id,
        min_by(sentence, exception_id) as example
    from queue
    group by code, leg, cause, currency
)

select * from grouped
