-- Subsidiaries. A company without this table names its one entity in finpipe.toml.
select
    key('erp', s.id) as legal_entity_id,
    coalesce(s.legalname, s.fullname, s.name) as name,
    key('erp', nullif(s.parent, s.id)) as parent_legal_entity_id,
    coalesce(
        own.symbol,
        case when not exists (select 1 from currency) then nullif(getvariable('base_currency'), '') end,
        s.currency
    ) as functional_currency,
    key('erp', s.fiscalcalendar) as calendar,
    s.country,
    coalesce(is_true(s.iselimination), 'false') as is_elimination,
    iso_instant(s.lastmodifieddate) as valid_from,
    s._deleted or s.date_deleted is not null as is_deleted,
    'subsidiary' as source_table,
    s._load_seq as load_seq,
    s._row as row_number
from subsidiary as s
left join currency as own on s.currency = own.id
