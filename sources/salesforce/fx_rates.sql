-- Dated rates, as sales agreed on them: units of the currency for one unit of the corporate currency.
-- CurrencyType's own rate has no date and is therefore not a rate of any day.
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
    key('crm', r.id) as fx_rate_id,
    corporate.currency as from_currency,
    r.iso_code as to_currency,
    'spot' as kind,
    iso_date(r.start_date) as starts_on,
    -- NextStartDate is the first day of the next rate, and 9999-12-31 on the last one: that one has no end.
    case
        when r.next_start_date is null or r.next_start_date like '9999-%' then null
        else coalesce(
            cast(try_cast(iso_date(r.next_start_date) as date) - 1 as varchar),
            r.next_start_date
        )
    end as ends_on,
    r.conversion_rate as rate,
    iso_instant(coalesce(r.system_modstamp, r.last_modified_date)) as valid_from,
    r._deleted as is_deleted,
    'dated_conversion_rate' as source_table,
    r._load_seq as load_seq,
    r._row as row_number
from dated_conversion_rate as r
cross join corporate
