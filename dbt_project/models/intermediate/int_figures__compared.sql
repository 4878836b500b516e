-- Each figure of a closed period as it was closed and as it is now. What a later close has taken in counts for the
-- period it came from. A figure without a document is the balance before an entity's first closed period.
with signed as (
    select *
    from {{ ref('int_closes__signed') }}
    where next_close_id is null
),

first_closed as (
    select
        legal_entity_id,
        measure,
        min(period_ends_on) as first_on
    from signed
    where is_in_force
    group by legal_entity_id, measure
),

entities as (
    select distinct
        legal_entity_id,
        calendar
    from {{ ref('int_periods__listed') }}
    where legal_entity_id in (select legal_entity_id from signed)
),

-- A document may name a period of another calendar: the entity's own that its last day lies in is meant.
placed as (
    select figures.* replace (dates.period_ends_on as period_ends_on)
    from {{ ref('int_figures__itemised') }} as figures
    inner join entities on figures.legal_entity_id = entities.legal_entity_id
    inner join {{ ref('int_calendar_dates__placed') }} as dates
        on entities.calendar = dates.calendar and figures.period_ends_on = dates.date_on
),

sides as (
    select
        placed.measure,
        placed.legal_entity_id,
        placed.period_ends_on,
        placed.part,
        placed.document_id,
        placed.label,
        placed.currency,
        placed.functional_currency,
        'now' as side,
        placed.amount,
        placed.functional_amount
    from placed
    inner join signed
        on
            placed.legal_entity_id = signed.legal_entity_id
            and placed.measure = signed.measure
            and placed.period_ends_on = signed.period_ends_on
    union all
    select
        placed.measure,
        placed.legal_entity_id,
        first_closed.first_on,
        case when placed.measure = 'ledger' then placed.part else 'opening' end,
        null,
        null,
        placed.currency,
        placed.functional_currency,
        'now',
        placed.amount,
        placed.functional_amount
    from placed
    inner join first_closed
        on placed.legal_entity_id = first_closed.legal_entity_id and placed.measure = first_closed.measure
    where placed.period_ends_on < first_closed.first_on
    union all
    select
        closings.measure,
        closings.legal_entity_id,
        coalesce(closings.origin_ends_on, closings.period_ends_on),
        closings.part,
        closings.document_id,
        closings.label,
        closings.currency,
        closings.functional_currency,
        case when closings.kind = 'adjustment' then 'taken in' else 'closed' end,
        closings.amount,
        closings.functional_amount
    from {{ ref('int_closings__signed') }} as closings
    left join first_closed
        on closings.legal_entity_id = first_closed.legal_entity_id and closings.measure = first_closed.measure
    where
        closings.next_close_id is null and (
            closings.kind = 'item'
            or (closings.kind = 'opening' and closings.period_ends_on = first_closed.first_on)
            or (closings.kind = 'adjustment' and closings.is_in_force)
        )
),

summed as (
    select
        measure,
        legal_entity_id,
        period_ends_on,
        part,
        document_id,
        currency,
        functional_currency,
        {%- for name, side in {'closed': 'closed', 'taken_in': 'taken in', 'now': 'now'}.items() %}
            {{ money("sum(case when side = '" ~ side ~ "' then amount else 0 end)") }} as {{ name }}_amount,
            {{ money("coalesce(sum(case when side = '" ~ side ~ "' then functional_amount end), 0)") }}
                as functional_{{ name }}_amount,
        {%- endfor %}
        max(label) as label,
        bool_or(side <> 'now') as is_closed,
        bool_or(side = 'now') as is_now
    from sides
    group by measure, legal_entity_id, period_ends_on, part, document_id, currency, functional_currency
),

compared as (
    select
        concat_ws(
            '|', summed.measure, summed.legal_entity_id, summed.period_ends_on, summed.part,
            coalesce(summed.document_id, ''), summed.currency, coalesce(summed.functional_currency, '')
        ) as figure_key,
        summed.*,
        coalesce(signed.is_in_force, false) as is_in_force,
        signed.close_id,
        signed.known_load_seq,
        now_amount - closed_amount - taken_in_amount as moved_amount,
        functional_now_amount - functional_closed_amount - functional_taken_in_amount as functional_moved_amount
    from summed
    left join signed
        on
            summed.legal_entity_id = signed.legal_entity_id
            and summed.period_ends_on = signed.period_ends_on
            and summed.measure = signed.measure
)

select * from compared
