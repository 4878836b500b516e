-- What happened to each exception. Nothing is ever taken out of it.
with sightings as (
    select
        exception_id,
        event,
        spell,
        as_of_on,
        code,
        leg,
        owner,
        currency,
        amount,
        sentence,
        true as is_landed
    from {{ ref('stg_sightings') }}
),

last_sightings as (
    select *
    from sightings
    qualify row_number() over (partition by exception_id order by spell desc, event) = 1
),

-- What is known of an exception now, or was when it was last seen.
known as (
    select
        witnessed.exception_id,
        witnessed.spell,
        witnessed.new_event,
        coalesce(found.code, last_sightings.code) as code,
        coalesce(found.leg, last_sightings.leg) as leg,
        coalesce(found.owner, last_sightings.owner) as owner,
        case when witnessed.is_found then found.currency else last_sightings.currency end as currency,
        case when witnessed.is_found then found.amount else last_sightings.amount end as amount,
        coalesce(found.sentence, last_sightings.sentence) as sentence
    from {{ ref('int_exceptions__witnessed') }} as witnessed
    left join {{ ref('int_exceptions__found') }} as found on witnessed.exception_id = found.exception_id
    left join last_sightings on witnessed.exception_id = last_sightings.exception_id
),

seen as (
    select * from sightings
    union all
    -- What this build is the first to see; landed by the run that follows its publication.
    select
        exception_id,
        new_event,
        spell,
        {{ as_of() }},
        code,
        leg,
        owner,
        currency,
        amount,
        sentence,
        false
    from known
    where new_event is not null
),

events as (
    select
        concat_ws('/', exception_id, spell, event) as event_id,
        exception_id,
        event,
        spell,
        as_of_on,
        cast(null as timestamp with time zone) as decided_at,
        'the data' as decided_by,
        cast(null as varchar) as reason,
        'in force' as verdict,
        cast(null as varchar) as why,
        code,
        leg,
        owner,
        currency,
        {{ money('amount') }} as amount,
        sentence,
        is_landed
    from seen
    union all
    select
        decided.decision_id,
        decided.exception_id,
        decided.kind,
        known.spell,
        decided.as_of_on,
        decided.decided_at,
        decided.decided_by,
        decided.reason,
        decided.verdict,
        decided.why,
        known.code,
        known.leg,
        known.owner,
        known.currency,
        {{ money('known.amount') }},
        known.sentence,
        true
    from {{ ref('int_exceptions__decided') }} as decided
    left join known on decided.exception_id = known.exception_id
)

select * from events
