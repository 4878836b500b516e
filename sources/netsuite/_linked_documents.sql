-- What applications ask of a document, whichever end of a link it is: one row per document, kept narrow and made apart,
-- for a large company's are millions, and each is looked up twice.
with main_lines as (
    select
        transaction,
        max(subsidiary) as subsidiary,
        max(coalesce(foreignamount, netamount))
        filter (where coalesce(is_true(mainline), case when id = '0' then 'true' end) = 'true') as main_amount
    from transactionline
    group by transaction
)

select
    t.id,
    iso_date(t.trandate) as dated_on,
    coalesce(c.symbol, base.only_currency, t.currency) as own_currency,
    sc.symbol as subsidiary_currency,
    case
        when t.type in ('CashSale', 'CashRfnd') and coalesce(is_true(t.posting), 'true') <> 'false' then t.type
    end as cash_kind,
    case when t.type in ('CashSale', 'CashRfnd') then coalesce(t.foreigntotal, m.main_amount) end as cash_amount,
    coalesce(is_true(t.voided) = 'true', false)
    or t._deleted or t.date_deleted is not null or gone.recordid is not null as is_off,
    gone.deleteddate,
    t.lastmodifieddate,
    t._load_seq as load_seq,
    t._row as row_number
from transaction as t
cross join base
left join gone on t.id = gone.recordid
left join main_lines as m on t.id = m.transaction
left join currency as c on t.currency = c.id
left join subsidiary as s on coalesce(t.subsidiary, m.subsidiary) = s.id
left join currency as sc on s.currency = sc.id
