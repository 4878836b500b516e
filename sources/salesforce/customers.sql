-- Accounts. A merge's loser keeps its record, deleted, with the survivor in MasterRecordId: it becomes an alias.
select
    key('crm', id) as customer_id,
    name,
    key('crm', nullif(parent_id, id)) as parent_customer_id,
    key('crm', master_record_id) as merged_into_customer_id,
    key('billing', billing_customer_ref) as billing_customer_id,
    key('erp', erp_customer_ref) as erp_customer_id,
    tax_id,
    person_email as email,
    website,
    -- Orgs without state and country picklists have no code, but many type one where the country's name belongs.
    coalesce(billing_country_code, case when length(billing_country) = 2 then upper(billing_country) end) as country,
    billing_city as city,
    billing_postal_code as postal_code,
    currency_iso_code as currency,
    iso_instant(created_date) as created_at,
    iso_instant(coalesce(system_modstamp, last_modified_date)) as valid_from,
    _deleted as is_deleted,
    'account' as source_table,
    _load_seq as load_seq,
    _row as row_number
from account
