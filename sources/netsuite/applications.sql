-- What was applied to what, one row per pair of documents: links of several lines of one pair are summed.
-- The types of both documents decide which is the invoice, whichever end of the link it stands on.
with write_off_items as (
    select list_transform(string_split(nullif(getvariable('write_off_items'), ''), ','), lambda i: trim(i)) as items
),

-- Credit memos that write off: every line that is neither main nor tax is of a write-off item.
write_offs as (
    select l.transaction as id
    from transactionline as l
    cross join write_off_items as w
    where
        w.items is not null and coalesce(is_true(l.taxline), 'false') <> 'true' and l.item is not null
        and coalesce(is_true(l.mainline), 'false') <> 'true'
    group by l.transaction
    having bool_and(list_contains(w.items, l.item))
),

links as (
    select
        k.previousdoc,
        k.nextdoc,
        k.linktype,
        k.foreignamount,
        k.lastmodifieddate,
        k.date_deleted,
        k._deleted,
        k._load_seq,
        k._row,
        coalesce(p.type, k.previoustype) as previous_kind,
        coalesce(n.type, k.nexttype) as next_kind
    from nexttransactionlinelink as k
    left join transaction as p on k.previousdoc = p.id
    left join transaction as n on k.nextdoc = n.id
),

-- A deposit application applies its deposit: the deposit is the money.
deposits as (
    select
        case when next_kind = 'DepAppl' then nextdoc else previousdoc end as application,
        min(case when next_kind = 'DepAppl' then previousdoc else nextdoc end) as deposit
    from links
    where
        (next_kind = 'DepAppl' and previous_kind = 'CustDep') or (previous_kind = 'DepAppl' and next_kind = 'CustDep')
    group by application
),

-- Each link with what is applied first and what it is applied to second. Money applies to claims, credits to invoices,
-- refunds to money and credits; of two journals the later one is applied.
turned as (
    select
        *,
        case
            when
                next_kind in ('CustPymt', 'CustDep', 'DepAppl')
                and previous_kind in ('CustInvc', 'CustChrg', 'Journal') then true
            when
                previous_kind in ('CustPymt', 'CustDep', 'DepAppl')
                and next_kind in ('CustInvc', 'CustChrg', 'Journal') then false
            when next_kind = 'CustRfnd' and previous_kind in ('CustPymt', 'CustDep', 'CustCred', 'Journal') then true
            when previous_kind = 'CustRfnd' and next_kind in ('CustPymt', 'CustDep', 'CustCred', 'Journal') then false
            -- Between these, other links exist that apply nothing: a credit memo made from an invoice, a journal that
            -- recognises its revenue.
            when coalesce(linktype, 'Payment') <> 'Payment' then null
            when next_kind in ('CustCred', 'Journal') and previous_kind in ('CustInvc', 'CustChrg') then true
            when previous_kind in ('CustCred', 'Journal') and next_kind in ('CustInvc', 'CustChrg') then false
            when next_kind = 'CustCred' and previous_kind = 'Journal' then true
            when previous_kind = 'CustCred' and next_kind = 'Journal' then false
            when next_kind = 'Journal' and previous_kind = 'Journal' then true
        end as next_is_applied
    from links
),

ends as (
    select
        *,
        case when next_is_applied then nextdoc else previousdoc end as applied,
        case when next_is_applied then previousdoc else nextdoc end as target,
        case when next_is_applied then next_kind else previous_kind end as applied_kind,
        case when next_is_applied then previous_kind else next_kind end as target_kind
    from turned
    where
        next_is_applied is not null
        -- Revenue and void journals hang on payments by other kinds of links.
        and ((previous_kind <> 'Journal' and next_kind <> 'Journal') or coalesce(linktype, 'Payment') = 'Payment')
),

pairs as (
    select
        applied,
        target,
        applied_kind,
        target_kind,
        -- A sum must not hide a part that is no number: such text goes to the gate in the sum's place.
        coalesce(
            min(foreignamount) filter (where amount(foreignamount) is null),
            cast(sum(amount(foreignamount)) filter (where not _deleted and date_deleted is null) as varchar),
            cast(sum(amount(foreignamount)) as varchar)
        ) as amount,
        bool_and(_deleted or date_deleted is not null) as is_deleted,
        max(lastmodifieddate) as lastmodifieddate,
        max(_load_seq) as load_seq,
        max_by(_row, _load_seq * 1000000000 + _row) as row_number
    from ends
    group by applied, target, applied_kind, target_kind
),

applied as (
    select
        key('erp', p.applied) || '/' || p.target as application_id,
        case
            when p.applied_kind in ('CustPymt', 'CustDep', 'DepAppl') then 'payment_to_invoice'
            when p.applied_kind = 'CustRfnd' and p.target_kind in ('CustPymt', 'CustDep') then 'refund_to_payment'
            when p.applied_kind = 'CustRfnd' then 'refund_to_credit'
            when p.applied_kind = 'Journal' or w.id is not null then 'write_off_to_invoice'
            else 'credit_to_invoice'
        end as kind,
        key('erp', coalesce(d.deposit, p.applied)) as from_id,
        -- A journal that is paid or credited is a debit memo, whose key says so; one that a refund pays back is not.
        key('erp', p.target)
        || case when p.target_kind = 'Journal' and p.applied_kind <> 'CustRfnd' then '/debit' else '' end as to_id,
        -- It counts once both documents are there; a link has no date of its own.
        greatest(f.dated_on, t.dated_on) as applied_on,
        coalesce(
            t.own_currency, f.own_currency, t.subsidiary_currency, f.subsidiary_currency, base.currency
        ) as currency,
        p.amount,
        coalesce(f.deleteddate, t.deleteddate, p.lastmodifieddate, f.lastmodifieddate) as changed_at,
        -- A link vanishes with its document, and when the document is voided: extracts never say that it did.
        p.is_deleted or coalesce(f.is_off, false) or coalesce(t.is_off, false) as is_deleted,
        'nexttransactionlinelink' as source_table,
        p.load_seq,
        p.row_number
    from pairs as p
    cross join base
    left join linked_documents as f on p.applied = f.id
    left join linked_documents as t on p.target = t.id
    left join deposits as d on p.applied = d.application and p.applied_kind = 'DepAppl'
    left join write_offs as w on p.applied = w.id and p.applied_kind = 'CustCred'
),

-- A cash sale pays itself, and a cash refund pays its own credit back.
cash as (
    select
        key('erp', d.id) || '/' || d.id as application_id,
        case when d.cash_kind = 'CashSale' then 'payment_to_invoice' else 'refund_to_credit' end as kind,
        key('erp', d.id) as from_id,
        key('erp', d.id) as to_id,
        d.dated_on as applied_on,
        coalesce(d.own_currency, d.subsidiary_currency, base.currency) as currency,
        coalesce(cast(abs(amount(d.cash_amount)) as varchar), d.cash_amount) as amount,
        coalesce(d.deleteddate, d.lastmodifieddate) as changed_at,
        d.is_off as is_deleted,
        'transaction' as source_table,
        d.load_seq,
        d.row_number
    from linked_documents as d
    cross join base
    where d.cash_kind is not null
),

everything as (
    select * from applied
    union all
    select * from cash
)

select
    * exclude (changed_at),
    iso_instant(changed_at) as valid_from
from everything
