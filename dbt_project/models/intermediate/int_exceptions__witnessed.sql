-- How long each exception has been in the queue, by what publications landed of it, and what this build adds to that.
-- A spell is one stay in the queue: an exception that comes back begins a new one.
with sightings as (
    select *
    from {{ ref('stg_sightings') }}
    where as_of_on <= {{ as_of() }}
),

sighted as (
    select
        exception_id,
        max(case when event = 'seen' then spell end) as seen_spell,
        max(case when event = 'gone' then spell end) as gone_spell,
        min(case when event = 'seen' then as_of_on end) as first_seen_on,
        max_by(as_of_on, spell) filter (where event = 'seen') as seen_on,
        max_by(as_of_on, spell) filter (where event = 'gone') as gone_on
    from sightings
    group by exception_id
),

-- A build of an earlier date than was witnessed before looks back: it witnesses nothing.
clock as (
    select coalesce(max(as_of_on) <= {{ as_of() }}, true) as is_forward from {{ ref('stg_sightings') }}
),

held as (
    select
        coalesce(found.exception_id, sighted.exception_id) as exception_id,
        found.exception_id is not null as is_found,
        coalesce(sighted.seen_spell > coalesce(sighted.gone_spell, 0), false) as was_open,
        greatest(coalesce(sighted.seen_spell, 0), coalesce(sighted.gone_spell, 0)) as last_spell,
        sighted.first_seen_on,
        sighted.seen_on,
        sighted.gone_on
    from {{ ref('int_exceptions__found') }} as found
    full outer join sighted on found.exception_id = sighted.exception_id
),

witnessed as (
    select
        held.exception_id,
        held.is_found,
        case when held.is_found and not held.was_open then held.last_spell + 1 else held.last_spell end as spell,
        coalesce(held.first_seen_on, {{ as_of() }}) as first_seen_on,
        case when held.is_found and not held.was_open then {{ as_of() }} else held.seen_on end as open_since_on,
        case
            when held.is_found then null
            when held.was_open then {{ as_of() }}
            else held.gone_on
        end as gone_on,
        -- What nobody landed yet: the run that follows this publication does.
        case
            when not clock.is_forward then null
            when held.is_found and not held.was_open then 'seen'
            when held.was_open and not held.is_found then 'gone'
        end as new_event
    from held
    cross join clock
)

select * from witnessed
