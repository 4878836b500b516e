-- Lines of billing documents without main, tax and cost lines. A line whose document is in no extract is passed on all
-- the same: the gate refuses it with the money it stands for.

-- The currency of a document without one is its entity's.
with subsidiary_currency as (
    select
        s.id,
        currency.symbol
    from subsidiary as s
    inner join currency on s.currency = currency.id
),

lines as (
    select
        l.*,
        t.id is null as is_orphan,
        coalesce(currency.symbol, base.only_currency, t.currency, fc.symbol, base.currency) as document_currency,
        case when t.type in ('CustCred', 'CashRfnd') then -1 else 1 end as direction,
        coalesce(is_true(l.transactiondiscount), 'false') = 'true' or coalesce(l.itemtype = 'Discount', false)
            as is_discount,
        coalesce(
            l.foreignamount, case when coalesce(amount(t.exchangerate), 1) = 1 then l.netamount end
        ) as native_amount,
        gone.deleteddate,
        l._deleted or l.date_deleted is not null or coalesce(t._deleted or t.date_deleted is not null, false)
        or gone.recordid is not null as is_deleted
    from transactionline as l
    cross join base
    left join transaction as t on l.transaction = t.id
    left join currency on t.currency = currency.id
    left join subsidiary_currency as fc on l.subsidiary = fc.id
    left join gone on l.transaction = gone.recordid
    where
        coalesce(t.type in ('CustInvc', 'CustCred', 'CustChrg', 'CashSale', 'CashRfnd'), true)
        and coalesce(is_true(l.mainline), case when l.id = '0' then 'true' else 'false' end) <> 'true'
        and coalesce(is_true(l.taxline), 'false') <> 'true'
        and coalesce(is_true(l.iscogs), 'false') <> 'true'
        and coalesce(is_true(l.isfxvariance), 'false') <> 'true'
        -- Subtotals and group ends repeat what other lines say; descriptions say nothing in money.
        and coalesce(l.itemtype, '')
        not in ('TaxItem', 'TaxGroup', 'Subtotal', 'Group', 'EndGroup', 'Description')
),

signed as (
    -- Native item lines are credits on an invoice: negative there, positive on the document.
    select
        *,
        coalesce(cast(-direction * amount(native_amount) as varchar), native_amount) as document_amount
    from lines
    where native_amount is not null or item is not null
)

select
    key('erp', transaction) || '/' || id as invoice_line_id,
    key('erp', transaction) as invoice_id,
    linesequencenumber as line_number,
    key('erp', item) as product_id,
    memo as description,
    coalesce(cast(-direction * amount(quantity) as varchar), quantity) as quantity,
    -- The rate of a discount line is a percentage or an amount, as entered: no price.
    case when not is_discount then rate end as unit_price,
    case when is_discount then '0' else document_amount end as gross_amount,
    case
        when is_discount then coalesce(cast(-amount(document_amount) as varchar), document_amount) else '0'
    end as discount_amount,
    document_amount as net_amount,
    document_currency as currency,
    iso_date(service_start) as service_starts_on,
    iso_date(service_end) as service_ends_on,
    iso_instant(coalesce(deleteddate, linelastmodifieddate)) as valid_from,
    is_deleted,
    'transactionline' as source_table,
    _load_seq as load_seq,
    _row as row_number
from signed
