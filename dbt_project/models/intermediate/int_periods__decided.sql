-- What became of each decision about a period. A reopening ends a round; in one, somebody prepares and another signs.
with decisions as (
    select
        decision_id,
        kind,
        subject,
        {{ part_of('subject', '/', 1) }} as legal_entity_id,
        try_cast({{ part_of('subject', '/', 2) }} as date) as period_ends_on,
        decided_by,
        lower(trim(decided_by)) as person,
        decided_at,
        as_of_on,
        reason,
        case when json_valid(payload) then cast(payload as json) end as payload
    from {{ ref('stg_decisions') }}
    where kind in ('close_prepare', 'close_signoff', 'close_reopen')
),

said as (
    select
        *,
        json_extract_string(payload, '$.close_id') as close_id,
        coalesce(json_extract_string(payload, '$.lock'), 'all') as lock,
        try_cast(json_extract_string(payload, '$.publication') as bigint) as publication,
        try_cast(json_extract_string(payload, '$.load_seq') as bigint) as known_load_seq,
        json_extract_string(payload, '$.evidence') as evidence,
        count(case when kind = 'close_reopen' then 1 end) over (
            partition by subject order by decided_at, decision_id rows between unbounded preceding and 1 preceding
        ) as round
    from decisions
),

periods as (
    select
        legal_entity_id,
        ends_on
    from {{ ref('int_periods__listed') }}
),

prepared as (
    select
        said.*,
        periods.ends_on is not null as is_period,
        last_value(case when said.kind = 'close_prepare' then said.close_id end ignore nulls) over until_then
            as prepared_close_id,
        last_value(case when said.kind = 'close_prepare' then said.person end ignore nulls) over until_then
            as prepared_by,
        count(*) over until_then as said_before
    from said
    left join periods on said.legal_entity_id = periods.legal_entity_id and said.period_ends_on = periods.ends_on
    window until_then as (
        partition by said.subject, said.round order by said.decided_at, said.decision_id
        rows between unbounded preceding and 1 preceding
    )
),

faults as (
    select
        *,
        case
            when not is_period then 'there is no such period'
            when kind = 'close_prepare' and close_id is null then 'it names no close'
            when kind = 'close_signoff' and prepared_close_id is null then 'nobody prepared it'
            when kind = 'close_signoff' and coalesce(close_id, '') <> prepared_close_id
                then 'another close was prepared since'
            when kind = 'close_signoff' and person = prepared_by then 'who prepared it cannot sign it'
            when kind = 'close_signoff' and lock not in ('ar', 'all') then 'it locks nothing known'
            when kind = 'close_reopen' and said_before = 0 then 'it is open'
        end as fault
    from prepared
),

-- A second signature for the same lock, or another preparation after it, says nothing new.
locked as (
    select
        *,
        count(case when kind = 'close_signoff' and fault is null and lock = 'all' then 1 end) over until_then
            as alls_before,
        count(case when kind = 'close_signoff' and fault is null then 1 end) over until_then as locks_before
    from faults
    window until_then as (
        partition by subject, round order by decided_at, decision_id rows between unbounded preceding and 1 preceding
    )
),

judged as (
    select
        decision_id,
        kind,
        legal_entity_id,
        period_ends_on,
        round,
        decided_by,
        decided_at,
        as_of_on,
        reason,
        close_id,
        lock,
        publication,
        known_load_seq,
        evidence,
        coalesce(
            fault,
            case
                when kind <> 'close_reopen' and alls_before > 0 then 'the period is locked'
                when kind = 'close_signoff' and lock = 'ar' and locks_before > 0 then 'its receivables are locked'
            end
        ) as why
    from locked
)

select
    *,
    case when why is null then 'in force' else 'refused' end as verdict,
    why is null and round < max(case when kind = 'close_reopen' and why is null then round + 1 else 0 end) over (
        partition by legal_entity_id, period_ends_on
    ) as is_undone
from judged
