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

stamped as (
    select
        book,
        document_id,
        max_by(system, (load_seq, system)) as system,
        max(valid_from) as changed_at,
        max(recorded_at) as known_at,
        max(load_seq) as load_seq,
        bool_or(is_deleted) as is_deleted
    from words
    group by book, document_id
)

select * from stamped
