-- Which documents bill which bookings. Few documents name every deal they bill, so a document bills a booking when it
-- was issued to the same customer in the same currency, from the day of the booking on, for the same product (one word
-- for all systems) and for days of the booked service. Documents that state no service days count from the booking on.
with booked as (
    select
        bookings.booking_id,
        bookings.opportunity_id,
        bookings.customer_id,
        bookings.currency,
        products.product_key,
        bookings.booked_on,
        coalesce(bookings.service_starts_on, bookings.booked_on) as starts_on,
        coalesce(bookings.service_ends_on, cast('9999-12-31' as date)) as ends_on
    from {{ ref('bookings') }} as bookings
    inner join {{ ref('int_products__matched') }} as products on bookings.product_id = products.product_id
),

services as (
    select
        documents.invoice_id,
        documents.customer_id,
        documents.currency,
        documents.issued_on,
        products.product_key,
        min(coalesce(lines.service_starts_on, documents.issued_on)) as starts_on,
        max(coalesce(lines.service_ends_on, cast('9999-12-31' as date))) as ends_on
    from {{ ref('int_documents__posted') }} as documents
    inner join {{ ref('stg_invoice_lines') }} as lines on documents.invoice_id = lines.invoice_id
    inner join {{ ref('int_products__matched') }} as products on lines.product_id = products.product_id
    where documents.kind in ('invoice', 'debit_memo') and documents.voided_on is null
    group by
        documents.invoice_id, documents.customer_id, documents.currency, documents.issued_on, products.product_key
),

billed as (
    select
        booked.booking_id,
        booked.opportunity_id,
        services.invoice_id,
        services.issued_on
    from booked
    inner join services
        on
            booked.customer_id = services.customer_id
            and booked.currency = services.currency
            and booked.product_key = services.product_key
    where
        services.issued_on >= booked.booked_on
        and services.starts_on <= booked.ends_on
        and services.ends_on >= booked.starts_on
)

select * from billed
