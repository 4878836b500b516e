-- Levels and steps from what was booked to what was billed and recognised, one line each, to be summed by customer and
-- currency. Invoices seldom name the deal that they bill: they are held against what the same customer booked of the
-- same product (one word for all systems) in the same currency. What is billed is known by its days of service: of a
-- booked line, what lies after the last day billed so far is still to come. It counts as timing unless the service is
-- older than `first_invoice_days`: then nobody billed what was rendered.
with bookings as (
    select
        bookings.*,
        coalesce(products.product_key, bookings.product_id, '') as product_key
    from {{ ref('bookings') }} as bookings
    left join {{ ref('int_products__matched') }} as products on bookings.product_id = products.product_id
),

billings as (
    select
        billings.*,
        coalesce(products.product_key, billings.product_id, '') as product_key,
        coalesce(products.shared_charge_kind, products.charge_kind, '') as charge_kind,
        coalesce(billings.customer_id, 'unknown') as billed_customer_id
    from {{ ref('billings') }} as billings
    left join {{ ref('int_products__matched') }} as products on billings.product_id = products.product_id
),

-- What R03 found between a deal and its order; orders that state no value change nothing.
orders as (
    select
        pairs.*,
        findings.severity,
        coalesce(findings.severity = 'minor', false) as is_silent
    from {{ ref('rec_won_opportunities__orders') }} as pairs
    left join (
        select
            left_id,
            min(severity) as severity
        from {{ ref('rec_won_opportunities__orders') }}
        where line_kind = 'finding' and code in ('ORD-VALUE', 'ORD-MISSING', 'LATE-DATA')
        group by left_id
    ) as findings on pairs.left_id = findings.left_id
    where pairs.line_kind = 'pair' and pairs.left_amount <> pairs.right_amount
),

contracted as (
    select
        coalesce(customer_id, 'unknown') as customer_id,
        currency,
        case
            when right_id is not null then 'contracted_terms'
            when severity = 'timing' then 'contracted_timing'
            else 'contracted_leakage'
        end as step,
        right_amount - left_amount as amount
    from orders
    where not is_silent
),

-- A void takes back the whole document: both cancel, and neither bills anything.
voided as (
    select distinct invoice_id from billings
    where is_reversal
),

booked_products as (
    select distinct
        customer_id,
        currency,
        product_key
    from bookings
),

-- An invoice of a product that was never booked belongs to the deals without products, if the customer has any.
invoiced as (
    select
        billings.*,
        case
            when billings.charge_kind = 'usage' then 'usage'
            when own.product_key is not null then 'booked'
            when whole.product_key is not null then 'booked'
            when billings.net_amount < 0 then 'discount'
            else 'direct'
        end as part,
        coalesce(own.product_key, whole.product_key) as booked_key
    from billings
    left join booked_products as own
        on
            billings.billed_customer_id = own.customer_id
            and billings.currency = own.currency
            and billings.product_key = own.product_key
    left join booked_products as whole
        on
            billings.billed_customer_id = whole.customer_id
            and billings.currency = whole.currency
            and whole.product_key = ''
    where
        billings.kind <> 'credit_memo'
        and billings.invoice_id not in (select invoice_id from voided)
),

billed_upto as (
    select
        billed_customer_id as customer_id,
        currency,
        booked_key as product_key,
        sum(net_amount) as net_amount,
        sum(discount_amount) as discount_amount,
        max(coalesce(service_ends_on, billed_on)) as until_on
    from invoiced
    where part = 'booked'
    group by billed_customer_id, currency, booked_key
),

-- A product sold twice may be billed in two rhythms. Where every invoiced quantity is one that was booked, each booking
-- goes by the invoices of its own quantity.
billed_quantities as (
    select
        invoiced.billed_customer_id as customer_id,
        invoiced.currency,
        invoiced.booked_key as product_key,
        abs(invoiced.quantity) as quantity,
        max(coalesce(invoiced.service_ends_on, invoiced.billed_on)) as until_on,
        bool_and(booked.quantity is not null) as is_booked
    from invoiced
    left join (
        select distinct
            customer_id,
            currency,
            product_key,
            abs(quantity) as quantity
        from bookings
    ) as booked
        on
            invoiced.billed_customer_id = booked.customer_id
            and invoiced.currency = booked.currency
            and invoiced.booked_key = booked.product_key
            and abs(invoiced.quantity) = booked.quantity
    where invoiced.part = 'booked'
    group by invoiced.billed_customer_id, invoiced.currency, invoiced.booked_key, abs(invoiced.quantity)
),

told_by_quantity as (
    select
        customer_id,
        currency,
        product_key
    from billed_quantities
    group by customer_id, currency, product_key
    having bool_and(is_booked)
),

billed_until as (
    select
        bookings.booking_id,
        case when told_by_quantity.product_key is not null then own.until_on else billed_upto.until_on end as until_on
    from bookings
    inner join billed_upto
        on
            bookings.customer_id = billed_upto.customer_id
            and bookings.currency = billed_upto.currency
            and bookings.product_key = billed_upto.product_key
    left join told_by_quantity
        on
            bookings.customer_id = told_by_quantity.customer_id
            and bookings.currency = told_by_quantity.currency
            and bookings.product_key = told_by_quantity.product_key
    left join billed_quantities as own
        on
            bookings.customer_id = own.customer_id
            and bookings.currency = own.currency
            and bookings.product_key = own.product_key
            and abs(bookings.quantity) = own.quantity
),

-- Of each booking, the last day that is billed, or so old that it should be.
running as (
    select
        bookings.customer_id,
        bookings.currency,
        bookings.product_key,
        bookings.tcv_amount,
        bookings.charge_kind,
        bookings.service_starts_on,
        bookings.service_ends_on,
        bookings.term_months,
        coalesce(currencies.minor_units, 2) as minor_units,
        billed_until.until_on is not null as is_billed,
        greatest(bookings.booked_on, coalesce(bookings.service_starts_on, bookings.booked_on)) as billable_on,
        -- Old service in whole months of the line, so that a booking and the reduction that takes it back cancel.
        greatest(
            coalesce(billed_until.until_on, bookings.service_starts_on - 1),
            cast(bookings.service_starts_on + to_months(cast(greatest(datesub(
                'month', bookings.service_starts_on, {{ as_of() }} - {{ var('first_invoice_days') }} + 1
            ), 0) as integer)) as date) - 1
        ) as settled_until_on
    from bookings
    left join billed_until on bookings.booking_id = billed_until.booking_id
    left join {{ source('reference', 'currencies') }} as currencies on bookings.currency = currencies.code
    where coalesce(bookings.charge_kind, '') <> 'usage'
),

-- In whole months where the day falls on one, as terms are priced; else by days.
elapsed as (
    select
        *,
        datediff('month', service_starts_on, settled_until_on + 1) as months_elapsed,
        cast(
            service_starts_on + to_months(cast(datediff('month', service_starts_on, settled_until_on + 1) as integer))
            as date
        ) = settled_until_on + 1 as is_whole_month
    from running
),

still_to_come as (
    select
        customer_id,
        currency,
        product_key,
        tcv_amount,
        {{ money("case
            when charge_kind = 'recurring' and service_ends_on is not null then case
                when settled_until_on >= service_ends_on then 0
                when settled_until_on < service_starts_on then tcv_amount
                when is_whole_month and term_months > 0
                    then tcv_amount - " ~ share('tcv_amount', 'months_elapsed', 'term_months', 'minor_units') ~ "
                else tcv_amount - " ~ share('tcv_amount', '(settled_until_on - service_starts_on + 1)',
                    '(service_ends_on - service_starts_on + 1)', 'minor_units') ~ "
            end
            when not is_billed and billable_on > " ~ as_of() ~ " - " ~ var('first_invoice_days') ~ " then tcv_amount
            else 0
        end") }} as open_amount
    from elapsed
),

found_terms as (
    select distinct
        customer_id,
        {{ part_of('coalesce(left_id, right_id)', '|', 2) }} as product_key
    from {{ ref('rec_contracted_quantities__subscriptions') }}
    where line_kind = 'finding' and code = 'ORD-TERMS'
),

by_product as (
    select
        products.customer_id,
        products.currency,
        products.product_key,
        products.open_amount,
        coalesce(billed_upto.net_amount, 0) - (products.tcv_amount - products.open_amount) as gap_amount,
        coalesce(billed_upto.discount_amount, 0) as discount_amount,
        found_terms.product_key is not null as has_other_terms
    from (
        select
            customer_id,
            currency,
            product_key,
            sum(tcv_amount) as tcv_amount,
            sum(open_amount) as open_amount
        from still_to_come
        group by customer_id, currency, product_key
    ) as products
    left join billed_upto
        on
            products.customer_id = billed_upto.customer_id
            and products.currency = billed_upto.currency
            and products.product_key = billed_upto.product_key
    left join found_terms
        on products.customer_id = found_terms.customer_id and products.product_key = found_terms.product_key
),

explained as (
    select
        *,
        -- Billed less than booked by exactly what its documents discount: the deal was stated before discount.
        case when gap_amount = -discount_amount then gap_amount else 0 end as discounted_amount
    from by_product
),

-- Some systems discount on a line of its own, of an item that is no product: it takes back what the other lines were
-- billed above a deal stated after discount, and is a discount beyond the deal for the rest.
discount_lines as (
    select
        invoiced.billed_customer_id as customer_id,
        invoiced.currency,
        -greatest(-sum(invoiced.net_amount) - greatest(coalesce(min(gaps.amount), 0), 0), 0) as amount
    from invoiced
    left join (
        select
            customer_id,
            currency,
            sum(gap_amount - discounted_amount) as amount
        from explained
        where not has_other_terms
        group by customer_id, currency
    ) as gaps
        on invoiced.billed_customer_id = gaps.customer_id and invoiced.currency = gaps.currency
    where invoiced.part = 'discount'
    group by invoiced.billed_customer_id, invoiced.currency
),

-- The one place that says what is recognised: billed lines rendered evenly over their days of service up to the cut,
-- and on the day of the document where they state none. A revenue schedule can take its place.
recognised as (
    select
        billings.billed_customer_id as customer_id,
        billings.currency,
        case
            when billings.service_starts_on is null or billings.service_ends_on < billings.service_starts_on
                then billings.net_amount
            when billings.service_ends_on <= {{ as_of() }} then billings.net_amount
            when billings.service_starts_on > {{ as_of() }} then 0
            else {{ share('billings.net_amount', '(' ~ as_of() ~ ' - billings.service_starts_on + 1)',
                '(billings.service_ends_on - billings.service_starts_on + 1)', 'coalesce(currencies.minor_units, 2)') }}
        end as amount
    from billings
    left join {{ source('reference', 'currencies') }} as currencies on billings.currency = currencies.code
),

bridged as (
    select
        customer_id,
        currency,
        'booked' as step,
        tcv_amount as amount
    from bookings
    union all
    select
        customer_id,
        currency,
        step,
        amount
    from contracted
    union all
    select
        billed_customer_id,
        currency,
        'billed',
        net_amount
    from billings
    union all
    select
        customer_id,
        currency,
        'billed_timing',
        -open_amount
    from explained
    union all
    select
        customer_id,
        currency,
        'billed_discount',
        discounted_amount
    from explained
    union all
    select
        customer_id,
        currency,
        'billed_discount',
        amount
    from discount_lines
    union all
    select
        customer_id,
        currency,
        'billed_terms',
        gap_amount - discounted_amount
    from explained
    where has_other_terms
    union all
    select
        billed_customer_id,
        currency,
        case part when 'usage' then 'billed_usage' else 'billed_direct' end,
        net_amount
    from invoiced
    where part in ('usage', 'direct')
    union all
    select
        customer_id,
        currency,
        'billed_usage',
        -tcv_amount
    from bookings
    where charge_kind = 'usage'
    union all
    select
        billed_customer_id,
        currency,
        'billed_credit',
        net_amount
    from billings
    where kind = 'credit_memo' and invoice_id not in (select invoice_id from voided)
    union all
    select
        billed_customer_id,
        currency,
        'tax',
        tax_amount
    from billings
    union all
    select
        customer_id,
        currency,
        'recognised',
        amount
    from recognised
)

select
    customer_id,
    currency,
    step,
    {{ money('sum(amount)') }} as amount
from bridged
where amount <> 0
group by customer_id, currency, step
