-- Transactions deleted for good. Ids of customers and transactions overlap, so the kind of record decides; -30 is any
-- transaction.
select
    recordid,
    max(deleteddate) as deleteddate
from deletedrecord
where
    recordtypeid = '-30'
    or lower(type) in (select distinct lower(type) from transaction)
    or lower(replace(type, ' ', '')) in (
        'transaction', 'invoice', 'creditmemo', 'customerpayment', 'payment', 'customerdeposit',
        'depositapplication', 'customerrefund', 'cashrefund', 'statementcharge', 'salesorder', 'journalentry',
        'vendorbill', 'vendorcredit', 'vendorpayment', 'expensereport'
    )
group by recordid
