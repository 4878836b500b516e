-- Customers. NetSuite deletes the loser of a merge outright and names no survivor: it shows only in deletedrecord.
with gone as (
    select
        recordid,
        max(deleteddate) as deleteddate
    from deletedrecord
    where lower(type) in ('customer', 'custjob', 'job', 'entity') or recordtypeid = '-2'
    group by recordid
)

select
    key('erp', c.id) as customer_id,
    coalesce(c.companyname, c.altname, nullif(concat_ws(' ', c.firstname, c.lastname), ''), c.entityid) as name,
    key('erp', nullif(c.parent, c.id)) as parent_customer_id,
    key('crm', c.crm_customer) as crm_customer_id,
    key('billing', c.billing_customer) as billing_customer_id,
    c.tax_number as tax_id,
    c.email,
    c.url as website,
    c.country,
    c.city,
    c.postal_code,
    -- Extracts made with display names show the code itself where others show the id; a company without a currency
    -- table has one currency.
    coalesce(
        own.symbol,
        case when not exists (select 1 from currency) then nullif(getvariable('base_currency'), '') end,
        c.currency
    ) as currency,
    c.terms,
    iso_instant(c.datecreated) as created_at,
    iso_instant(coalesce(gone.deleteddate, c.lastmodifieddate)) as valid_from,
    c._deleted or c.date_deleted is not null or gone.recordid is not null as is_deleted,
    'customer' as source_table,
    c._load_seq as load_seq,
    c._row as row_number
from customer as c
left join currency as own on c.currency = own.id
left join gone on c.id = gone.recordid
