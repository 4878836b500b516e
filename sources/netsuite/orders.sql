-- Sales orders. They do not post; they say what was agreed to be delivered.
with lines as (
    select
        l.transaction,
        max(l.subsidiary) as subsidiary,
        max(l.entity) as entity,
        max(l.foreignamount)
        filter (where coalesce(is_true(l.mainline), case when l.id = '0' then 'true' end) = 'true') as main_amount
    from transactionline as l
    inner join transaction as t on l.transaction = t.id and t.type = 'SalesOrd'
    where not l._deleted
    group by l.transaction
)

select
    key('erp', t.id) as order_id,
    key('erp', coalesce(t.entity, l.entity)) as customer_id,
    -- Integrations write the opportunity into a field of its own, or make it the order's external id.
    key('crm', coalesce(t.crm_opportunity, t.externalid)) as opportunity_id,
    coalesce(t.tranid, t.transactionnumber) as order_number,
    t.status,
    iso_date(t.trandate) as ordered_on,
    coalesce(t.foreigntotal, l.main_amount) as total_amount,
    coalesce(currency.symbol, base.only_currency, t.currency, sc.symbol, base.currency) as currency,
    iso_instant(coalesce(gone.deleteddate, t.lastmodifieddate, t.createddate)) as valid_from,
    t._deleted or t.date_deleted is not null or gone.recordid is not null as is_deleted,
    'transaction' as source_table,
    t._load_seq as load_seq,
    t._row as row_number
from transaction as t
cross join base
left join lines as l on t.id = l.transaction
left join currency on t.currency = currency.id
left join subsidiary as s on coalesce(t.subsidiary, l.subsidiary) = s.id
left join currency as sc on s.currency = sc.id
left join gone on t.id = gone.recordid
where t.type = 'SalesOrd'
