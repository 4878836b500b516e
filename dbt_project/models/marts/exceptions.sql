with found as (
    select * from {{ ref('int_exceptions__found') }}
),

witnessed as (
    select *
    from {{ ref('int_exceptions__witnessed') }}
    where is_found
),

decided as (
    select *
    from {{ ref('int_exceptions__decided') }}
    where verdict = 'in force'
),

approvals as (
    select
        approved_id,
        min_by(decided_by, decided_at) as approved_by
    from decided
    where kind = 'approve'
    group by approved_id
),

days as (
    select * from {{ ref('int_business_days__numbered') }}
),

business_days as (
    select
        business_day_number,
        date_on
    from days
    where is_business_day
),

policy as (
    select
        policy.hours_per_day,
        policy.opens_at,
        days.business_day_number as today_number
    from {{ source('reference', 'policy') }} as policy
    left join days on days.date_on = {{ as_of() }}
),

-- The clock starts at the first opening on or after the day the exception entered the queue.
timed as (
    select
        found.*,
        witnessed.spell,
        witnessed.first_seen_on,
        witnessed.open_since_on,
        greatest(policy.today_number - days.business_day_number, 0) * policy.hours_per_day as hours_open,
        days.business_day_number + (found.sla_hours - 1) // policy.hours_per_day as due_day_number,
        policy.opens_at
        + to_hours(found.sla_hours - (found.sla_hours - 1) // policy.hours_per_day * policy.hours_per_day) as due_time
    from found
    inner join witnessed on found.exception_id = witnessed.exception_id
    left join days on witnessed.open_since_on = days.date_on
    cross join policy
),

held as (
    select
        timed.*,
        assigned.assignee as assigned_to,
        stance.kind as stance,
        case when stance.kind <> 'reopen' then stance.decided_by end as prepared_by,
        approvals.approved_by,
        stance.expires_on as waived_until_on,
        case
            when coalesce(stance.kind, '') <> 'waive' then null
            when stance.expires_on < {{ as_of() }} then 'expired'
            when not coalesce(stance.amount = timed.amount, stance.amount is null and timed.amount is null)
                then 'amount changed'
            when timed.needs_second_person and approvals.approved_by is null then 'waits for approval'
            else 'in force'
        end as waiver
    from timed
    left join decided as assigned on timed.exception_id = assigned.exception_id and assigned.kind = 'assign'
    left join decided as stance
        on timed.exception_id = stance.exception_id and stance.kind in ('fix', 'waive', 'resolve', 'reopen')
    left join approvals on stance.decision_id = approvals.approved_id
),

stated as (
    select
        *,
        case
            when waiver = 'in force' then 'waived'
            when stance in ('fix', 'resolve') and approved_by is not null then 'approved'
            when stance in ('fix', 'resolve') then 'resolved'
            when assigned_to is not null then 'assigned'
            else 'open'
        end as state
    from held
),

queue as (
    select
        stated.exception_id,
        stated.origin,
        stated.leg,
        stated.code,
        stated.cause,
        stated.severity,
        stated.severity = 'blocking' and stated.state <> 'waived' as is_blocking,
        stated.owner,
        stated.sla_hours,
        stated.left_key,
        stated.right_key,
        stated.legal_entity_id,
        stated.customer_id,
        stated.currency,
        stated.amount,
        stated.period,
        stated.happened_on,
        stated.sentence,
        stated.state,
        stated.assigned_to,
        stated.prepared_by,
        stated.approved_by,
        stated.waiver,
        stated.waived_until_on,
        stated.needs_second_person,
        stated.first_seen_on,
        stated.open_since_on,
        {{ as_of() }} as last_seen_on,
        stated.spell,
        cast(business_days.date_on + stated.due_time as timestamp) as due_at,
        cast(stated.hours_open as integer) as hours_open,
        case
            when stated.state = 'waived' then null
            when stated.hours_open >= 4 * stated.sla_hours then 'cfo'
            when stated.hours_open >= 2 * stated.sla_hours then 'controller'
            when stated.hours_open >= stated.sla_hours then 'lead'
            else 'owner'
        end as escalation
    from stated
    left join business_days on stated.due_day_number = business_days.business_day_number
)

select * from queue
