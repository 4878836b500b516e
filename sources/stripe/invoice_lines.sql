-- One row per line of an invoice or credit note, and one for an invoice's shipping. net = gross - discount.
with lines as (select * from invoice_line_item),

credited_lines as (select * from credit_note_line_item),

invoiced as (select * from invoice),

credited as (select * from credit_note),

prices as (select * from price),

plans as (select * from plan),

given_discounts as (select * from discount),

subscriptions as (select * from subscription),

tax_rates as (select * from tax_rate),

-- Invoices that list their lines as they were issued.
issued as (
    select distinct invoice_id
    from lines
    where position is not null and invoice_finalized_at is not null
),

line_parts as (
    select
        l.*,
        coalesce(l.currency, i.currency) as money,
        i.subscription_id as invoiced_subscription,
        coalesce(amount(i.total) < 0, false) as is_negative,
        coalesce(i._deleted, false) or coalesce(i.status = 'deleted', false) as is_invoice_deleted,
        -- Last seen on the draft, and not in the complete list of the issued invoice: dropped in between. Stripe
        -- sends no deletion for it.
        t.invoice_id is not null and i.lines_has_more = 'false' and l.position is not null
        and l.invoice_finalized_at is null as is_dropped,
        coalesce(l.product_id, p.product_id, n.product_id) as sold_product_id,
        coalesce(l.unit_amount, p.unit_amount_decimal, p.unit_amount, n.amount_decimal, n.amount) as price_minor,
        case when json_valid(l.discount_amounts) then json_extract_string(l.discount_amounts, '$[*].amount') end
            as discounts,
        case when json_valid(l.pretax_credit_amounts) then json_extract(l.pretax_credit_amounts, '$[*]') end
            as pretax_parts,
        coalesce(l.taxes, l.tax_amounts) as tax_list,
        case
            when
                json_valid(coalesce(l.taxes, l.tax_amounts))
                then json_extract(coalesce(l.taxes, l.tax_amounts), '$[*]')
        end as tax_parts
    from lines as l
    left join invoiced as i on l.invoice_id = i.id
    left join issued as t on l.invoice_id = t.invoice_id
    left join prices as p on coalesce(l.price_id, l.plan_id) = p.id
    left join plans as n on coalesce(l.plan_id, l.price_id) = n.id
),

line_sums as (
    select
        *,
        case
            when
                discount_amounts is null
                or len(discounts) = len([d for d in discounts if amount(d) is not null])
                then cast(
                    coalesce(list_sum([amount(d) for d in discounts]), 0)
                    + coalesce(list_sum([
                        amount(json_extract_string(part, '$.amount')) for part in pretax_parts
                        if json_extract_string(part, '$.type') = 'credit_balance_transaction'
                    ]), 0) as varchar
                )
            else discount_amounts
        end as discount_text,
        case
            when tax_list is null then null
            when len(tax_parts) = len([t for t in tax_parts if amount(json_extract_string(t, '$.amount')) is not null])
                then cast(
                    coalesce(list_sum([amount(json_extract_string(t, '$.amount')) for t in tax_parts]), 0) as varchar
                )
            else tax_list
        end as tax_text,
        -- Tax inside the price is not part of the line's net.
        coalesce(list_sum([
            amount(json_extract_string(t, '$.amount')) for t in tax_parts
            if json_extract_string(t, '$.inclusive') = 'true' or json_extract_string(t, '$.tax_behavior') = 'inclusive'
        ]), 0) as inclusive_tax,
        try_cast(iso_date(service_start) as date) as service_from,
        try_cast(iso_date(service_end) as date) as service_until
    from line_parts
),

-- The last day on which a line's discounts may be given: Stripe ends them at a moment, the first one not served.
discount_ends as (
    select
        p.invoice_id,
        p.id,
        min(coalesce(strftime(try_cast(iso_date(p.ends) as date) - interval 1 day, '%Y-%m-%d'), p.ends)) as last_day
    from (
        select
            l.invoice_id,
            l.id,
            -- A list that names no known discount leaves the subscription's, if it has but one.
            coalesce(
                json_extract_string(l.part, '$.discount.end'),
                d.ends,
                case when d.id is null and s.other_discount is null then s.discount_end end
            ) as ends
        from (
            select
                invoice_id,
                id,
                coalesce(subscription_id, invoiced_subscription) as subscription,
                unnest(json_extract(discount_amounts, '$[*]')) as part
            from line_parts
            where json_valid(discount_amounts)
        ) as l
        left join given_discounts as d
            on
                coalesce(json_extract_string(l.part, '$.discount.id'), json_extract_string(l.part, '$.discount')) = d.id
        left join subscriptions as s on l.subscription = s.id
        where coalesce(amount(json_extract_string(l.part, '$.amount')) <> 0, true)
    ) as p
    where p.ends is not null
    group by p.invoice_id, p.id
),

-- The rate on top of a line, where each of its taxes has one and is computed on the whole line.
line_rates as (
    select
        p.invoice_id,
        p.id,
        cast(sum(amount(p.percentage)) as varchar) as pct
    from (
        select
            l.invoice_id,
            l.id,
            json_extract_string(l.part, '$.taxable_amount') as base,
            l.whole,
            json_extract_string(l.part, '$.inclusive') = 'true'
            or json_extract_string(l.part, '$.tax_behavior') = 'inclusive' as is_inclusive,
            coalesce(json_extract_string(l.part, '$.tax_rate.percentage'), r.percentage) as percentage
        from (
            select
                invoice_id,
                id,
                amount(amount) - coalesce(list_sum([amount(d) for d in discounts]), 0) as whole,
                unnest(tax_parts) as part
            from line_parts
            where contains(tax_list, '"tax_rate')
        ) as l
        left join tax_rates as r
            on
                coalesce(
                    json_extract_string(l.part, '$.tax_rate_details.tax_rate'),
                    json_extract_string(l.part, '$.tax_rate.id'),
                    json_extract_string(l.part, '$.tax_rate')
                ) = r.id
    ) as p
    group by p.invoice_id, p.id
    having bool_and(
        amount(p.percentage) is not null
        and not coalesce(p.is_inclusive, false)
        and coalesce(amount(p.base), p.whole) = p.whole
    )
),

from_lines as (
    select
        -- Before 2019 the line of a subscription bore its id, the same on every invoice.
        case
            when regexp_matches(l.id, '^(sub|si|su|ii)_') then l.invoice_id || ':' || l.id
            else l.id
        end as id,
        l.invoice_id as document,
        l.subscription_id as subscription,
        l.position as line_number,
        sold_product_id as product,
        description,
        quantity,
        price_minor,
        case when is_negative then -1 else 1 end as direction,
        amount as amount_text,
        amount(amount) - inclusive_tax as gross,
        l.discount_text,
        e.last_day as discount_ends_on,
        l.tax_text,
        r.pct as tax_pct,
        upper(money) as currency,
        iso_date(service_start) as service_starts_on,
        -- Stripe calls the end inclusive, yet bills a month from the 1st to the 1st: an end whole months after
        -- the start is the first day of the next period.
        case
            when
                service_until > service_from
                and service_from + to_months(
                    cast(date_diff('month', service_from, service_until) as integer)
                ) = service_until
                then strftime(service_until - interval 1 day, '%Y-%m-%d')
            else iso_date(service_end)
        end as service_ends_on,
        is_invoice_deleted or coalesce(is_dropped, false) as is_deleted,
        'invoice_line_item' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from line_sums as l
    left join discount_ends as e on l.invoice_id = e.invoice_id and l.id = e.id
    left join line_rates as r on l.invoice_id = r.invoice_id and l.id = r.id
),

-- Shipping is part of an invoice's total and stands on no line.
from_shipping as (
    select
        id || ':shipping' as id,
        id as document,
        null as subscription,
        null as line_number,
        null as product,
        'Shipping' as description,
        null as quantity,
        null as price_minor,
        case when coalesce(amount(total) < 0, false) then -1 else 1 end as direction,
        coalesce(shipping_subtotal, amount_shipping) as amount_text,
        amount(coalesce(shipping_subtotal, amount_shipping)) as gross,
        '0' as discount_text,
        null as discount_ends_on,
        shipping_tax as tax_text,
        null as tax_pct,
        upper(currency) as currency,
        null as service_starts_on,
        null as service_ends_on,
        coalesce(_deleted, false) or coalesce(status = 'deleted', false) as is_deleted,
        'invoice' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from invoiced
    where amount(amount_shipping) <> 0
),

-- Keyless in the column, a credit line names the invoice line it takes back: that one knows the product.
credit_parts as (
    select
        l.*,
        coalesce(l.currency, c.currency) as money,
        coalesce(c._deleted, false) as is_note_deleted,
        s.product as sold_product_id,
        coalesce(l.taxes, l.tax_amounts) as tax_list,
        case
            when
                json_valid(coalesce(l.taxes, l.tax_amounts))
                then json_extract(coalesce(l.taxes, l.tax_amounts), '$[*]')
        end as tax_parts,
        case when json_valid(l.discount_amounts) then json_extract_string(l.discount_amounts, '$[*].amount') end
            as discounts
    from credited_lines as l
    left join credited as c on l.credit_note_id = c.id
    left join from_lines as s on coalesce(c.invoice_id, l.invoice_id) = s.document and l.invoice_line_item_id = s.id
),

from_credit_lines as (
    select
        id,
        credit_note_id as document,
        null as subscription,
        position as line_number,
        sold_product_id as product,
        description,
        quantity,
        unit_amount as price_minor,
        1 as direction,
        amount as amount_text,
        amount(amount) - coalesce(list_sum([
            amount(json_extract_string(t, '$.amount')) for t in tax_parts
            if json_extract_string(t, '$.inclusive') = 'true' or json_extract_string(t, '$.tax_behavior') = 'inclusive'
        ]), 0) as gross,
        coalesce(
            discount_amount,
            case
                when discount_amounts is null then null
                when len(discounts) = len([d for d in discounts if amount(d) is not null])
                    then cast(coalesce(list_sum([amount(d) for d in discounts]), 0) as varchar)
                else discount_amounts
            end,
            '0'
        ) as discount_text,
        null as discount_ends_on,
        case
            when tax_list is null then null
            when len(tax_parts) = len([t for t in tax_parts if amount(json_extract_string(t, '$.amount')) is not null])
                then cast(
                    coalesce(list_sum([amount(json_extract_string(t, '$.amount')) for t in tax_parts]), 0) as varchar
                )
            else tax_list
        end as tax_text,
        null as tax_pct,
        upper(money) as currency,
        null as service_starts_on,
        null as service_ends_on,
        is_note_deleted as is_deleted,
        'credit_note_line_item' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from credit_parts
),

all_lines as (
    select * from from_lines
    union all
    select * from from_shipping
    union all
    select * from from_credit_lines
),

mapped as (
    select
        key('billing', id) as invoice_line_id,
        key('billing', document) as invoice_id,
        key('billing', subscription) as contract_id,
        line_number,
        key('billing', product) as product_id,
        description,
        quantity,
        from_minor(price_minor, currency) as unit_price,
        from_minor(coalesce(cast(direction * gross as varchar), amount_text), currency) as gross_amount,
        from_minor(coalesce(cast(direction * amount(discount_text) as varchar), discount_text), currency)
            as discount_amount,
        from_minor(
            coalesce(cast(direction * (gross - amount(discount_text)) as varchar), amount_text), currency
        ) as net_amount,
        discount_ends_on,
        from_minor(coalesce(cast(direction * amount(tax_text) as varchar), tax_text), currency) as tax_amount,
        tax_pct,
        currency,
        service_starts_on,
        service_ends_on,
        null as valid_from,
        is_deleted,
        source_table,
        load_seq,
        row_number
    from all_lines
)

select * from mapped
