-- R04: what should have been billed by the cut under the deals of a linked subscription, against its invoice lines,
-- net of discounts. Recurring lines fall due by the billing interval of the subscription's items, in advance or in
-- arrears as its invoices show (while there is none, up to a quarter may be in arrears), and count from their own start
-- or from the subscription's first day (a stub, then whole intervals), whichever its invoices follow; one-time lines
-- fall due on their first day. Usage has no committed value and is left out on both sides; so is a subscription while a
-- term that is no whole number of months runs, because a system prorates it by days or seconds of its own, and one
-- whose items say no interval in months.
with lines as (
    select
        agreed.*,
        linked.subscription,
        linked.customer_id,
        linked.starts_on as subscribed_on
    from {{ ref('int_subscription_lines__agreed') }} as agreed
    inner join {{ ref('int_subscriptions__linked') }} as linked on agreed.subscription_id = linked.subscription_id
    where agreed.charge_kind in ('recurring', 'one_time')
),

intervals as (
    select
        contract_id as subscription_id,
        max(interval_months) as interval_months
    from {{ ref('stg_contract_lines') }} as items
    left join {{ ref('int_products__matched') }} as products on items.product_id = products.product_id
    where coalesce(products.shared_charge_kind, products.charge_kind, 'recurring') = 'recurring'
    group by contract_id
    having
        min(interval_months) = max(interval_months)
        and count(*) = count(interval_months)
        and min(interval_months) > 0
),

-- A line bills the subscription that it names, else its invoice's, else the one that fulfils the invoice's deal.
deals as (
    select
        opportunity_id,
        min(subscription_id) as subscription_id
    from {{ ref('int_subscription_lines__agreed') }}
    group by opportunity_id
    having count(distinct subscription_id) = 1
),

billed_lines as (
    select
        coalesce(lines.contract_id, invoices.contract_id, deals.subscription_id) as subscription_id,
        lines.currency,
        invoices.issued_on,
        invoices.legal_entity_id,
        case when invoices.kind = 'invoice' then lines.net_amount else -lines.net_amount end as amount,
        coalesce(products.shared_charge_kind, products.charge_kind, '') as charge_kind,
        lines.service_ends_on < invoices.issued_on as is_after_service,
        case
            when least(invoices.issued_on, lines.service_starts_on) > lines.discount_ends_on then lines.discount_amount
            else 0
        end as expired_amount
    from {{ ref('stg_invoice_lines') }} as lines
    inner join {{ ref('stg_invoices') }} as invoices on lines.invoice_id = invoices.invoice_id
    left join deals on invoices.opportunity_ref = deals.opportunity_id
    left join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
    where
        {{ role_of('invoices.invoice_id') }} = 'billing'
        and invoices.status = 'posted'
        -- A negative invoice is one too; a credit note corrects an invoice and is no part of the schedule.
        and (
            invoices.kind = 'invoice'
            or (
                invoices.kind = 'credit_memo'
                and invoices.original_invoice_id is null and invoices.contract_id is not null
            )
        )
),

invoiced as (
    select
        subscription_id,
        currency,
        min(issued_on) as first_on,
        min(legal_entity_id) as legal_entity_id,
        sum(amount) as amount,
        sum(expired_amount) as expired_amount,
        count(*) as line_count,
        case
            when count(case when charge_kind = 'recurring' then 1 end) > 0
                then
                    count(case when charge_kind = 'recurring' and is_after_service then 1 end) * 2
                    > count(case when charge_kind = 'recurring' then 1 end)
        end as is_in_arrears
    from billed_lines
    where subscription_id is not null and charge_kind <> 'usage'
    group by subscription_id, currency
),

cut as (
    select least({{ as_of() }}, max(issued_on)) as cut_on from billed_lines
),

timed as (
    select
        lines.*,
        intervals.interval_months,
        -- Before its first invoice nothing says so: up to a quarter may be billed when it is over.
        coalesce(invoiced.is_in_arrears, intervals.interval_months <= 3) as is_in_arrears,
        cut.cut_on,
        cut.cut_on - {{ var('timing_days') }} as before_on,
        lines.months > 0
        and {{ last_day_of_term('lines.service_starts_on', 'lines.months') }} = lines.service_ends_on as is_whole,
        cast(datesub('month', lines.subscribed_on, lines.service_starts_on) as bigint) as lag_months,
        lines.charge_kind = 'one_time'
        or cast(
            lines.subscribed_on
            + to_months(cast(datesub('month', lines.subscribed_on, lines.service_starts_on) as integer)) as date
        ) = lines.service_starts_on as is_aligned
    from lines
    inner join intervals on lines.subscription_id = intervals.subscription_id
    left join invoiced
        on lines.subscription_id = invoiced.subscription_id and lines.currency = invoiced.currency
    cross join cut
),

scheduled as (
    select
        *,
        {{ billed_by('cut_on', 'service_starts_on', '0') }} as own_now_amount,
        {{ billed_by('before_on', 'service_starts_on', '0') }} as own_before_amount,
        case when is_aligned then {{ billed_by('cut_on', 'subscribed_on', 'lag_months') }} end as anchored_now_amount,
        case when is_aligned then {{ billed_by('before_on', 'subscribed_on', 'lag_months') }} end
            as anchored_before_amount
    from timed
),

contracted as (
    select
        subscription_id,
        currency,
        min(subscription) as subscription,
        min(customer_id) as customer_id,
        min(cut_on) as cut_on,
        min(minor_units) as minor_units,
        {%- for name in ['own_now', 'own_before', 'anchored_now', 'anchored_before'] %}
            case when count(*) = count({{ name }}_amount) then sum({{ name }}_amount) end as {{ name }}_amount,
        {%- endfor %}
        min(service_starts_on) as begins_on
    from scheduled
    group by subscription_id, currency
    -- A term that cannot be told by months runs: not judged.
    having count(*) = count(own_now_amount)
),

-- Terms that differ are R02's: what they bill more or less only follows from it.
other_terms as (
    {%- for leg in ['rec_contracted_quantities__subscriptions', 'rec_agreed_prices__item_prices'] %}
        select {{ part_of('coalesce(left_id, right_id)', '|', 1) }} as subscription_id
        from {{ ref(leg) }}
        where line_kind = 'finding' and coalesce(severity, '') <> 'timing'
        {{ 'union' if not loop.last }}
    {%- endfor %}
),

{%- set unit = 'case contracted.minor_units when 0 then 1 when 2 then 0.01 when 3 then 0.001 else 0.0001 end' %}

compared as (
    select
        contracted.*,
        invoiced.amount as invoiced_amount,
        invoiced.first_on,
        invoiced.legal_entity_id,
        coalesce(invoiced.line_count, 1) * {{ unit }} as tolerance_amount,
        coalesce(invoiced.expired_amount, 0) as expired_amount,
        other_terms.subscription_id is not null as is_on_other_terms,
        abs(contracted.own_now_amount - invoiced.amount) > invoiced.line_count * {{ unit }}
        and abs(contracted.anchored_now_amount - invoiced.amount) <= invoiced.line_count * {{ unit }} as is_anchored
    from contracted
    left join invoiced
        on contracted.subscription_id = invoiced.subscription_id and contracted.currency = invoiced.currency
    left join other_terms on contracted.subscription_id = other_terms.subscription_id
    where contracted.begins_on <= contracted.cut_on
),

judged as (
    select
        * replace (
            case
                when abs(own_now_amount - expired_amount - invoiced_amount) <= tolerance_amount then expired_amount
                else 0
            end as expired_amount
        ),
        case when is_anchored then anchored_now_amount else own_now_amount end as amount,
        coalesce(
            abs(own_before_amount - invoiced_amount) <= tolerance_amount
            or abs(anchored_before_amount - invoiced_amount) <= tolerance_amount,
            own_before_amount = 0
        ) as is_recent
    from compared
),

left_records as (
    select
        judged.subscription_id || '|' || judged.currency as record_id,
        judged.subscription as label,
        [judged.subscription_id || '|' || judged.currency] as ids,
        [cast(null as varchar)] as numbers,
        judged.customer_id,
        coalesce(judged.legal_entity_id, 'all') as legal_entity_id,
        judged.currency,
        judged.begins_on as happened_on,
        dates.period,
        {{ money('judged.amount') }} as amount,
        judged.tolerance_amount,
        judged.expired_amount,
        judged.is_on_other_terms,
        judged.is_recent,
        judged.amount <> 0 as is_expected
    from judged
    left join {{ ref('int_dates__placed') }} as dates on judged.cut_on = dates.date_on
),

right_records as (
    select
        subscription_id || '|' || currency as record_id,
        subscription as label,
        [subscription_id || '|' || currency] as ids,
        [cast(null as varchar)] as numbers,
        customer_id,
        legal_entity_id,
        currency,
        first_on as happened_on,
        cast(null as varchar) as period,
        {{ money('invoiced_amount') }} as amount,
        true as is_expected
    from judged
    where invoiced_amount is not null
),

{%- set is_near = 'abs(l.amount - l.expired_amount - r.amount) <= l.tolerance_amount' %}
{%- set is_own = 'not ' ~ is_near ~ ' and not l.is_recent and not l.is_on_other_terms' %}

{{ reconcile_balances(
    'R04', 'schedule-invoices', 'contracted schedule of', 'invoice',
    checks=[
        {'code': 'DISC-EXPIRED', 'what': 'net of expired discounts', 'left': 'l.amount', 'right': 'l.amount - l.expired_amount',
            'consequence': true, 'when': 'l.amount <> r.amount'},
        {'code': 'INV-AMOUNT', 'what': 'billed by the cut', 'left': 'l.amount - l.expired_amount', 'right': 'r.amount',
            'rounding': true, 'when': is_near ~ ' and l.amount <> r.amount'},
        {'code': 'INV-AMOUNT', 'what': 'billed by the cut', 'left': 'l.amount', 'right': 'r.amount',
            'severity': 'timing', 'when': 'not ' ~ is_near ~ ' and l.is_recent'},
        {'code': 'ORD-TERMS', 'what': 'billed by the cut', 'left': 'l.amount', 'right': 'r.amount',
            'consequence': true, 'when': 'not ' ~ is_near ~ ' and not l.is_recent and l.is_on_other_terms'},
        {'code': 'INV-AMOUNT', 'what': 'billed by the cut', 'left': 'l.amount', 'right': 'r.amount', 'when': is_own},
    ],
    left_only='INV-MISSING-BILL', right_only='INV-AMOUNT'
) }}

select * from reconciled
