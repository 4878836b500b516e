-- Documents that change the receivable: invoices, credit memos, statement charges, cash sales and refunds (billed and
-- settled at once), and journals that were applied to a customer's document.
with documents as (
    select
        t.*,
        -- +1: bills the customer, so that the main line is positive and item lines are negative; -1: the reverse.
        case when t.type in ('CustCred', 'CashRfnd') then -1 else 1 end as direction,
        -- 'B', 'CustInvc:B' and 'Invoice : Paid In Full' are the three spellings of a status.
        lower(trim(case when contains(t.status, ':') then split_part(t.status, ':', 2) else t.status end)) as state
    from transaction as t
    where t.type in ('CustInvc', 'CustCred', 'CustChrg', 'CashSale', 'CashRfnd')
),

lines as (
    select
        l.transaction,
        l.subsidiary,
        l.entity,
        l.createdfrom,
        l.item,
        l.foreignamountunpaid,
        -- The main line carries the document's total; extracts without the flag have it as line 0.
        coalesce(is_true(l.mainline), case when l.id = '0' then 'true' else 'false' end) = 'true' as is_main,
        coalesce(is_true(l.taxline), 'false') = 'true' or l.itemtype in ('TaxItem', 'TaxGroup') as is_tax,
        coalesce(is_true(l.transactiondiscount), 'false') = 'true' or l.itemtype = 'Discount' as is_discount,
        -- Cost postings and sums of other lines are no part of what is billed.
        coalesce(is_true(l.iscogs), 'false') = 'true' or coalesce(is_true(l.isfxvariance), 'false') = 'true'
        or l.itemtype in ('Subtotal', 'Group', 'EndGroup', 'Description') as is_other,
        d.direction,
        -- Accounts without multiple currencies have the functional amount only.
        coalesce(
            l.foreignamount, case when coalesce(amount(d.exchangerate), 1) = 1 then l.netamount end
        ) as foreignamount
    from transactionline as l
    inner join documents as d on l.transaction = d.id
    where not l._deleted and l.date_deleted is null
),

totals as (
    select
        transaction,
        coalesce(max(subsidiary) filter (where is_main), max(subsidiary)) as subsidiary,
        coalesce(max(entity) filter (where is_main), max(entity)) as entity,
        case when count(distinct createdfrom) = 1 then max(createdfrom) end as createdfrom,
        max(foreignamount) filter (where is_main) as main_amount,
        max(foreignamountunpaid) filter (where is_main) as unpaid,
        -sum(direction * amount(foreignamount)) filter (where not is_main and not coalesce(is_other, false))
            as lines_amount,
        -- A sum must not hide a part that is no number: such text goes to the gate in the sum's place.
        coalesce(
            min(foreignamount) filter (where is_tax and not is_main and amount(foreignamount) is null),
            cast(-sum(direction * amount(foreignamount)) filter (where is_tax and not is_main) as varchar),
            '0'
        ) as tax_amount,
        coalesce(
            min(foreignamount) filter (where is_discount and not is_main and amount(foreignamount) is null),
            cast(sum(direction * amount(foreignamount)) filter (where is_discount and not is_main) as varchar),
            '0'
        ) as discount_amount,
        coalesce(bool_and(list_contains(write_off.items, item)) filter (where not is_main and not is_tax), false)
            as is_write_off
    from lines
    cross join (
        select list_transform(string_split(getvariable('write_off_items'), ','), lambda i: trim(i)) as items
    ) as write_off
    group by transaction
),

-- The sales order an invoice bills, where exactly one is linked.
orders as (
    select
        nextdoc,
        min(previousdoc) as sales_order
    from nexttransactionlinelink
    where (linktype = 'OrdBill' or previoustype = 'SalesOrd') and not _deleted
    group by nextdoc
    having count(distinct previousdoc) = 1
),

billed as (
    select
        d.*,
        -- Credit memos show their total with either sign, depending on the extract.
        coalesce(
            case when d.direction = -1 then cast(abs(amount(d.foreigntotal)) as varchar) end,
            d.foreigntotal,
            cast(d.direction * amount(n.main_amount) as varchar),
            n.main_amount,
            cast(n.lines_amount as varchar)
        ) as total_amount,
        n.tax_amount,
        n.discount_amount,
        n.unpaid,
        n.is_write_off,
        coalesce(d.entity, n.entity) as customer,
        coalesce(d.subsidiary, n.subsidiary) as legal_entity,
        coalesce(n.createdfrom, o.sales_order) as origin,
        n.createdfrom
    from documents as d
    left join totals as n on d.id = n.transaction
    left join orders as o on d.id = o.nextdoc
),

invoices as (
    select
        key('erp', b.id) as invoice_id,
        case
            when b.type in ('CustInvc', 'CashSale') then 'invoice'
            when b.type = 'CustChrg' then 'debit_memo'
            when b.is_write_off then 'write_off'
            else 'credit_memo'
        end as kind,
        case
            when is_true(b.voided) = 'true' or b.state in ('v', 'voided', 'void') then 'void'
            when
                is_true(b.posting) = 'false' or b.state in ('pending approval', 'rejected')
                or (b.type = 'CustInvc' and b.state in ('d', 'e')) then 'draft'
            else 'posted'
        end as status,
        coalesce(b.tranid, b.transactionnumber) as document_number,
        b.externalid as external_ref,
        key('erp', b.customer) as customer_id,
        coalesce(key('erp', b.legal_entity), default_legal_entity()) as legal_entity_id,
        key('crm', coalesce(b.crm_opportunity, o.crm_opportunity, o.externalid)) as opportunity_ref,
        case when b.direction = -1 and c.type = 'CustInvc' then key('erp', b.createdfrom) end as original_invoice_id,
        key('erp', b.postingperiod) as accounting_period_id,
        iso_date(b.trandate) as issued_on,
        iso_date(b.duedate) as due_on,
        -- NetSuite keeps no date of voiding; where a reversal did it, the reversal has one.
        case
            when is_true(b.voided) = 'true' or b.state in ('v', 'voided', 'void')
                then iso_date(coalesce(b.reversaldate, r.trandate))
        end as voided_on,
        coalesce(currency.symbol, base.only_currency, b.currency, fc.symbol, base.currency) as currency,
        -- The header decides: net is the total without the tax lines, gross adds the discount lines back.
        coalesce(
            cast(
                amount(b.total_amount) - amount(coalesce(b.tax_amount, '0'))
                + amount(coalesce(b.discount_amount, '0')) as varchar
            ),
            b.total_amount
        ) as gross_amount,
        coalesce(b.discount_amount, '0') as discount_amount,
        coalesce(
            cast(amount(b.total_amount) - amount(coalesce(b.tax_amount, '0')) as varchar), b.total_amount
        ) as net_amount,
        coalesce(b.tax_amount, '0') as tax_amount,
        b.total_amount,
        case when b.direction = 1 then coalesce(b.foreignamountunpaid, b.unpaid) end as open_amount,
        b.exchangerate,
        coalesce(gone.deleteddate, b.lastmodifieddate, b.createddate) as changed_at,
        b._deleted or b.date_deleted is not null or gone.recordid is not null as is_deleted,
        b._load_seq,
        b._row
    from billed as b
    cross join base
    left join currency on b.currency = currency.id
    left join subsidiary as s on b.legal_entity = s.id
    left join currency as fc on s.currency = fc.id
    left join transaction as o on b.origin = o.id and o.type = 'SalesOrd'
    left join transaction as c on b.createdfrom = c.id
    left join transaction as r on b.reversal = r.id
    left join gone on b.id = gone.recordid
),

-- Journals that are documents of their own, by side.
receivable_sides as (
    select
        l.transaction,
        amount(l.foreignamount) > 0 as is_debit,
        max(l.subsidiary) as subsidiary,
        case when count(distinct l.entity) = 1 then max(l.entity) end as entity,
        cast(abs(sum(amount(l.foreignamount))) as varchar) as total_amount
    from transactionline as l
    inner join transactionaccountingline as a
        on
            l.transaction = a.transaction and l.id = a.transactionline
            and coalesce(a.accountingbook, getvariable('primary_book')) = getvariable('primary_book')
    inner join account on a.account = account.id and account.accttype = 'AcctRec'
    where l.transaction in (select journal from journal_sides)
    group by l.transaction, is_debit
),

journals as (
    select
        key('erp', j.id) || case when k.is_debit then '/debit' else '' end as invoice_id,
        case when k.is_debit then 'debit_memo' else 'write_off' end as kind,
        case
            when is_true(j.voided) = 'true' then 'void' when is_true(j.posting) = 'false' then 'draft' else 'posted'
        end
            as status,
        coalesce(j.tranid, j.transactionnumber) as document_number,
        j.externalid as external_ref,
        key('erp', coalesce(s.entity, j.entity)) as customer_id,
        coalesce(key('erp', coalesce(j.subsidiary, s.subsidiary)), default_legal_entity()) as legal_entity_id,
        null as opportunity_ref,
        null as original_invoice_id,
        key('erp', j.postingperiod) as accounting_period_id,
        iso_date(j.trandate) as issued_on,
        null as due_on,
        null as voided_on,
        coalesce(currency.symbol, base.only_currency, j.currency, base.currency) as currency,
        s.total_amount as gross_amount,
        '0' as discount_amount,
        s.total_amount as net_amount,
        '0' as tax_amount,
        s.total_amount,
        null as open_amount,
        j.exchangerate,
        coalesce(gone.deleteddate, j.lastmodifieddate, j.createddate) as changed_at,
        j._deleted or j.date_deleted is not null or gone.recordid is not null as is_deleted,
        j._load_seq,
        j._row
    from journal_sides as k
    inner join transaction as j on k.journal = j.id
    cross join base
    left join receivable_sides as s on j.id = s.transaction and k.is_debit = s.is_debit
    left join currency on j.currency = currency.id
    left join gone on j.id = gone.recordid
),

everything as (
    select * from invoices
    union all
    select * from journals
)

select
    * exclude (exchangerate, changed_at, _load_seq, _row),
    -- NetSuite computes rates in floating point; what lies beyond twelve decimals is its noise, not a rate.
    coalesce(
        case
            when length(exchangerate) > 13
                then cast(cast(try_cast(exchangerate as decimal(38, 18)) as decimal(28, 12)) as varchar)
        end,
        exchangerate
    ) as exchange_rate,
    iso_instant(changed_at) as valid_from,
    'transaction' as source_table,
    _load_seq as load_seq,
    _row as row_number
from everything
