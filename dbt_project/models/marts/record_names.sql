-- Sorted by hash, so that a name is found without reading the others: texts that begin alike do not prune.
with records as (
    select
        record_number,
        {{ id_of('record_id') }} as native_id,
        number,
        reference
    from {{ ref('records') }}
    -- A posting has the id and number of its document, and the document is meant; those of journals are their own.
    where kind <> 'posting'
),

names as (
    select
        record_number,
        'id' as kind,
        native_id as name
    from records
    union all
    select
        record_number,
        'number',
        number
    from records
    where number is not null and number <> native_id
    union all
    select
        record_number,
        'reference',
        reference
    from records
    where reference is not null and reference <> native_id and reference is distinct from number
),

hashed as (
    select
        md5_number_lower(upper(name)) as name_hash,
        record_number,
        kind
    from names
)

select * from hashed
order by name_hash, record_number, kind
