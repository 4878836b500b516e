-- Orders. A reduction order takes back what an earlier one sold, and Salesforce keeps its total positive or negative
-- as its lines are: the amount is passed on as it stands.
with corporate as (
    select coalesce(
        (
            select min(iso_code) from currency_type
            where is_true(is_corporate) = 'true' and not _deleted
        ),
        getvariable('corporate_currency')
    ) as currency
)

select
    key('crm', o.id) as order_id,
    key('crm', o.account_id) as customer_id,
    key('crm', o.contract_id) as contract_id,
    key('crm', o.opportunity_id) as opportunity_id,
    o.order_number,
    o.status,
    iso_date(o.effective_date) as ordered_on,
    iso_date(o.end_date) as ends_on,
    o.total_amount,
    coalesce(o.currency_iso_code, corporate.currency) as currency,
    iso_instant(coalesce(o.system_modstamp, o.last_modified_date)) as valid_from,
    o._deleted as is_deleted,
    'order' as source_table,
    o._load_seq as load_seq,
    o._row as row_number
from "order" as o
cross join corporate
