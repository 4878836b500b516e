with lines as (
    select * from {{ ref('int_revenue_lines__termed') }}
),

-- One row per part of a period that a line's days touch: its parts are counted off, so that no join compares days.
over_time as (
    select
        billing_id,
        invoice_id,
        legal_entity_id,
        customer_id,
        method,
        calendar,
        starts_on,
        days,
        voided_on,
        first_part,
        currency,
        functional_currency,
        reporting_currency,
        {%- for prefix in ['', 'functional_', 'reporting_'] %}
            {{ ten_thousandths(prefix ~ 'net_amount') }} as {{ prefix }}net,
            {{ minor_unit_size(prefix ~ 'minor_units') }} as {{ prefix }}size,
        {%- endfor %}
        unnest(range(first_part, last_part + 1)) as part_number
    from lines
    where method = 'over_time' and first_part <= last_part
),

spread as (
    select
        over_time.billing_id,
        over_time.invoice_id,
        over_time.legal_entity_id,
        over_time.customer_id,
        over_time.method,
        split.period,
        split.period_ends_on,
        split.is_recognised,
        over_time.currency,
        over_time.functional_currency,
        over_time.reporting_currency,
        {%- for prefix in ['', 'functional_', 'reporting_'] %}
            {{ recognised_by(prefix ~ 'net', 'split.ends_on', prefix ~ 'size') }}
            - case
                when over_time.part_number = over_time.first_part then 0
                else {{ recognised_by(prefix ~ 'net', 'split.previous_ends_on', prefix ~ 'size') }}
            end as {{ prefix }}amount{{ ',' if not loop.last }}
        {%- endfor %}
    from over_time
    inner join {{ ref('int_recognition_periods__split') }} as split
        on over_time.calendar = split.calendar and over_time.part_number = split.part_number
),

-- What is earned at issue stands in the period it was posted in, and a void in that of its day.
at_once as (
    select
        *,
        posted_period as period,
        posted_period_ends_on as period_ends_on,
        issued_on <= {{ as_of() }} as is_recognised,
        1 as sign
    from lines
    where method = 'at_issue'
    union all
    select
        *,
        void_period,
        void_period_ends_on,
        voided_on <= {{ as_of() }},
        -1
    from lines
    where method = 'at_issue' and voided_on is not null
    union all
    select
        *,
        'later',
        cast('9999-12-31' as date),
        false,
        1
    from lines
    where method = 'undated' and voided_on is null
),

entries as (
    select
        billing_id,
        invoice_id,
        legal_entity_id,
        customer_id,
        method,
        period,
        period_ends_on,
        is_recognised,
        currency,
        {{ from_ten_thousandths('amount') }} as amount,
        functional_currency,
        {{ from_ten_thousandths('functional_amount') }} as functional_amount,
        reporting_currency,
        {{ from_ten_thousandths('reporting_amount') }} as reporting_amount
    from spread
    where amount <> 0 or functional_amount <> 0 or reporting_amount <> 0
    union all
    select
        billing_id,
        min(invoice_id),
        min(legal_entity_id),
        min(customer_id),
        min(method),
        min(period),
        period_ends_on,
        is_recognised,
        min(currency),
        {{ money('sum(sign * net_amount)') }},
        min(functional_currency),
        {{ money('sum(sign * functional_net_amount)') }},
        min(reporting_currency),
        {{ money('sum(sign * reporting_net_amount)') }}
    from at_once
    group by billing_id, period_ends_on, is_recognised
    having
        sum(sign * net_amount) <> 0
        or sum(sign * functional_net_amount) <> 0
        or sum(sign * reporting_net_amount) <> 0
)

select * from entries
