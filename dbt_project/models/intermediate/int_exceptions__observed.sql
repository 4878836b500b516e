-- What is wrong within one system, beside the breaks that reconciliations find between two.
with documents as (
    select * from {{ ref('int_documents__posted') }}
),

payments as (
    select * from {{ ref('int_payments__succeeded') }}
),

bookings as (
    select * from {{ ref('bookings') }}
),

-- The last balance of every open item.
balances as (
    select
        open_item_id,
        item_id,
        item_kind,
        document_number,
        customer_id,
        legal_entity_id,
        currency,
        holds_from_on,
        open_amount
    from {{ ref('ar_open_items') }}
    where {{ as_of() }} between holds_from_on and holds_until_on
),

items as (
    select
        case
            when
                balances.item_kind in ('invoice', 'debit_memo') and documents.voided_on is not null
                then 'INV-VOID-OPEN'
            when balances.item_kind in ('invoice', 'debit_memo') then 'PAY-OVER'
            when balances.item_kind = 'payment' then 'PAY-UNAPPLIED'
            else 'REF-UNLINKED'
        end as code,
        balances.item_id as record_key,
        balances.legal_entity_id,
        balances.customer_id,
        balances.currency,
        abs(balances.open_amount) as amount,
        balances.holds_from_on as happened_on,
        concat(
            case
                when
                    balances.item_kind in ('invoice', 'debit_memo') and documents.voided_on is not null
                    then 'void invoice '
                when balances.item_kind in ('invoice', 'debit_memo') then 'invoice '
                else balances.item_kind || ' '
            end,
            coalesce(balances.document_number, balances.item_id),
            case
                when balances.item_kind in ('invoice', 'debit_memo') then ' has more applied to it than it is worth: '
                when
                    balances.item_kind = 'payment' and balances.open_amount > 0
                    then ' has more applied than it is worth: '
                when balances.item_kind = 'payment' then ' is not applied: '
                else ' names nothing that it returns: '
            end,
            {{ printed('abs(balances.open_amount)', 'balances.currency') }}, ' ', balances.currency
        ) as sentence
    from balances
    left join documents on balances.item_id = documents.invoice_id
    where
        (balances.item_kind in ('invoice', 'debit_memo') and balances.open_amount < 0)
        or balances.item_kind in ('payment', 'refund', 'chargeback')
),

-- Whoever decides it, an open dispute needs evidence in time: of every role, as an ERP often knows of none.
disputes as (
    select
        'DSP-OPEN' as code,
        payments.payment_id as record_key,
        coalesce(payments.legal_entity_id, 'unassigned') as legal_entity_id,
        coalesce(customers.customer_id, payments.customer_id) as customer_id,
        payments.currency,
        payments.amount,
        payments.paid_on as happened_on,
        concat(
            'dispute ', payments.source_id, ' of ', payments.paid_on, ' is not decided: ',
            {{ printed('payments.amount', 'payments.currency') }}, ' ', payments.currency
        ) as sentence
    from {{ ref('stg_payments') }} as payments
    left join {{ ref('int_customers__identified') }} as customers
        on payments.customer_id = customers.source_customer_id
    where payments.kind = 'chargeback' and payments.is_undecided and payments.status <> 'void'
),

valueless as (
    select
        'ORD-VALUE' as code,
        opportunities.opportunity_id as record_key,
        'all' as legal_entity_id,
        opportunities.customer_id,
        opportunities.currency,
        0 as amount,
        coalesce(opportunities.signed_on, opportunities.closes_on) as happened_on,
        concat(
            'won opportunity ',
            coalesce(opportunities.name, opportunities.opportunity_id),
            ' states no amount and has no line'
        )
            as sentence
    from {{ ref('stg_opportunities') }} as opportunities
    where
        opportunities.is_won
        and opportunities.amount is null
        and opportunities.opportunity_id not in (select opportunity_id from {{ ref('stg_opportunity_lines') }})
),

unrated as (
    select
        currency,
        '{{ var("reporting_currency") }}' as to_currency,
        issued_on as rate_on,
        total_amount as amount
    from documents
    where reporting_rate is null
    union all
    select
        currency,
        functional_currency,
        issued_on,
        total_amount
    from documents
    where functional_rate is null and functional_currency is not null
    union all
    select
        currency,
        '{{ var("reporting_currency") }}',
        paid_on,
        amount
    from payments
    where reporting_rate is null
    union all
    select
        currency,
        functional_currency,
        paid_on,
        amount
    from payments
    where functional_rate is null and functional_currency is not null
    union all
    select
        currency,
        '{{ var("reporting_currency") }}',
        booked_on,
        tcv_amount
    from bookings
    where reporting_rate is null
    union all
    -- Money that moved in a currency without any rate: with it the company's bridge to cash cannot be summed.
    select
        moved.currency,
        '{{ var("reporting_currency") }}',
        {{ as_of() }},
        0
    from (
        select currency from {{ ref('stg_processor_transactions') }}
        union
        select currency from {{ ref('stg_payouts') }}
        union
        select currency from {{ ref('stg_bank_transactions') }}
    ) as moved
    where
        moved.currency not in (
            select from_currency from {{ ref('int_fx_rates__looked_up') }}
            where to_currency = '{{ var("reporting_currency") }}' and rate_on <= {{ as_of() }}
        )
),

-- One line per pair of currencies and month, or one in all for a pair without any rate at all.
rated_pairs as (
    select
        from_currency,
        to_currency
    from {{ ref('stg_fx_rates') }}
    where kind = 'spot'
    union
    select
        to_currency,
        from_currency
    from {{ ref('stg_fx_rates') }}
    where kind = 'spot'
),

unrated_spans as (
    select
        unrated.*,
        case when rated_pairs.from_currency is null then 'any date' else strftime(unrated.rate_on, '%Y-%m') end as span
    from unrated
    left join rated_pairs
        on unrated.currency = rated_pairs.from_currency and unrated.to_currency = rated_pairs.to_currency
),

rates as (
    select
        'FX-MISSING' as code,
        currency || '>' || to_currency || '@' || span as record_key,
        'all' as legal_entity_id,
        cast(null as varchar) as customer_id,
        currency,
        sum(amount) as amount,
        max(rate_on) as happened_on,
        concat(
            'no rate from ', currency, ' to ', to_currency, ' for ', span, ' (', count(distinct rate_on),
            ' date(s) needed): amounts in ', to_currency, ' are empty for ', count(*), ' record(s)'
        ) as sentence
    from unrated_spans
    group by currency, to_currency, span
),

-- Steps of a deal that came before the one they follow; one line per deal, whatever the number of its lines.
disordered as (
    select
        'SEQ' as code,
        q2c.opportunity_id as record_key,
        'all' as legal_entity_id,
        min(q2c.customer_id) as customer_id,
        min(q2c.currency) as currency,
        0 as amount,
        min(q2c.closed_won_on) as happened_on,
        concat('deal ', q2c.opportunity_id, ': ', string_agg(distinct q2c.disorder, '; ' order by q2c.disorder))
            as sentence
    from {{ ref('quote_to_cash') }} as q2c
    where q2c.disorder is not null
    group by q2c.opportunity_id
),

-- What a person said of two customer records, and other links or the records themselves say otherwise.
matches as (
    select
        case when verdict = 'refused' then 'CUS-MISSING' else 'CUS-MULTI' end as code,
        concat(left_id, '|', right_id) as record_key,
        'all' as legal_entity_id,
        coalesce(left_customer_id, right_customer_id) as customer_id,
        cast(null as varchar) as currency,
        0 as amount,
        cast(null as date) as happened_on,
        case
            when verdict = 'refused'
                then concat('decision of ', decided_by, ' about ', left_id, ' and ', right_id, ' cannot hold: ', reason)
            else concat(left_id, ' and ', right_id, ' are different, says ', decided_by, '; they are ', reason)
        end as sentence
    from {{ ref('customer_matches') }}
    where verdict = 'refused' or is_contradicted
),

-- Circles that only show once records of several systems are one; those within a system are R01's own.
circles as (
    select
        'CUS-CYCLE' as code,
        placed.circle_id as record_key,
        'all' as legal_entity_id,
        placed.circle_id as customer_id,
        cast(null as varchar) as currency,
        0 as amount,
        cast(null as date) as happened_on,
        concat('golden customers are each other''s parents: ', min(placed.circle)) as sentence
    from {{ ref('int_customers__placed') }} as placed
    left join {{ ref('rec_parents__tops') }} as told
        on placed.customer_id = told.customer_id and told.line_kind = 'finding'
    where placed.circle_id is not null
    group by placed.circle_id
    having count(told.line_id) = 0
),

observed as (
    select * from items
    union all
    select * from matches
    union all
    select * from circles
    union all
    select * from disordered
    union all
    select * from disputes
    union all
    select * from valueless
    union all
    select * from rates
)

select * from observed
