with breaks as (
    {%- for leg in reconciliation_legs() %}
        select
            reconciliation_id as origin,
            leg,
            code,
            severity,
            coalesce(left_id, '') as left_key,
            coalesce(right_id, '') as right_key,
            legal_entity_id,
            customer_id,
            currency,
            period,
            happened_on,
            explained_amount as amount,
            sentence,
            cast(null as varchar) as owner,
            coalesce(left_id, '') as left_identity,
            coalesce(right_id, '') as right_identity,
            cast(null as varchar) as cause
        from {{ ref(leg) }}
        where line_kind = 'finding'
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

observed as (
    select
        'mart' as origin,
        'mart' as leg,
        observed.code,
        cast(null as varchar) as severity,
        observed.record_key as left_key,
        '' as right_key,
        observed.legal_entity_id,
        observed.customer_id,
        observed.currency,
        dates.period,
        observed.happened_on,
        {{ money('observed.amount') }} as amount,
        observed.sentence,
        cast(null as varchar) as owner,
        observed.record_key as left_identity,
        '' as right_identity,
        cast(null as varchar) as cause
    from {{ ref('int_exceptions__observed') }} as observed
    left join {{ ref('int_dates__placed') }} as dates on observed.happened_on = dates.date_on
),

refused as (
    select
        'gate' as origin,
        system || '/' || entity as leg,
        code,
        cast(null as varchar) as severity,
        concat_ws('#', system || '/' || source_table, load_seq, row_number) as left_key,
        coalesce(row_key, '') as right_key,
        'all' as legal_entity_id,
        cast(null as varchar) as customer_id,
        currency,
        cast(null as varchar) as period,
        cast(null as date) as happened_on,
        amount,
        concat(entity, ' ', row_key, ': ', reasons) as sentence,
        owner,
        -- A refused record that is delivered again is the same exception; its place is another.
        coalesce(row_key, concat_ws('#', source_table, load_seq, row_number)) as left_identity,
        case
            when row_key is not null
                then cast(row_number() over (
                    partition by system, entity, code, row_key order by load_seq, row_number
                ) as varchar)
            else ''
        end as right_identity,
        -- The reasons without what they quote: keys, values, numbers.
        regexp_replace(
            regexp_replace(
                regexp_replace(reasons, '''[^'']*''', '…', 'g'), '[a-z]+:[^ ;]+[^ ;:]', '…', 'g'
            ), '[0-9]+(\.[0-9]+)?', '#', 'g'
        ) as cause
    from {{ source('quarantine', 'rows') }}
),

-- A file that was refused whole: nobody knows what it was worth. It is told by its name, not by its place in landing,
-- so that the same file delivered in the same shape again is the same break.
refused_files as (
    select
        'load' as origin,
        system as leg,
        code,
        cast(null as varchar) as severity,
        system || '/' || original_name as left_key,
        '' as right_key,
        'all' as legal_entity_id,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as currency,
        cast(null as varchar) as period,
        cast(null as date) as happened_on,
        cast(null as decimal(18, 4)) as amount,
        sentence,
        cast(null as varchar) as owner,
        system || '/' || original_name as left_identity,
        '' as right_identity,
        cast(null as varchar) as cause
    from {{ ref('int_files__refused') }}
),

lost_columns as (
    select
        'load' as origin,
        system as leg,
        'DRIFT-BREAKING' as code,
        cast(null as varchar) as severity,
        concat(system, '/', table_name, '.', column_name) as left_key,
        '' as right_key,
        'all' as legal_entity_id,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as currency,
        cast(null as varchar) as period,
        cast(null as date) as happened_on,
        cast(null as decimal(18, 4)) as amount,
        sentence,
        cast(null as varchar) as owner,
        concat(system, '/', table_name, '.', column_name) as left_identity,
        '' as right_identity,
        cast(null as varchar) as cause
    from {{ ref('int_columns__lost') }}
),

everything as (
    select * from breaks
    union all
    select * from observed
    union all
    select * from refused
    union all
    select * from refused_files
    union all
    select * from lost_columns
),

identified as (
    select
        -- Same break, same identity, however often it is found again.
        md5(concat_ws(
            '|', everything.origin, everything.leg, everything.code, everything.left_identity,
            everything.right_identity, coalesce(everything.currency, '')
        )) as exception_id,
        everything.origin,
        everything.leg,
        everything.code,
        coalesce(everything.cause, codes.meaning, everything.code) as cause,
        coalesce(everything.severity, codes.severity, 'material') as stated_severity,
        lower(coalesce(everything.owner, codes.owner)) as owner,
        codes.sla_hours,
        nullif(everything.left_key, '') as left_key,
        nullif(everything.right_key, '') as right_key,
        everything.legal_entity_id,
        everything.customer_id,
        everything.currency,
        {{ money('everything.amount') }} as amount,
        everything.period,
        everything.happened_on,
        everything.sentence
    from everything
    left join {{ ref('exception_codes') }} as codes on everything.code = codes.code
),

-- What is material is a matter of policy; what is recorded is not.
weighed as (
    select
        identified.*,
        case
            when
                identified.stated_severity = 'material'
                and abs(identified.amount) < coalesce(own.material_from, others.material_from)
                then 'minor'
            else identified.stated_severity
        end as severity,
        severities.needs_second_person
        or abs(coalesce(identified.amount, 0)) >= coalesce(own.second_person_from, others.second_person_from)
            as needs_second_person
    from identified
    left join {{ source('reference', 'policy_thresholds') }} as own on identified.currency = own.currency
    left join {{ source('reference', 'policy_thresholds') }} as others on others.currency = 'other'
    left join {{ source('reference', 'policy_severities') }} as severities
        on identified.stated_severity = severities.severity
)

select * exclude (stated_severity) from weighed
