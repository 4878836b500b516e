-- R16, pages: what the pages of an API say there is in all, against the pages that were landed. The amounts are counts.
-- Pages of one export come within a day of each other; of a page that came twice, the fuller one counts.
with pages as (
    select
        tables.system,
        tables.table_name,
        tables.rows,
        tables.stated_rows,
        coalesce('row ' || tables.page_offset, 'file ' || tables.load_seq) as page,
        cast(timezone('UTC', loads.received_at) as date) as landed_on
    from {{ source('ledger', 'loaded_tables') }} as tables
    inner join {{ source('ledger', 'loads') }} as loads on tables.load_seq = loads.load_seq
    where tables.stated_rows is not null
),

exports as (
    select
        system,
        table_name,
        landed_on,
        max(stated_rows) as stated_rows
    from pages
    group by system, table_name, landed_on
),

landed_pages as (
    select
        exports.system,
        exports.table_name,
        exports.landed_on,
        exports.stated_rows,
        pages.page,
        max(pages.rows) as rows
    from exports
    inner join pages
        on
            exports.system = pages.system
            and exports.table_name = pages.table_name
            and pages.landed_on between exports.landed_on - 1 and exports.landed_on + 1
    group by exports.system, exports.table_name, exports.landed_on, exports.stated_rows, pages.page
),

records as (
    select
        system || '/' || table_name || '@' || landed_on as record_id,
        system || '/' || table_name || ' landed on ' || landed_on as label,
        [system || '/' || table_name || '@' || landed_on] as ids,
        [cast(null as varchar)] as numbers,
        cast(null as varchar) as customer_id,
        'all' as legal_entity_id,
        cast(null as varchar) as currency,
        cast(null as date) as happened_on,
        system as period,
        {{ money('stated_rows') }} as stated_rows,
        {{ money('least(sum(rows), stated_rows)') }} as landed_rows,
        true as is_expected
    from landed_pages
    group by system, table_name, landed_on, stated_rows
),

left_records as (
    select
        *,
        stated_rows as amount
    from records
),

right_records as (
    select
        *,
        landed_rows as amount
    from records
),

{{ reconcile_balances(
    'R16', 'pages', 'pages of', 'landed pages',
    checks=[{'code': 'CTRL-TOTAL', 'what': 'rows stated', 'left': 'l.amount', 'right': 'r.amount'}]
) }}

select * from reconciled
