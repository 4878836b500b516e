-- The chart of accounts. Every type that NetSuite has is listed; a type beyond them reaches the gate and is refused,
-- because a wrong guess would move money between statements.
select
    key('erp', id) as gl_account_id,
    acctnumber as number,
    coalesce(accountsearchdisplayname, fullname) as name,
    case accttype
        when 'Bank' then 'bank'
        when 'AcctRec' then 'receivable'
        when 'UnbilledRec' then 'unbilled'
        when 'OthCurrAsset' then 'other_asset'
        when 'FixedAsset' then 'other_asset'
        when 'OthAsset' then 'other_asset'
        when 'DeferExpense' then 'other_asset'
        when 'AcctPay' then 'payable'
        when 'CredCard' then 'other_liability'
        when 'OthCurrLiab' then 'other_liability'
        when 'LongTermLiab' then 'other_liability'
        when 'DeferRevenue' then 'deferred_revenue'
        when 'Equity' then 'equity'
        when 'Income' then 'revenue'
        when 'COGS' then 'expense'
        when 'Expense' then 'expense'
        when 'OthIncome' then 'other_income'
        when 'OthExpense' then 'other_expense'
        when 'Stat' then 'statistical'
        -- Carries orders and estimates; nothing on it is ever part of the ledger.
        when 'NonPosting' then 'statistical'
        else accttype
    end as kind,
    accttype as native_kind,
    key('erp', nullif(parent, id)) as parent_gl_account_id,
    case coalesce(is_true(isinactive), 'false') when 'true' then 'false' when 'false' then 'true' else isinactive end
        as is_active,
    iso_instant(lastmodifieddate) as valid_from,
    _deleted or date_deleted is not null as is_deleted,
    'account' as source_table,
    _load_seq as load_seq,
    _row as row_number
from account
