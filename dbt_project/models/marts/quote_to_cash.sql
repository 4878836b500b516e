with bookings as (
    select * from {{ ref('bookings') }}
),

documents as (
    select * from {{ ref('int_documents__posted') }}
    where kind in ('invoice', 'debit_memo') and voided_on is null
),

-- The order that R03 found. The CRM dates an order by its first effect, which is no acceptance.
ordered as (
    select
        lines.left_id as opportunity_id,
        min(orders.order_id) as order_id,
        min(orders.ordered_on) as ordered_on
    from {{ ref('rec_won_opportunities__orders') }} as lines
    inner join {{ ref('stg_orders') }} as orders on lines.right_id = orders.order_id
    where lines.line_kind = 'pair' and lines.left_id is not null and {{ role_of('orders.order_id') }} <> 'crm'
    group by lines.left_id
),

-- The first document that bills the line's product and service; where none is known, the first that names the deal.
billed as (
    select
        booking_id,
        arg_min(invoice_id, (issued_on, invoice_id)) as invoice_id
    from {{ ref('int_bookings__billed') }}
    group by booking_id
),

named as (
    select
        opportunity_ref as opportunity_id,
        arg_min(invoice_id, (issued_on, invoice_id)) as invoice_id
    from documents
    where opportunity_ref is not null
    group by opportunity_ref
),

first_invoices as (
    select
        bookings.booking_id,
        documents.invoice_id,
        documents.issued_on,
        coalesce(documents.due_on, documents.issued_on) as due_on
    from bookings
    left join billed on bookings.booking_id = billed.booking_id
    left join named on bookings.opportunity_id = named.opportunity_id
    inner join documents on coalesce(billed.invoice_id, named.invoice_id) = documents.invoice_id
),

applied as (
    select
        to_id as invoice_id,
        min(applied_on) as first_applied_on
    from {{ ref('int_applications__effective') }}
    where kind = 'payment_to_invoice' and amount > 0
    group by to_id
),

settled as (
    select
        item_id as invoice_id,
        max(moved_on) as settled_on
    from {{ ref('ar_ledger') }}
    where item_kind in ('invoice', 'debit_memo')
    group by item_id
    having sum(amount) = 0
),

-- As the system states it, and when we knew.
stated as (
    select
        applications.to_id as invoice_id,
        min(applications.applied_on) as stated_on,
        cast(max(applications.recorded_at) as date) as landed_on,
        min(began.began_on) as began_on
    from {{ ref('stg_applications') }} as applications
    inner join (
        select
            system,
            cast(min(recorded_at) as date) as began_on
        from {{ ref('stg_applications') }}
        group by system
    ) as began on applications.system = began.system
    where applications.kind in ('payment_to_invoice', 'credit_to_invoice')
    group by applications.to_id
),

-- The first document of any system that names the deal: what it is before the deal is out of order.
first_named as (
    select
        lines.left_id as opportunity_id,
        min(invoices.issued_on) as issued_on
    from {{ ref('rec_won_opportunities__first_invoices') }} as lines
    inner join {{ ref('stg_invoices') }} as invoices on lines.right_id = invoices.invoice_id
    where lines.line_kind = 'pair' and lines.left_id is not null
    group by lines.left_id
),

reached as (
    select
        bookings.booking_id,
        bookings.opportunity_id,
        bookings.opportunity_line_id,
        bookings.customer_id,
        bookings.product_id,
        bookings.currency,
        bookings.tcv_amount,
        bookings.booked_on as closed_won_on,
        ordered.order_id,
        ordered.ordered_on as order_accepted_on,
        (select count(*) > 0 from ordered) and bookings.tcv_amount <> 0 as is_to_order,
        greatest(bookings.booked_on, coalesce(bookings.service_starts_on, bookings.booked_on)) as billable_on,
        first_invoices.invoice_id as first_invoice_id,
        first_invoices.issued_on as invoice_posted_on,
        -- Only what is worth something is billed: reductions bill less, usage bills what was used.
        bookings.tcv_amount > 0 and coalesce(bookings.charge_kind, '') <> 'usage' as is_to_bill,
        first_invoices.due_on,
        applied.first_applied_on as payment_first_applied_on,
        settled.settled_on as payment_applied_on,
        case when settled.settled_on is not null then stated.landed_on end as published_on,
        -- What came with the first files of its system is history, and not late.
        settled.settled_on >= stated.began_on as is_to_publish,
        first_named.issued_on as first_named_on,
        case when first_invoices.issued_on > stated.stated_on then stated.stated_on end as applied_too_early_on
    from bookings
    left join ordered on bookings.opportunity_id = ordered.opportunity_id
    left join first_invoices on bookings.booking_id = first_invoices.booking_id
    left join applied on first_invoices.invoice_id = applied.invoice_id
    left join settled on first_invoices.invoice_id = settled.invoice_id
    left join stated on first_invoices.invoice_id = stated.invoice_id
    left join first_named on bookings.opportunity_id = first_named.opportunity_id
),

due as (
    select
        *,
        case when is_to_order then {{ weekdays_later('closed_won_on', var('order_sla_days')) }} end as order_due_on,
        case when is_to_bill then {{ weekdays_later('billable_on', var('invoice_sla_days')) }} end as invoice_due_on,
        {{ weekdays_later('due_on', var('payment_sla_days')) }} as payment_due_on,
        case when is_to_publish then {{ weekdays_later('payment_applied_on', var('publication_sla_days')) }} end
            as publication_due_on
    from reached
),

quote_to_cash as (
    select
        booking_id,
        opportunity_id,
        opportunity_line_id,
        customer_id,
        product_id,
        currency,
        tcv_amount,
        closed_won_on,
        order_id,
        order_accepted_on,
        order_due_on,
        {{ weekdays_late('order_accepted_on', 'order_due_on') }} as order_late_days,
        billable_on,
        first_invoice_id,
        invoice_posted_on,
        invoice_due_on,
        {{ weekdays_late('invoice_posted_on', 'invoice_due_on') }} as invoice_late_days,
        payment_first_applied_on,
        payment_applied_on,
        payment_due_on,
        {{ weekdays_late('payment_applied_on', 'payment_due_on') }} as payment_late_days,
        published_on,
        publication_due_on,
        {{ weekdays_late('published_on', 'publication_due_on') }} as publication_late_days,
        case
            when published_on is not null then 'published'
            when payment_applied_on is not null then 'payment applied'
            when invoice_posted_on is not null then 'invoice posted'
            when order_accepted_on is not null then 'order accepted'
            else 'closed won'
        end as milestone,
        nullif(concat_ws(
            '; ',
            case
                when order_accepted_on < closed_won_on - {{ var('sequence_days') }}
                    then 'ordered on ' || order_accepted_on || ', before it was won on ' || closed_won_on
            end,
            case
                when first_named_on < closed_won_on - {{ var('sequence_days') }}
                    then 'billed on ' || first_named_on || ', before it was won on ' || closed_won_on
            end,
            case
                when
                    first_named_on < order_accepted_on - {{ var('sequence_days') }}
                    -- A late order is R03's to report.
                    and order_accepted_on <= closed_won_on + {{ var('order_days') }}
                    then 'billed on ' || first_named_on || ', before it was ordered on ' || order_accepted_on
            end,
            case
                when applied_too_early_on < invoice_posted_on - {{ var('sequence_days') }}
                    then 'paid on ' || applied_too_early_on || ', before ' || first_invoice_id || ' was issued on '
                        || invoice_posted_on
            end
        ), '') as disorder
    from due
)

select * from quote_to_cash
