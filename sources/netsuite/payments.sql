-- Customers' money: payments, deposits paid ahead, refunds, and the cash side of cash sales and cash refunds.
-- A deposit application (DepAppl) moves no money: it applies the deposit, and is found in applications.
with documents as (
    select
        t.*,
        lower(trim(case when contains(t.status, ':') then split_part(t.status, ':', 2) else t.status end)) as state
    from transaction as t
    where t.type in ('CustPymt', 'CustDep', 'CustRfnd', 'CashSale', 'CashRfnd')
),

lines as (
    select
        l.transaction,
        coalesce(
            max(l.subsidiary) filter (where coalesce(is_true(l.mainline), 'false') = 'true' or l.id = '0'),
            max(l.subsidiary)
        ) as subsidiary,
        max(l.entity) as entity,
        max(coalesce(l.foreignamount, case when coalesce(amount(d.exchangerate), 1) = 1 then l.netamount end))
        filter (where coalesce(is_true(l.mainline), case when l.id = '0' then 'true' end) = 'true') as main_amount
    from transactionline as l
    inner join documents as d on l.transaction = d.id
    where not l._deleted and l.date_deleted is null
    group by l.transaction
),

-- The payment a refund pays back, where it is exactly one.
refunded as (
    select
        pair.refund,
        min(pair.payment) as payment
    from (
        select
            nextdoc as refund,
            previousdoc as payment
        from nexttransactionlinelink
        where not _deleted
        union
        select
            previousdoc,
            nextdoc
        from nexttransactionlinelink
        where not _deleted
    ) as pair
    inner join documents as r on pair.refund = r.id and r.type = 'CustRfnd'
    inner join documents as p on pair.payment = p.id and p.type in ('CustPymt', 'CustDep')
    group by pair.refund
    having count(distinct pair.payment) = 1
)

select
    key('erp', d.id) as payment_id,
    case when d.type in ('CustRfnd', 'CashRfnd') then 'refund' else 'payment' end as kind,
    case
        when is_true(d.voided) = 'true' or d.state in ('v', 'voided', 'void') then 'void'
        when
            is_true(d.posting) = 'false' or d.state in ('unapproved payment', 'pending approval', 'rejected')
            then 'pending'
        else 'succeeded'
    end as status,
    coalesce(d.tranid, d.transactionnumber) as document_number,
    d.externalid as external_ref,
    key('erp', coalesce(d.entity, l.entity)) as customer_id,
    coalesce(key('erp', coalesce(d.subsidiary, l.subsidiary)), default_legal_entity()) as legal_entity_id,
    key('erp', r.payment) as original_payment_id,
    null as is_undecided,
    key('erp', d.postingperiod) as accounting_period_id,
    iso_date(d.trandate) as paid_on,
    d.paymentmethod as method,
    coalesce(currency.symbol, base.only_currency, d.currency, fc.symbol, base.currency) as currency,
    -- The sign of a payment's total depends on the extract; its kind says the direction.
    coalesce(cast(abs(amount(coalesce(d.foreigntotal, l.main_amount))) as varchar), d.foreigntotal, l.main_amount)
        as amount,
    -- NetSuite computes rates in floating point; what lies beyond twelve decimals is its noise, not a rate.
    coalesce(
        case
            when length(d.exchangerate) > 13
                then cast(cast(try_cast(d.exchangerate as decimal(38, 18)) as decimal(28, 12)) as varchar)
        end,
        d.exchangerate
    ) as exchange_rate,
    iso_instant(coalesce(gone.deleteddate, d.lastmodifieddate, d.createddate)) as valid_from,
    d._deleted or d.date_deleted is not null or gone.recordid is not null as is_deleted,
    'transaction' as source_table,
    d._load_seq as load_seq,
    d._row as row_number
from documents as d
cross join base
left join lines as l on d.id = l.transaction
left join refunded as r on d.id = r.refund
left join currency on d.currency = currency.id
left join subsidiary as s on coalesce(d.subsidiary, l.subsidiary) = s.id
left join currency as fc on s.currency = fc.id
left join gone on d.id = gone.recordid
