-- One row per figure of a report: its newest statement.
select
    key(
        'control',
        concat_ws(
            ':', coalesce(system, ''), lower(trim(report)), lower(trim(figure)), coalesce(entity, ''),
            coalesce(item, ''), coalesce(upper(currency), ''), coalesce(iso_date(starts_on), ''), iso_date(as_of)
        )
    ) as control_total_id,
    lower(trim(report)) || '.' || lower(trim(figure)) as subject,
    coalesce(nullif(trim(item), ''), nullif(trim(entity), ''), 'all') as scope,
    nullif(trim(entity), '') as entity,
    iso_date(starts_on) as starts_on,
    iso_date(as_of) as stated_on,
    upper(trim(currency)) as currency,
    trim(amount) as stated_amount,
    null as valid_from,
    false as is_deleted,
    'control_figure' as source_table,
    _load_seq as load_seq,
    _row as row_number
from control_figure
