-- Months, quarters and years in one table. A lock that the extract does not show is taken as open.
select
    key('erp', id) as accounting_period_id,
    periodname as name,
    case
        when is_true(isyear) = 'true' then 'year'
        when is_true(isquarter) = 'true' then 'quarter'
        else 'period'
    end as kind,
    -- Without the feature of several calendars there is no such column, and one calendar for all.
    key('erp', fiscalcalendar) as calendar,
    key('erp', nullif(parent, id)) as parent_accounting_period_id,
    iso_date(startdate) as starts_on,
    iso_date(enddate) as ends_on,
    coalesce(is_true(isadjust), 'false') as is_adjustment,
    coalesce(is_true(arlocked), 'false') as is_ar_locked,
    coalesce(is_true(alllocked), 'false') as is_all_locked,
    coalesce(is_true(closed), 'false') as is_closed,
    iso_date(closedondate) as closed_on,
    iso_instant(lastmodifieddate) as valid_from,
    _deleted or date_deleted is not null as is_deleted,
    'accountingperiod' as source_table,
    _load_seq as load_seq,
    _row as row_number
from accountingperiod
