-- R02, prices: the price of each agreed line in force against the subscription's item of the same product, per unit and
-- billing interval. The CRM's price is for the line's whole term. Either the prices before discounts are the same
-- (exactly, or once the agreed one is rounded to the currency), or those after: some CRMs state the price that was
-- agreed, some billing systems the list price with a coupon. An item's discount is that of its first invoice.
with lines as (
    select
        agreed.*,
        linked.subscription,
        linked.customer_id,
        linked.compared_on
    from {{ ref('int_subscription_lines__agreed') }} as agreed
    inner join {{ ref('int_subscriptions__linked') }} as linked on agreed.subscription_id = linked.subscription_id
    where
        agreed.charge_kind = 'recurring'
        and agreed.is_in_force
        and agreed.quantity > 0 and agreed.total_amount > 0
        and agreed.months > 0
),

first_billed as (
    select
        coalesce(lines.contract_id, invoices.contract_id) as subscription_id,
        lines.product_id,
        arg_min(lines.gross_amount, (invoices.issued_on, lines.invoice_line_id)) as gross_amount,
        arg_min(lines.net_amount, (invoices.issued_on, lines.invoice_line_id)) as net_amount
    from {{ ref('stg_invoice_lines') }} as lines
    inner join {{ ref('stg_invoices') }} as invoices on lines.invoice_id = invoices.invoice_id
    where
        coalesce(lines.contract_id, invoices.contract_id) is not null
        and invoices.kind = 'invoice' and invoices.status = 'posted'
        and lines.gross_amount > 0
    group by coalesce(lines.contract_id, invoices.contract_id), lines.product_id
),

items as (
    select
        items.contract_line_id,
        items.contract_id as subscription_id,
        coalesce(products.product_key, items.product_id, '') as product_key,
        items.unit_price,
        items.interval_months,
        items.currency,
        coalesce(first_billed.gross_amount, 1) as gross_amount,
        coalesce(first_billed.net_amount, 1) as net_amount
    from {{ ref('stg_contract_lines') }} as items
    left join {{ ref('int_products__matched') }} as products on items.product_id = products.product_id
    left join first_billed
        on items.contract_id = first_billed.subscription_id and items.product_id = first_billed.product_id
    where items.unit_price is not null and items.interval_months > 0 and items.quantity <> 0
),

priced as (
    select
        lines.*,
        items.contract_line_id,
        items.unit_price as item_price,
        items.interval_months,
        {{ share('lines.unit_price', 'items.interval_months', 'lines.months', 'lines.minor_units') }} as agreed_price,
        {{ share('lines.total_amount', 'items.interval_months', 'lines.quantity * lines.months', 'lines.minor_units') }}
            as agreed_net_price,
        {{ share('items.unit_price', 'items.net_amount', 'items.gross_amount', 'lines.minor_units') }} as item_net_price
    from lines
    inner join items
        on
            lines.subscription_id = items.subscription_id
            and lines.product_key = items.product_key
            and lines.currency = items.currency
),

-- A product may have several items, one for each step of a ramp: the one with the line's price is its own.
judged as (
    select
        *,
        coalesce(unit_price * interval_months = item_price * months or agreed_price = item_price, false)
        or agreed_net_price = item_net_price as is_agreed
    from priced
    qualify row_number() over (partition by opportunity_line_id order by is_agreed desc, contract_line_id) = 1
),

left_records as (
    select
        judged.subscription_id || '|' || judged.opportunity_line_id as record_id,
        judged.product_key || ' of ' || judged.subscription as label,
        [judged.opportunity_line_id] as ids,
        [cast(null as varchar)] as numbers,
        judged.customer_id,
        'all' as legal_entity_id,
        judged.currency,
        cast(null as date) as happened_on,
        dates.period,
        {{ money(0) }} as amount,
        coalesce(judged.agreed_price, judged.agreed_net_price) as price,
        judged.is_agreed,
        true as is_expected
    from judged
    left join {{ ref('int_dates__placed') }} as dates on judged.compared_on = dates.date_on
),

right_records as (
    select
        judged.subscription_id || '|' || judged.opportunity_line_id as record_id,
        judged.product_key || ' of ' || judged.subscription as label,
        [judged.opportunity_line_id] as ids,
        [cast(null as varchar)] as numbers,
        judged.customer_id,
        'all' as legal_entity_id,
        judged.currency,
        cast(null as date) as happened_on,
        cast(null as varchar) as period,
        {{ money(0) }} as amount,
        judged.item_price as price,
        judged.interval_months,
        true as is_expected
    from judged
),

{{ reconcile_balances(
    'R02', 'agreed-price', 'contracted line', 'subscription item',
    checks=[
        {'code': 'ORD-TERMS', 'what': 'price of a unit and interval', 'left': 'l.price', 'right': 'r.price',
            'money': false, 'amounts': true, 'when': 'not l.is_agreed'},
    ],
    left_only='ORD-TERMS', right_only='ORD-TERMS'
) }}

select * from reconciled
