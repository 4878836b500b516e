{{ config(materialized='view') }}
-- Who sent the newest word on each document, and when: deleted ones too. Asked for documents that moved closed figures.
with words as (
    {%- for entity, key in {'invoices': 'invoice_id', 'invoice_lines': 'invoice_id', 'payments': 'payment_id',
        'applications': 'from_id'}.items() %}
        select
            'subledger' as book,
            {{ key }} as document_id,
            system,
            valid_from,
            recorded_at,
            load_seq,
            {{ 'is_deleted' if entity in ('invoices', 'payments') else 'false' }} as is_deleted
        from {{ source('canonical', entity) }}
        union all
    {%- endfor %}
    {%- for entity in ['journal_events', 'journal_lines'] %}
        select
            'ledger',
            journal_event_id,
            system,
            valid_from,
            recorded_at,
            load_seq,
            {{ 'is_deleted' if entity == 'journal_events' else 'false' }}
        from {{ source('canonical', entity) }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- The ERP says of a transaction who changed it last; a document of the subledger is the one that the posting records.
events as (
    select
        journal_event_id,
        document_ref,
        changed_by,
        load_seq
    from {{ source('canonical', 'journal_events') }}
    where changed_by is not null
),

authors as (
    select
        'ledger' as book,
        journal_event_id as document_id,
        changed_by,
        load_seq
    from events
    union all
    select
        'subledger',
        document_ref,
        changed_by,
        load_seq
    from events
    where document_ref is not null
),

last_authors as (
    select
        book,
        document_id,
        max_by(changed_by, (load_seq, changed_by)) as changed_by
    from authors
    group by book, document_id
),

stamped as (
    select
        words.book,
        words.document_id,
        max_by(words.system, (words.load_seq, words.system)) as system,
        max(last_authors.changed_by) as changed_by,
        max(words.valid_from) as changed_at,
        max(words.recorded_at) as known_at,
        max(words.load_seq) as load_seq,
        bool_or(words.is_deleted) as is_deleted
    from words
    left join last_authors on words.book = last_authors.book and words.document_id = last_authors.document_id
    group by words.book, words.document_id
)

select * from stamped
