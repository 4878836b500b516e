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

-- Nothing is recognised before the first part: its days until then come with it.
placed as (
    select
        over_time.*,
        split.period,
        split.period_ends_on,
        split.is_recognised,
        split.ends_on,
        case
            when over_time.part_number > over_time.first_part then split.previous_ends_on
            else cast('0001-01-01' as date)
        end as before_on
    from over_time
    inner join {{ ref('int_recognition_periods__split') }} as split
        on over_time.calendar = split.calendar and over_time.part_number = split.part_number
),

spread as (
    select
        {%- for prefix in ['', 'functional_', 'reporting_'] %}
            {{ recognised_by(prefix ~ 'net', 'ends_on', prefix ~ 'size') }} as {{ prefix }}upto,
            {{ recognised_by(prefix ~ 'net', 'before_on', prefix ~ 'size') }} as {{ prefix }}before,
        {%- endfor %}
        *
    from placed
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
        {{ from_ten_thousandths('upto - before') }} as amount,
        functional_currency,
        {{ from_ten_thousandths('functional_upto - functional_before') }} as functional_amount,
        reporting_currency,
        {{ from_ten_thousandths('reporting_upto - reporting_before') }} as reporting_amount
    from spread
    where upto <> before or functional_upto <> functional_before or reporting_upto <> reporting_before
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
