-- Refused files that nothing has made good: a later delivery under the same name that was read, or the same file read
-- under a mended description, closes them. A required column that earlier files of the table had is a change of the
-- source; any other refusal is a matter of this one file.
with loads as (
    select * from {{ source('ledger', 'loads') }}
),

judged as (
    select
        *,
        min(case when verdict = 'loaded' then load_seq end) over (partition by system, table_name) as first_read,
        max(case when verdict = 'loaded' then load_seq end) over (partition by system, original_name) as last_read,
        max(load_seq) over (partition by system, original_name) as last_delivery
    from loads
),

refused as (
    select
        system,
        table_name,
        original_name,
        case when missing is not null and first_read < load_seq then 'DRIFT-BREAKING' else 'DQ-SCHEMA' end as code,
        reason,
        fix
    from judged
    where verdict = 'refused' and load_seq = last_delivery and load_seq > coalesce(last_read, 0)
),

told as (
    select
        *,
        concat(
            'file ', original_name, ' of ', system,
            case
                when code = 'DRIFT-BREAKING' then concat(' is not as earlier files of ', table_name, ' were and')
            end,
            ' was refused: ', reason, case when fix <> '' then concat('; fix: ', fix) end
        ) as sentence
    from refused
)

select * from told
