-- One row per invoice and per credit note. total = net + tax; gross = net + discount.
with invoiced as (select * from invoice),

credited as (select * from credit_note),

customers as (select * from customer),

-- Tax, discount and billing credits come as a figure in some API versions and as a list of parts in others. A list that
-- is not one, or holds what is no number, goes on as it is: the gate refuses it.
invoice_parts as (
    select
        *,
        case when json_valid(trim(metadata, '"')) then trim(metadata, '"') end as meta,
        case when json_valid(total_taxes) then json_extract_string(total_taxes, '$[*].amount') end as new_taxes,
        case when json_valid(total_tax_amounts) then json_extract_string(total_tax_amounts, '$[*].amount') end
            as old_taxes,
        case when json_valid(total_tax_amounts) then json_extract(total_tax_amounts, '$[*]') end as old_tax_parts,
        case when json_valid(total_discount_amounts) then json_extract_string(total_discount_amounts, '$[*].amount') end
            as discounts,
        case when json_valid(total_pretax_credit_amounts) then json_extract(total_pretax_credit_amounts, '$[*]') end
            as pretax_parts
    from invoiced
),

invoice_sums as (
    select
        *,
        coalesce(amount(amount_shipping), 0) as shipping,
        coalesce(list_sum([
            amount(json_extract_string(part, '$.amount')) for part in pretax_parts
            if json_extract_string(part, '$.type') = 'credit_balance_transaction'
        ]), 0) as billing_credits,
        list_sum([
            amount(json_extract_string(part, '$.amount')) for part in old_tax_parts
            if json_extract_string(part, '$.inclusive') = 'true'
        ]) as inclusive_tax,
        case
            when total_discount_amounts is null then null
            when len(discounts) = len([d for d in discounts if amount(d) is not null])
                then cast(coalesce(list_sum([amount(d) for d in discounts]), 0) as varchar)
            else total_discount_amounts
        end as discount_list,
        coalesce(
            tax,
            case
                when total_taxes is null then null
                when len(new_taxes) = len([t for t in new_taxes if amount(t) is not null])
                    then cast(coalesce(list_sum([amount(t) for t in new_taxes]), 0) as varchar)
                else total_taxes
            end,
            case
                when total_tax_amounts is null then null
                when len(old_taxes) = len([t for t in old_taxes if amount(t) is not null])
                    then cast(coalesce(list_sum([amount(t) for t in old_taxes]), 0) as varchar)
                else total_tax_amounts
            end,
            cast(amount(total) - amount(total_excluding_tax) as varchar),
            '0'
        ) as tax_text
    from invoice_parts
),

-- Without a list of discounts the identity total = subtotal + shipping - discount + tax gives their sum; tax counts
-- there unless it is inside the prices, which the old list says or an unchanged total shows.
invoice_amounts as (
    select
        *,
        amount(total) - amount(tax_text) as net,
        coalesce(
            cast(amount(discount_list) + billing_credits as varchar),
            discount_list,
            cast(
                greatest(
                    amount(subtotal) + shipping
                    + case
                        when inclusive_tax is not null then amount(tax_text) - inclusive_tax
                        when amount(subtotal) + shipping = amount(total) then 0
                        else amount(tax_text)
                    end
                    - amount(total),
                    0
                ) as varchar
            ),
            '0'
        ) as discount_text,
        -- A negative invoice is a credit to the customer's balance: a credit memo of positive amounts.
        coalesce(amount(total) < 0, false) as is_negative
    from invoice_sums
),

from_invoices as (
    select
        i.id,
        case when i.is_negative then 'credit_memo' else 'invoice' end as kind,
        -- Uncollectible stays posted and open: only the ledger writes off.
        case
            when i.status in ('open', 'paid', 'uncollectible') then 'posted'
            -- Only drafts can be deleted.
            when i.status = 'deleted' then 'draft'
            else i.status
        end as status,
        i.number as document_number,
        coalesce(i.erp_invoice, json_extract_string(i.meta, '$."' || getvariable('erp_invoice') || '"'))
            as external_ref,
        i.customer_id as customer,
        coalesce(i.legal_entity, json_extract_string(i.meta, '$."' || getvariable('legal_entity') || '"')) as entity,
        i.subscription_id as subscription,
        coalesce(i.opportunity, json_extract_string(i.meta, '$."' || getvariable('opportunity') || '"')) as opportunity,
        null as original,
        -- effective_at is the date printed on the document; the flattened dialect may have none but the period's end.
        iso_date(coalesce(i.effective_at, i.finalized_at, i.created, i.period_end)) as issued_on,
        -- Without a due date the invoice is charged at once.
        iso_date(coalesce(i.due_date, i.effective_at, i.finalized_at, i.created, i.period_end)) as due_on,
        case when i.status = 'void' then iso_date(i.voided_at) end as voided_on,
        upper(i.currency) as currency,
        case when i.is_negative then -1 else 1 end as direction,
        i.net,
        i.discount_text,
        i.tax_text,
        i.total as total_text,
        i.amount_remaining as open_text,
        greatest(
            iso_instant(i.created), iso_instant(i.finalized_at), iso_instant(i.paid_at),
            iso_instant(i.marked_uncollectible_at), iso_instant(i.voided_at)
        ) as valid_from,
        coalesce(i._deleted, false) or coalesce(i.status = 'deleted', false) as is_deleted,
        'invoice' as source_table,
        i._load_seq as load_seq,
        i._row as row_number
    from invoice_amounts as i
),

credit_parts as (
    select
        *,
        case when json_valid(trim(metadata, '"')) then trim(metadata, '"') end as meta,
        case when json_valid(total_taxes) then json_extract_string(total_taxes, '$[*].amount') end as new_taxes,
        case when json_valid(tax_amounts) then json_extract_string(tax_amounts, '$[*].amount') end as old_taxes,
        case when json_valid(discount_amounts) then json_extract_string(discount_amounts, '$[*].amount') end
            as discounts
    from credited
),

credit_sums as (
    select
        *,
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
        coalesce(
            cast(amount(total) - amount(total_excluding_tax) as varchar),
            case
                when total_taxes is null then null
                when len(new_taxes) = len([t for t in new_taxes if amount(t) is not null])
                    then cast(coalesce(list_sum([amount(t) for t in new_taxes]), 0) as varchar)
                else total_taxes
            end,
            case
                when tax_amounts is null then null
                when len(old_taxes) = len([t for t in old_taxes if amount(t) is not null])
                    then cast(coalesce(list_sum([amount(t) for t in old_taxes]), 0) as varchar)
                else tax_amounts
            end,
            '0'
        ) as tax_text
    from credit_parts
),

from_credit_notes as (
    select
        c.id,
        'credit_memo' as kind,
        case when c.status = 'issued' then 'posted' else c.status end as status,
        c.number as document_number,
        coalesce(c.erp_invoice, json_extract_string(c.meta, '$."' || getvariable('erp_invoice') || '"'))
            as external_ref,
        coalesce(c.customer_id, i.customer) as customer,
        i.entity,
        i.subscription,
        i.opportunity,
        c.invoice_id as original,
        iso_date(coalesce(c.effective_at, c.created)) as issued_on,
        null as due_on,
        case when c.status = 'void' then iso_date(c.voided_at) end as voided_on,
        upper(c.currency) as currency,
        1 as direction,
        amount(c.total) - amount(c.tax_text) as net,
        c.discount_text,
        c.tax_text,
        c.total as total_text,
        null as open_text,
        greatest(iso_instant(c.created), case when c.status = 'void' then iso_instant(c.voided_at) end) as valid_from,
        coalesce(c._deleted, false) as is_deleted,
        'credit_note' as source_table,
        c._load_seq as load_seq,
        c._row as row_number
    from credit_sums as c
    left join from_invoices as i on c.invoice_id = i.id
),

documents as (
    select * from from_invoices
    union all
    select * from from_credit_notes
),

entities as (
    select
        id,
        coalesce(
            legal_entity,
            case
                when json_valid(trim(metadata, '"'))
                    then json_extract_string(trim(metadata, '"'), '$."' || getvariable('legal_entity') || '"')
            end
        ) as entity
    from customers
),

-- Text that is no number falls through the arithmetic (null) and goes on as it came.
mapped as (
    select
        key('billing', d.id) as invoice_id,
        d.kind,
        d.status,
        d.document_number,
        d.external_ref,
        key('billing', d.customer) as customer_id,
        coalesce(key('erp', coalesce(d.entity, e.entity)), default_legal_entity()) as legal_entity_id,
        key('billing', d.subscription) as contract_id,
        key('crm', d.opportunity) as opportunity_ref,
        key('billing', d.original) as original_invoice_id,
        d.issued_on,
        d.due_on,
        d.voided_on,
        d.currency,
        from_minor(
            coalesce(cast(d.direction * (d.net + amount(d.discount_text)) as varchar), d.total_text), d.currency
        ) as gross_amount,
        from_minor(coalesce(cast(d.direction * amount(d.discount_text) as varchar), d.discount_text), d.currency)
            as discount_amount,
        from_minor(coalesce(cast(d.direction * d.net as varchar), d.total_text), d.currency) as net_amount,
        from_minor(coalesce(cast(d.direction * amount(d.tax_text) as varchar), d.tax_text), d.currency) as tax_amount,
        from_minor(coalesce(cast(d.direction * amount(d.total_text) as varchar), d.total_text), d.currency)
            as total_amount,
        from_minor(d.open_text, d.currency) as open_amount,
        d.valid_from,
        d.is_deleted,
        d.source_table,
        d.load_seq,
        d.row_number
    from documents as d
    left join entities as e on d.customer = e.id
)

select * from mapped
