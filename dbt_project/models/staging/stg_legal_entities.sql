-- Legal entities in force at the cut, without what the source deleted. The company may say which calendar one keeps.
with entities as (
    {{ in_force('legal_entities') }}
),

chosen as (
    select entities.* replace (coalesce(declared.calendar, entities.calendar) as calendar)
    from entities
    left join {{ source('reference', 'entity_calendars') }} as declared
        on entities.legal_entity_id = declared.legal_entity_id
)

select * from chosen
