-- What became of each decision about an exception. The later of two stands; both are kept.
with decisions as (
    select
        decisions.decision_id,
        decisions.kind,
        decisions.subject as exception_id,
        decisions.decided_by,
        decisions.decided_at,
        decisions.as_of_on,
        decisions.reason,
        case when json_valid(decisions.payload) then cast(decisions.payload as json) end as payload
    from {{ ref('stg_decisions') }} as decisions
    where decisions.kind in ('assign', 'fix', 'waive', 'resolve', 'approve', 'reopen')
),

said as (
    select
        decisions.*,
        lower(trim(decisions.decided_by)) as person,
        json_extract_string(decisions.payload, '$.assignee') as assignee,
        try_cast(json_extract_string(decisions.payload, '$.expires_on') as date) as expires_on,
        try_cast(json_extract_string(decisions.payload, '$.amount') as decimal(18, 4)) as amount,
        json_extract_string(decisions.payload, '$.approves') as approves,
        witnessed.is_found,
        witnessed.gone_on,
        coalesce(try_cast(json_extract_string(decisions.payload, '$.spell') as bigint), witnessed.spell)
        = witnessed.spell as is_of_this_spell
    from decisions
    left join {{ ref('int_exceptions__witnessed') }} as witnessed on decisions.exception_id = witnessed.exception_id
),

judged as (
    select
        *,
        case
            when is_found is null then 'there is no such exception'
            when not is_found and is_of_this_spell and as_of_on > gone_on
                then concat('it was closed by the data on ', gone_on)
            when kind = 'waive' and expires_on is null then 'a waiver needs the date on which it ends'
            when kind = 'assign' and assignee is null then 'it names nobody to act'
        end as fault
    from said
),

-- Where a decision holds at all: the exception is in the queue, and it is the stay that was decided about.
alive as (
    select
        *,
        coalesce(fault is null and is_found and is_of_this_spell, false) as is_alive,
        kind in ('fix', 'waive', 'resolve', 'reopen') as is_stance
    from judged
),

held as (
    select
        *,
        case when is_alive and is_stance then decision_id end as held_stance_id,
        case when is_alive and kind = 'assign' then decision_id end as held_assign_id
    from alive
),

ordered as (
    select
        *,
        last_value(held_stance_id ignore nulls) over everything as stance_id,
        last_value(held_stance_id ignore nulls) over until_then as stance_then,
        last_value(held_assign_id ignore nulls) over everything as assign_id
    from held
    window
        everything as (
            partition by exception_id order by decided_at, decision_id
            rows between unbounded preceding and unbounded following
        ),
        until_then as (
            partition by exception_id order by decided_at, decision_id rows between unbounded preceding and 1 preceding
        )
),

approving as (
    select
        ordered.*,
        case when ordered.kind = 'approve' then coalesce(approved.decision_id, ordered.stance_then) end as approved_id,
        coalesce(approved.person, then_.person) as prepared_by,
        coalesce(approved.kind, then_.kind) as approved_kind
    from ordered
    left join alive as approved
        on
            ordered.approves = approved.decision_id
            and ordered.exception_id = approved.exception_id
            and approved.is_stance
    left join alive as then_ on ordered.stance_then = then_.decision_id
),

decided as (
    select
        decision_id,
        kind,
        exception_id,
        decided_by,
        decided_at,
        as_of_on,
        reason,
        assignee,
        expires_on,
        amount,
        approved_id,
        case
            when fault is not null then fault
            when not is_alive
                then concat('the exception left the queue on ', coalesce(cast(gone_on as varchar), 'an earlier date'))
            when kind = 'approve' and (approved_id is null or approved_kind = 'reopen') then 'nothing to approve'
            when kind = 'approve' and person = prepared_by then 'who prepared it cannot approve it'
            when kind = 'approve' and approved_id <> coalesce(stance_id, '') then 'a later decision stands'
            when is_stance and decision_id <> stance_id then 'a later decision stands'
            when kind = 'assign' and decision_id <> assign_id then 'a later decision stands'
        end as why,
        case
            when why is null then 'in force'
            when why = 'a later decision stands' then 'replaced'
            when fault is null and not is_alive then 'ended'
            else 'refused'
        end as verdict
    from approving
)

select * from decided
