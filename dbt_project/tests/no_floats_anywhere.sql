-- depends_on: {{ ref('bookings_billings_collections') }}
-- depends_on: {{ ref('reconciliations') }}
-- depends_on: {{ ref('exceptions') }}
-- Money is exact from text to mart: no column that finpipe builds is a float.
select
    table_schema,
    table_name,
    column_name,
    data_type
from information_schema.columns
where
    table_schema in ('staging', 'intermediate', 'reconciliation', 'marts')
    and data_type in ('FLOAT', 'DOUBLE', 'REAL')
