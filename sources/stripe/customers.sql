-- One row per Stripe customer. A deleted one arrives as a stub of its id: the rest is gone at the source.
with customers as (select * from customer),

-- In the flattened dialect metadata is JSON text, sometimes wrapped in quotes once more.
read as (
    select
        *,
        case when json_valid(trim(metadata, '"')) then trim(metadata, '"') end as meta
    from customers
),

mapped as (
    select
        key('billing', id) as customer_id,
        coalesce(name, description) as name,
        key('crm', coalesce(crm_account, json_extract_string(meta, '$."' || getvariable('crm_account') || '"')))
            as crm_customer_id,
        key('erp', coalesce(erp_customer, json_extract_string(meta, '$."' || getvariable('erp_customer') || '"')))
            as erp_customer_id,
        tax_id,
        email,
        country,
        city,
        postal_code,
        upper(currency) as currency,
        iso_instant(created) as created_at,
        iso_instant(created) as valid_from,
        coalesce(_deleted, false) as is_deleted,
        'customer' as source_table,
        _load_seq as load_seq,
        _row as row_number
    from read
)

select * from mapped
