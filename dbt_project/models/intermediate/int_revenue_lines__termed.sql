-- Billed lines with how and when their revenue is earned (docs/decisions/0021): over time by the days of their service,
-- or at issue. A line of a service without dates (R12, dates) is earned at no known time, and waits for its dates.
with undated as (
    select left_id as invoice_line_id
    from {{ ref('rec_service_lines__service_dates') }}
    where code = 'REV-NO-DATES' and line_kind = 'finding'
),

parts as (
    select
        billings.billing_id,
        billings.invoice_id,
        billings.invoice_line_id,
        billings.kind,
        billings.legal_entity_id,
        billings.customer_id,
        coalesce(entities.calendar, '') as calendar,
        case
            when undated.invoice_line_id is not null then 'undated'
            when
                billings.service_starts_on <= billings.service_ends_on
                and coalesce(products.shared_charge_kind, '') <> 'one_time'
                -- Usage is billed when it has been rendered: nothing is left to earn.
                and (products.shared_charge_kind = 'recurring' or billings.service_ends_on > documents.issued_on)
                then 'over_time'
            else 'at_issue'
        end as method,
        documents.issued_on,
        documents.voided_on,
        documents.posted_period,
        documents.posted_period_ends_on,
        billings.service_starts_on as starts_on,
        billings.service_ends_on as ends_on,
        cast(billings.service_ends_on - billings.service_starts_on + 1 as integer) as days,
        -- Nothing is recognised before it is billed; what was served until then is recognised with the bill.
        greatest(documents.issued_on, billings.service_starts_on) as first_on,
        coalesce(
            documents.voided_on, greatest(documents.issued_on, billings.service_ends_on)
        ) as last_on,
        billings.currency,
        documents.minor_units,
        billings.net_amount,
        billings.functional_currency,
        documents.functional_minor_units,
        billings.functional_net_amount,
        billings.reporting_currency,
        documents.reporting_minor_units,
        billings.reporting_net_amount
    from {{ ref('billings') }} as billings
    inner join {{ ref('int_documents__posted') }} as documents on billings.invoice_id = documents.invoice_id
    left join {{ ref('stg_legal_entities') }} as entities on billings.legal_entity_id = entities.legal_entity_id
    left join {{ ref('int_products__matched') }} as products on billings.product_id = products.product_id
    left join undated on billings.invoice_line_id = undated.invoice_line_id
    where not billings.is_reversal
),

days as (
    select
        dates.calendar,
        dates.date_on,
        dates.period,
        dates.period_ends_on,
        split.part_number
    from {{ ref('int_calendar_dates__placed') }} as dates
    inner join {{ ref('int_recognition_periods__split') }} as split
        on
            dates.calendar = split.calendar
            and dates.period_ends_on = split.period_ends_on
            and dates.period = split.period
            and (dates.date_on <= {{ as_of() }}) = split.is_recognised
),

later as (
    select
        calendar,
        max(part_number) as part_number
    from {{ ref('int_recognition_periods__split') }}
    group by calendar
),

termed as (
    select
        parts.* exclude (first_on, last_on),
        case when parts.voided_on = parts.issued_on then parts.posted_period else voids.period end as void_period,
        case when parts.voided_on = parts.issued_on then parts.posted_period_ends_on else voids.period_ends_on end
            as void_period_ends_on,
        case when parts.method = 'over_time' then coalesce(firsts.part_number, later.part_number) end as first_part,
        case when parts.method = 'over_time' then coalesce(lasts.part_number, later.part_number) end as last_part
    from parts
    inner join later on parts.calendar = later.calendar
    left join days as firsts on parts.calendar = firsts.calendar and parts.first_on = firsts.date_on
    left join days as lasts on parts.calendar = lasts.calendar and parts.last_on = lasts.date_on
    left join days as voids on parts.calendar = voids.calendar and parts.voided_on = voids.date_on
)

select * from termed
