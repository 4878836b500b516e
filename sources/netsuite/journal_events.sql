-- Every transaction that posts, once per accounting book. A voided one has posted nothing or zero; the ledger says.
with postings as (
    select
        a.transaction,
        coalesce(a.accountingbook, getvariable('primary_book')) as book,
        bool_and(a._deleted or a.date_deleted is not null) as is_deleted
    from transactionaccountingline as a
    left join transaction as t on a.transaction = t.id
    where
        a.account is not null
        -- Orders and estimates have accounting lines too, which post nothing.
        and coalesce(is_true(coalesce(a.posting, t.posting)), 'true') <> 'false'
    group by a.transaction, book
),

entities as (
    select
        transaction,
        case when count(distinct subsidiary) = 1 then max(subsidiary) end as subsidiary,
        count(subsidiary) = 0 as is_silent
    from transactionline
    where not _deleted and date_deleted is null
    group by transaction
),

journal_documents as (
    select
        journal as id,
        bool_and(is_debit) as is_debit
    from journal_sides
    group by journal
)

select
    key('erp', t.id) || case when p.book = getvariable('primary_book') then '' else '/' || p.book end
        as journal_event_id,
    'booked' as basis,
    t.type as native_kind,
    case
        when t.type in ('CustInvc', 'CustCred', 'CustChrg', 'CashSale', 'CashRfnd', 'CustPymt', 'CustDep', 'CustRfnd')
            then key('erp', t.id)
        when j.id is not null then key('erp', t.id) || case when j.is_debit then '/debit' else '' end
    end as document_ref,
    coalesce(t.tranid, t.transactionnumber) as document_number,
    case
        when e.subsidiary is not null then key('erp', e.subsidiary)
        when t.subsidiary is not null then key('erp', t.subsidiary)
        when coalesce(e.is_silent, true) then default_legal_entity()
    end as legal_entity_id,
    key('erp', t.postingperiod) as accounting_period_id,
    p.book,
    iso_date(t.trandate) as posted_on,
    iso_instant(t.createddate) as created_at,
    t.memo,
    t.lastmodifiedby as changed_by,
    iso_instant(coalesce(gone.deleteddate, t.lastmodifieddate, t.createddate)) as valid_from,
    t._deleted or t.date_deleted is not null or p.is_deleted or gone.recordid is not null as is_deleted,
    'transaction' as source_table,
    t._load_seq as load_seq,
    t._row as row_number
from transaction as t
inner join postings as p on t.id = p.transaction
left join entities as e on t.id = e.transaction
left join journal_documents as j on t.id = j.id
left join gone on t.id = gone.recordid
