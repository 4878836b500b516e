-- Sides on which a journal is a document of its own. One that takes off an invoice is a write-off, one that is itself
-- paid or credited is a debit memo; a journal that nothing was applied to is no document, and shows as a manual posting
-- on the receivable.
with links as (
    select
        previousdoc as doc,
        nextdoc as other,
        nexttype as other_type,
        true as is_previous
    from nexttransactionlinelink
    where coalesce(linktype, 'Payment') = 'Payment' and not _deleted
    union all
    select
        nextdoc,
        previousdoc,
        previoustype,
        false as is_previous
    from nexttransactionlinelink
    where coalesce(linktype, 'Payment') = 'Payment' and not _deleted
)

select distinct
    j.id as journal,
    coalesce(o.type, k.other_type) in ('CustPymt', 'CustDep', 'DepAppl', 'CustCred')
    or (coalesce(o.type, k.other_type) = 'Journal' and k.is_previous) as is_debit
from links as k
inner join transaction as j on k.doc = j.id and j.type = 'Journal'
left join transaction as o on k.other = o.id
where
    coalesce(o.type, k.other_type)
    in ('CustPymt', 'CustDep', 'DepAppl', 'CustCred', 'CustInvc', 'CustChrg', 'CustRfnd', 'Journal')
    -- The journal that voids a payment is linked to it, and is no claim on the customer.
    and coalesce(is_true(o.voided), 'false') <> 'true'
