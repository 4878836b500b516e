-- Columns that finpipe reads, that files of a table held values in, and that the table's newest file does not have: what
-- hung on them is empty from there on, and nothing else would say so. Files of JSON leave out what is empty, and tell
-- nothing here; names that begin with _ are a connector's housekeeping.
with files as (
    select
        loaded.load_seq,
        loaded.system,
        loaded.table_name,
        loads.original_name,
        string_split(loaded.columns, ',') as columns,
        string_split(coalesce(loaded.filled, ''), ',') as filled
    from {{ source('ledger', 'loaded_tables') }} as loaded
    inner join {{ source('ledger', 'loads') }} as loads on loaded.load_seq = loads.load_seq
    where loaded.columns is not null and loaded.rows > 0
),

newest as (
    select
        system,
        table_name,
        max_by(original_name, load_seq) as original_name,
        max_by(columns, load_seq) as columns
    from files
    group by system, table_name
),

held as (
    select
        system,
        table_name,
        original_name,
        load_seq,
        unnest(filled) as column_name
    from files
),

last_held as (
    select
        system,
        table_name,
        column_name,
        max_by(original_name, load_seq) as original_name
    from held
    where not starts_with(column_name, '_') and column_name <> ''
    group by system, table_name, column_name
),

lost as (
    select
        last_held.system,
        last_held.table_name,
        last_held.column_name,
        concat(
            'column ', last_held.column_name, ' of ', last_held.system, ' ', last_held.table_name, ' was last in file ',
            last_held.original_name, ' and is not in file ', newest.original_name,
            '; fix: restore it in the export, or add its new name to [tables.', last_held.table_name, '] columns'
        ) as sentence
    from last_held
    inner join newest on last_held.system = newest.system and last_held.table_name = newest.table_name
    where not list_contains(newest.columns, last_held.column_name)
)

select * from lost
