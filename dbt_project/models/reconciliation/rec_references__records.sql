-- R16, references: the records that a system's own rows name against the records that the system shows, deleted and
-- refused ones among them. What is named and shown nowhere has vanished without a sign. A column of which most names
-- lead nowhere says that the extract is a part of its table, and nothing of any one record.
{%- set references = [
    ('customers', 'parent_customer_id', 'customers'),
    ('opportunities', 'customer_id', 'customers'),
    ('opportunities', 'contract_id', 'contracts'),
    ('contracts', 'customer_id', 'customers'),
    ('orders', 'customer_id', 'customers'),
    ('orders', 'contract_id', 'contracts'),
    ('orders', 'opportunity_id', 'opportunities'),
    ('opportunity_lines', 'product_id', 'products'),
    ('contract_lines', 'product_id', 'products'),
    ('invoices', 'customer_id', 'customers'),
    ('invoices', 'contract_id', 'contracts'),
    ('invoices', 'original_invoice_id', 'invoices'),
    ('invoice_lines', 'product_id', 'products'),
    ('invoice_lines', 'contract_id', 'contracts'),
    ('payments', 'customer_id', 'customers'),
    ('payments', 'original_payment_id', 'payments'),
    ('applications', 'from_id', 'documents'),
    ('applications', 'to_id', 'documents'),
    ('processor_transactions', 'payout_id', 'payouts'),
    ('journal_lines', 'gl_account_id', 'gl_accounts'),
] %}
{%- set keys = {
    'customers': 'customer_id', 'contracts': 'contract_id', 'opportunities': 'opportunity_id', 'orders': 'order_id',
    'opportunity_lines': 'opportunity_line_id', 'contract_lines': 'contract_line_id', 'products': 'product_id',
    'invoices': 'invoice_id', 'invoice_lines': 'invoice_line_id', 'payments': 'payment_id', 'payouts': 'payout_id',
    'applications': 'application_id', 'processor_transactions': 'processor_transaction_id',
    'gl_accounts': 'gl_account_id', 'journal_lines': 'journal_line_id',
} %}

with named as (
    {%- for entity, column, target in references %}
        select
            '{{ entity }}' as entity,
            '{{ column }}' as named_by,
            '{{ target }}' as target,
            {{ column }} as record_id,
            count(*) as named_rows
        from {{ source('canonical', entity) }}
        where
            not is_deleted and {{ column }} is not null
            -- Another system's records are other reconciliations'.
            and {{ role_of(column) }} = {{ role_of(keys[entity]) }}
        group by {{ column }}
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

shown as (
    {%- for target in ['customers', 'contracts', 'opportunities', 'products', 'payouts', 'gl_accounts'] %}
        select
            '{{ target }}' as target,
            {{ keys[target] }} as record_id
        from {{ source('canonical', target) }}
        union all
    {%- endfor %}
    {%- for target in ['invoices', 'payments'] %}
        select
            '{{ target }}' as target,
            {{ keys[target] }} as record_id
        from {{ source('canonical', target) }}
        union all
        -- An application names documents of either kind.
        select
            'documents' as target,
            {{ keys[target] }} as record_id
        from {{ source('canonical', target) }}
        union all
    {%- endfor %}
    select
        entity,
        row_key
    from {{ source('quarantine', 'rows') }}
    where row_key is not null
    union all
    select
        'documents',
        row_key
    from {{ source('quarantine', 'rows') }}
    where entity in ('invoices', 'payments') and row_key is not null
),

held as (
    select distinct
        target,
        record_id
    from shown
),

judged as (
    select
        named.*,
        held.record_id is not null as is_held,
        count(held.record_id) over (
            partition by named.entity, named.named_by, {{ role_of('named.record_id') }}
        ) * 2
        > count(*) over (partition by named.entity, named.named_by, {{ role_of('named.record_id') }}) as is_whole
    from named
    left join held on named.target = held.target and named.record_id = held.record_id
),

-- What is shown stands here once per column that names it.
keyed as (
    select
        *,
        case when is_held then entity || '.' || named_by else target || '|' || record_id end as record_key
    from judged
),

left_records as (
    select
        record_key as record_id,
        case
            when is_held then record_key
            else concat(
                min(record_id), ' among ', min(target), ', named by ', sum(named_rows), ' row(s) of ',
                string_agg(distinct entity, ', ' order by entity), ','
            )
        end as label,
        [record_key] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        cast(null as date) as happened_on,
        cast(null as varchar) as period,
        {{ money(0) }} as amount,
        is_held,
        bool_or(is_whole) as is_expected
    from keyed
    group by record_key, is_held
),

right_records as (
    select * from left_records
    where is_held
),

{{ reconcile_balances(
    'R16', 'references', 'record', 'row in any extract', left_only='DEL-UNSEEN', right_must_exist=false
) }}

select * from reconciled
