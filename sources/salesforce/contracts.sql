-- Contracts. ContractTerm is in months.
select
    key('crm', id) as contract_id,
    key('crm', account_id) as customer_id,
    contract_number,
    status,
    currency_iso_code as currency,
    iso_date(start_date) as starts_on,
    iso_date(end_date) as ends_on,
    contract_term as term_months,
    -- The later of both signatures binds.
    greatest(iso_date(customer_signed_date), iso_date(company_signed_date)) as signed_on,
    iso_instant(coalesce(system_modstamp, last_modified_date)) as valid_from,
    _deleted as is_deleted,
    'contract' as source_table,
    _load_seq as load_seq,
    _row as row_number
from contract
