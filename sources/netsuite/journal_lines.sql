-- Debits and credits of every book, in functional currency, debit positive. A posting whose transaction is in no
-- extract is passed on all the same: the gate refuses it with the money it stands for.
-- Lines that name no subsidiary belong to that of their main line.
with main_lines as (
    select
        transaction,
        coalesce(
            max(subsidiary) filter (where coalesce(is_true(mainline), 'false') = 'true' or id = '0'), max(subsidiary)
        ) as subsidiary
    from transactionline
    group by transaction
),

functional as (
    select
        s.id,
        coalesce(c.symbol, s.currency) as currency
    from subsidiary as s
    left join currency as c on s.currency = c.id
),

postings as (
    select
        a.*,
        coalesce(a.accountingbook, getvariable('primary_book')) as book,
        coalesce(a.amount, a.netamount) as net,
        t.type,
        t.currency as document_currency,
        l.memo,
        coalesce(
            is_true(l.taxline), case when l.itemtype in ('TaxItem', 'TaxGroup') then 'true' else 'false' end
        ) as is_tax,
        l.foreignamount,
        coalesce(l.entity, t.entity) as entity,
        coalesce(l.subsidiary, m.subsidiary, t.subsidiary) as legal_entity,
        coalesce(t._deleted or t.date_deleted is not null, false) as is_header_deleted
    from transactionaccountingline as a
    left join transaction as t on a.transaction = t.id
    left join transactionline as l on a.transaction = l.transaction and a.transactionline = l.id
    left join main_lines as m on a.transaction = m.transaction
    where
        -- A line with neither account nor amount posts nothing, and an order's lines do not post.
        (a.account is not null or coalesce(a.amount, a.netamount, a.debit, a.credit) is not null)
        and coalesce(is_true(coalesce(a.posting, t.posting)), 'true') <> 'false'
)

select
    key('erp', p.transaction) || '/' || p.transactionline
    || case when p.book = getvariable('primary_book') then '' else '/' || p.book end as journal_line_id,
    key('erp', p.transaction) || case when p.book = getvariable('primary_book') then '' else '/' || p.book end
        as journal_event_id,
    key('erp', p.account) as gl_account_id,
    coalesce(key('erp', p.legal_entity), default_legal_entity()) as legal_entity_id,
    -- Vendors and employees are entities too; only customers are customers.
    case when c.id is not null or p.type like 'Cust%' then key('erp', p.entity) end as customer_id,
    coalesce(base.only_currency, f.currency, base.currency) as currency,
    -- Some extracts give one signed amount, some debit and credit. NetSuite leaves all empty on a line that posts
    -- zero; were a real amount missing, the posting would not balance and be refused whole.
    -- Text that is no number goes to the gate as it came.
    coalesce(
        p.net,
        cast(amount(coalesce(p.debit, '0')) - amount(coalesce(p.credit, '0')) as varchar),
        case when amount(p.debit) is null then p.debit end,
        p.credit
    ) as amount,
    coalesce(dc.symbol, base.only_currency, p.document_currency, f.currency, base.currency) as transaction_currency,
    p.foreignamount as transaction_amount,
    p.is_tax,
    p.memo,
    iso_instant(coalesce(gone.deleteddate, p.lastmodifieddate)) as valid_from,
    p._deleted or p.date_deleted is not null or p.is_header_deleted or gone.recordid is not null as is_deleted,
    'transactionaccountingline' as source_table,
    p._load_seq as load_seq,
    p._row as row_number
from postings as p
cross join base
left join functional as f on p.legal_entity = f.id
left join currency as dc on p.document_currency = dc.id
left join customer as c on p.entity = c.id
left join gone on p.transaction = gone.recordid
