{#- The three currencies of a document: CTE body that adds customer, entity, rates and periods to `relation`, whose rows
    have customer_id, legal_entity_id, currency, exchange_rate and the date `dated`. Expects CTE sole_entity. -#}
{% macro placed_and_rated(relation, dated) -%}
select
    {{ relation }}.* exclude (customer_id, legal_entity_id, exchange_rate),
    {{ relation }}.customer_id as source_customer_id,
    coalesce(customers.customer_id, {{ relation }}.customer_id) as customer_id,
    coalesce({{ relation }}.legal_entity_id, sole_entity.legal_entity_id, 'unassigned') as legal_entity_id,
    currencies.minor_units,
    entities.functional_currency,
    functional.minor_units as functional_minor_units,
    -- The document's own rate is what the ledger used; the table of rates is asked where it states none.
    case
        when entities.functional_currency = {{ relation }}.currency then {{ rate(1) }}
        else coalesce({{ relation }}.exchange_rate, functional_rates.rate)
    end as functional_rate,
    '{{ var("reporting_currency") }}' as reporting_currency,
    reporting.minor_units as reporting_minor_units,
    -- One truth where both are the same currency.
    case
        when entities.functional_currency = '{{ var("reporting_currency") }}'
            and {{ relation }}.exchange_rate is not null
            and {{ relation }}.currency <> '{{ var("reporting_currency") }}'
            then {{ relation }}.exchange_rate
        else reporting_rates.rate
    end as reporting_rate,
    dates.period,
    dates.period_ends_on,
    dates.quarter,
    coalesce(posted.name, dates.period) as posted_period,
    coalesce(posted.ends_on, dates.period_ends_on) as posted_period_ends_on
from {{ relation }}
cross join sole_entity
left join {{ ref('int_customers__identified') }} as customers
    on {{ relation }}.customer_id = customers.source_customer_id
left join {{ ref('stg_legal_entities') }} as entities
    on coalesce({{ relation }}.legal_entity_id, sole_entity.legal_entity_id) = entities.legal_entity_id
left join {{ ref('int_fx_rates__looked_up') }} as functional_rates
    on
        {{ relation }}.currency = functional_rates.from_currency
        and entities.functional_currency = functional_rates.to_currency
        and {{ dated }} = functional_rates.rate_on
left join {{ ref('int_fx_rates__looked_up') }} as reporting_rates
    on
        {{ relation }}.currency = reporting_rates.from_currency
        and '{{ var("reporting_currency") }}' = reporting_rates.to_currency
        and {{ dated }} = reporting_rates.rate_on
left join {{ source('reference', 'currencies') }} as currencies on {{ relation }}.currency = currencies.code
left join {{ source('reference', 'currencies') }} as functional on entities.functional_currency = functional.code
left join {{ source('reference', 'currencies') }} as reporting on reporting.code = '{{ var("reporting_currency") }}'
left join {{ ref('int_calendar_dates__placed') }} as dates
    on {{ dated }} = dates.date_on and coalesce(entities.calendar, '') = dates.calendar
left join {{ ref('stg_accounting_periods') }} as posted
    on {{ relation }}.accounting_period_id = posted.accounting_period_id and posted.kind = 'period'
{%- endmacro %}
