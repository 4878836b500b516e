{#- The reconciliation engine. A reconciliation declares two CTEs of records and calls `reconcile` as its last CTEs:

        with left_records as (…), right_records as (…),
        {{ reconcile('R05', 'billing-erp', passes=[…], checks=[…], …) }}

    Records, both sides alike:
        record_id      key of the record, unique on its side
        label          what a human calls it
        ids            list of ids by which the other side may know it   (passes with by='ids')
        numbers        list of printed numbers or words                  (passes with by='numbers')
        customer_id, legal_entity_id, currency, happened_on, period
        amount         signed, exact
        is_expected    the other side should have it (else it may match, but is not missed)
        …              further columns, for checks

    Passes, in order: {rule, by: ids | numbers | none, amount: bool, days: weekdays or none, customer: bool,
                       when: SQL over l and r, first: bool}.
        A record is claimed once. Where several candidates remain, nobody is claimed and the pairs become suggestions;
        with `first` (only for ids, where all candidates claim to be the same record) the one with the same amount, then
        the smallest key, is claimed and the others are reported as duplicates.
    Checks on pairs: {code, what, left, right, when: SQL or none, tolerance: SQL or none, money: bool, amounts: bool,
                       consequence: bool, rounding: bool}.
        A money check explains its difference (left − right); another is a finding without money, which shows amounts
        where `amounts` says so. A
        consequence explains what another reconciliation already reports: it is no second exception. Rounding is
        explained and tolerated: neither an exception nor nothing.
    Record checks: {side, code, when: SQL over x, sentence: SQL over x, unmatched: bool}. Findings without money on one
        record, matched or not, whether or not the other side has any data; `unmatched` asks records without pair only.
    Codes: left_only, right_only, left_duplicate, right_duplicate, currency. A record alone is explained by its code, and
        is a matter of timing when it is younger than the other side's newest record less `timing_days`; before the month
        of the other side's first record it is LATE-DATA. `left_code_column` names a column with a code of its own, which is
        blocking when it is not a matter of timing.
        `left_repeats`, `right_repeats` name a column that holds what the record repeats on its own side (else null): left
        alone, it is a duplicate however young or old it is.
        `explains_alone` = false leaves records alone unexplained. `neither` says why both sides are without data.

    `by_key`: both sides are keyed by `record_id` and matched on nothing else; there are no passes (`reconcile_balances`).

    Result, one shape for all: CTE `reconciled` with lines of kind
        pair            each pair, and each record alone, once: left, right, difference
        finding         what explains a difference, or is wrong without money: code, sentence, explained amount
        consequence     explains a difference that another reconciliation reports
        suggestion      a tie or near miss for a human to decide
        rounding        explains a tolerated difference
        not_applicable  the one line that says which side has no data at all -#}
{% macro reconcile(reconciliation, leg, left_noun, right_noun, passes, checks=[], left_only='CTRL-TOTAL',
    right_only='CTRL-TOTAL', left_duplicate=none, right_duplicate=none, currency_code=none, left_code_column=none,
    explains_alone=true, right_must_exist=true, left_must_exist=true, record_checks=[], left_repeats=none,
    right_repeats=none, neither=none, by_key=false) -%}
{%- set days = var('timing_days') -%}
{%- set repeats -%}
case
    pairs.alone
    when 'left' then {{ 'l.' ~ left_repeats if left_repeats else 'cast(null as varchar)' }}
    when 'right' then {{ 'r.' ~ right_repeats if right_repeats else 'cast(null as varchar)' }}
end
{%- endset -%}
{% if by_key -%}
-- One record on either side at most: nothing is claimed twice, nothing ties, nothing is a second image.
matches as (
    select left_records.record_id as left_id, right_records.record_id as right_id, 'same key' as rule
    from left_records
    inner join right_records on left_records.record_id = right_records.record_id
),

suggestions as (
    select * from matches where 1 = 0
),

{% else -%}
{% for side in ['left', 'right'] -%}
{{ side }}_references as (
    select *
    from (
        select distinct record_id, 'ids' as kind, reference
        from (select record_id, unnest(ids) as reference from {{ side }}_records)
        union all
        select distinct record_id, 'numbers', reference
        from (select record_id, unnest(numbers) as reference from {{ side }}_records)
    ) as stated
    where reference is not null and reference <> ''
    -- A word that many records carry refers to none of them.
    qualify count(*) over (partition by kind, reference) <= {{ var('reference_limit') }}
),

{% endfor -%}
matched_0 as (
    select cast(null as varchar) as left_id, cast(null as varchar) as right_id, cast(null as varchar) as rule
    where 1 = 0
),

{% for pass in passes -%}
left_open_{{ loop.index }} as materialized (
    select * from left_records where record_id not in (select left_id from matched_{{ loop.index0 }})
    {%- if not pass.get('by') %}
    -- Many of one amount on one day can only tie: they are not compared, or the pairs would grow with their square.
    qualify count(*) over (partition by currency, amount, happened_on{{ ', customer_id' if pass.get('customer') }})
    <= {{ var('tie_limit') }}
    {%- endif %}
),

right_open_{{ loop.index }} as materialized (
    select * from right_records where record_id not in (select right_id from matched_{{ loop.index0 }})
    {%- if not pass.get('by') %}
    -- Many of one amount on one day can only tie: they are not compared, or the pairs would grow with their square.
    qualify count(*) over (partition by currency, amount, happened_on{{ ', customer_id' if pass.get('customer') }})
    <= {{ var('tie_limit') }}
    {%- endif %}
),

{% if pass.get('by') -%}
-- References first, by themselves: a join of everything in one currency would grow with the square of the records.
near_{{ loop.index }} as materialized (
    select l.*, rx.record_id as candidate_id
    from left_open_{{ loop.index }} as l
    inner join left_references as lx on l.record_id = lx.record_id and lx.kind = '{{ pass.by }}'
    inner join right_references as rx on lx.reference = rx.reference and rx.kind = '{{ pass.by }}'
),

{% elif pass.get('days') -%}
-- Each day that is near enough, by itself: a join of equal amounts of all days would grow with their square.
near_{{ loop.index }} as materialized (
    select
        *,
        unnest(range({{ weekday_number('happened_on') }} - {{ pass.days }}, {{ weekday_number('happened_on') }} + {{ pass.days + 1 }}))
            as near_weekday
    from left_open_{{ loop.index }}
),

{% else -%}
near_{{ loop.index }} as (
    select *, {{ weekday_number('happened_on') }} as near_weekday from left_open_{{ loop.index }}
),

{% endif -%}
candidates_{{ loop.index }} as (
    select distinct
        l.record_id as left_id,
        r.record_id as right_id,
        case when l.amount = r.amount and coalesce(l.currency, '') = coalesce(r.currency, '') then 0 else 1 end as misfit
    from near_{{ loop.index }} as l
    inner join right_open_{{ loop.index }} as r
    {%- if pass.get('by') %}
        on l.candidate_id = r.record_id
    {%- else %}
        on l.currency = r.currency and l.near_weekday = {{ weekday_number('r.happened_on') }}
    {%- endif %}
        {%- if pass.get('amount') %} and l.amount = r.amount and l.currency = r.currency{% endif %}
        {%- if pass.get('customer') %} and l.customer_id = r.customer_id{% endif %}
    where
        true
        {%- if pass.get('by') and pass.get('days') is not none and pass.get('days') is defined %}
        and abs({{ weekday_number('l.happened_on') }} - {{ weekday_number('r.happened_on') }}) <= {{ pass.days }}
        {%- endif %}
        {%- if pass.get('when') %}
        and {{ pass.when }}
        {%- endif %}
),

ranked_{{ loop.index }} as (
    select
        *,
        row_number() over (partition by left_id order by misfit, right_id) as right_choice,
        row_number() over (partition by right_id order by misfit, left_id) as left_choice,
        count(*) over (partition by left_id) as right_choices,
        count(*) over (partition by right_id) as left_choices
    from candidates_{{ loop.index }}
),

matched_{{ loop.index }} as (
    select * from matched_{{ loop.index0 }}
    union all
    select left_id, right_id, '{{ pass.rule }}'
    from ranked_{{ loop.index }}
    where {{ 'right_choice = 1 and left_choice = 1' if pass.get('first') else 'right_choices = 1 and left_choices = 1' }}
),

{% endfor -%}
matches as (
    select * from matched_{{ passes | length }}
),

suggestions as (
    {%- for pass in passes %}
    select left_id, right_id, '{{ pass.rule }}' as rule from ranked_{{ loop.index }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
    except
    select left_id, right_id, rule from matches
),

{% endif -%}
sides as (
    select
        (select count(*) from left_records) as left_count,
        (select count(*) from right_records) as right_count,
        (select min(happened_on) from left_records) as left_from_on,
        (select max(happened_on) from left_records) as left_until_on,
        (select min(happened_on) from right_records) as right_from_on,
        (select max(happened_on) from right_records) as right_until_on
),

applicable as (
    select
        *,
        ({{ 'left_count > 0' if left_must_exist else 'true' }})
        and ({{ 'right_count > 0' if right_must_exist else 'true' }}) as is_applicable
    from sides
),

pairs as (
    select left_id, right_id, rule, cast(null as varchar) as alone from matches
    union all
    select record_id, null, null, 'left'
    from left_records
    where is_expected and record_id not in (select left_id from matches)
    union all
    select null, record_id, null, 'right'
    from right_records
    where is_expected and record_id not in (select right_id from matches)
),

-- Why a record is alone: a second image of a record that is taken, too young, too old, or missing.
{% if by_key -%}
duplicates as (
    select rule as side, left_id as record_id from matches where 1 = 0
),

{% else -%}
claimed_references as (
    select 'left' as side, left_references.reference
    from left_references
    inner join matches on left_references.record_id = matches.left_id
    where left_references.kind = 'ids'
    union
    select 'right', right_references.reference
    from right_references
    inner join matches on right_references.record_id = matches.right_id
    where right_references.kind = 'ids'
),

duplicates as (
    select distinct 'left' as side, left_references.record_id
    from left_references
    inner join claimed_references
        on left_references.reference = claimed_references.reference and claimed_references.side = 'right'
    where left_references.kind = 'ids'
    union all
    select distinct 'right', right_references.record_id
    from right_references
    inner join claimed_references
        on right_references.reference = claimed_references.reference and claimed_references.side = 'left'
    where right_references.kind = 'ids'
),

{% endif -%}
-- Both whole records ride along as structs, so that no check joins them again: an inequality between two sides that
-- meet in a join of their own would be tried on every pair there could be.
joined as (
    select
        l,
        r,
        pairs.left_id,
        pairs.right_id,
        pairs.rule,
        pairs.alone,
        coalesce(l.label, r.label) as label,
        coalesce(l.legal_entity_id, r.legal_entity_id, 'unassigned') as legal_entity_id,
        coalesce(l.customer_id, r.customer_id) as customer_id,
        coalesce(l.happened_on, r.happened_on) as happened_on,
        coalesce(l.period, r.period) as period,
        l.currency as left_currency,
        r.currency as right_currency,
        pairs.alone is null and coalesce(l.currency, '') <> coalesce(r.currency, '') as is_cross_currency,
        coalesce(l.amount, 0) as left_amount,
        coalesce(r.amount, 0) as right_amount,
        {{ 'l.' ~ left_code_column if left_code_column else 'cast(null as varchar)' }} as left_code,
        {{ repeats }} as repeats,
        duplicates.record_id is not null or {{ repeats }} is not null as is_duplicate,
        {{ repeats }} is null and case pairs.alone
            when 'left' then l.happened_on > least({{ as_of() }}, applicable.right_until_on) - {{ days }}
            when 'right' then r.happened_on > least({{ as_of() }}, applicable.left_until_on) - {{ days }}
            else false
        end as is_young,
        {{ repeats }} is null and case pairs.alone
            when 'left' then l.happened_on < date_trunc('month', applicable.right_from_on)
            when 'right' then r.happened_on < date_trunc('month', applicable.left_from_on)
            else false
        end as is_before_window
    from pairs
    cross join applicable
    left join left_records as l on pairs.left_id = l.record_id
    left join right_records as r on pairs.right_id = r.record_id
    left join duplicates
        on pairs.alone = duplicates.side and coalesce(pairs.left_id, pairs.right_id) = duplicates.record_id
    where applicable.is_applicable
),

-- Two currencies cannot be subtracted: each side then stands on a line of its own.
amount_lines as (
    select *, coalesce(left_currency, right_currency) as currency from joined where not is_cross_currency
    {%- if currency_code %}
    union all
    select * replace (cast(0 as decimal(18, 4)) as right_amount), left_currency from joined where is_cross_currency
    union all
    select * replace (cast(0 as decimal(18, 4)) as left_amount), right_currency from joined where is_cross_currency
    {%- else %}
    union all
    select * replace (cast(0 as decimal(18, 4)) as left_amount, cast(0 as decimal(18, 4)) as right_amount), right_currency
    from joined
    where is_cross_currency
    {%- endif %}
),

found_alone as (
    select
        *,
        case
            when is_before_window then 'LATE-DATA'
            {%- if left_duplicate %}
            when alone = 'left' and is_duplicate then '{{ left_duplicate }}'
            {%- endif %}
            {%- if right_duplicate %}
            when alone = 'right' and is_duplicate then '{{ right_duplicate }}'
            {%- endif %}
            when alone = 'left' then coalesce(left_code, '{{ left_only }}')
            else '{{ right_only }}'
        end as code,
        -- What should have come long ago is no matter of timing, whatever its code says.
        case
            when is_young or is_before_window then 'timing'
            when alone = 'left' and left_code is not null then 'blocking'
        end as severity,
        {{ 'left_amount - right_amount' if explains_alone else 'case when is_young or is_before_window then left_amount - right_amount else 0 end' }}
            as explained_amount,
        'finding' as line_kind,
        case
            when alone = 'left' then concat('{{ left_noun }} ', label, case when currency is not null or left_amount <> 0 then concat(' of ', {{ printed('left_amount', 'currency') }}, ' ', currency) end)
            else concat('{{ right_noun }} ', label, case when currency is not null or right_amount <> 0 then concat(' of ', {{ printed('right_amount', 'currency') }}, ' ', currency) end)
        end
        || case
            when is_before_window then ' lies before the first month that the other side covers'
            when repeats is not null then concat(' repeats ', repeats)
            when is_duplicate and alone = 'left' then ' is a second image of one {{ right_noun }}'
            when is_duplicate then ' is a second image of one {{ left_noun }}'
            when alone = 'left' then ' has no {{ right_noun }}'
            else ' has no {{ left_noun }}'
        end
        || case when is_young and not is_before_window then ' yet' else '' end as sentence
    from amount_lines
    where alone is not null
),

{% if currency_code -%}
found_currency as (
    select
        *,
        '{{ currency_code }}' as code,
        cast(null as varchar) as severity,
        left_amount - right_amount as explained_amount,
        'finding' as line_kind,
        concat('{{ left_noun }} ', label, ' is in ', left_currency, ', its {{ right_noun }} in ', right_currency) as sentence
    from amount_lines
    where is_cross_currency
),

{% endif -%}
{% for check in checks -%}
checked_{{ loop.index }} as (
    select
        *,
        '{{ check.code }}' as code,
        {%- if check.get('tolerance') %}
        case when abs({{ check.left }} - ({{ check.right }})) <= {{ check.tolerance }} then 'minor' end as severity,
        {%- else %}
        cast({{ "'" ~ check.severity ~ "'" if check.get('severity') else 'null' }} as varchar) as severity,
        {%- endif %}
        {{ check.left ~ ' - (' ~ check.right ~ ')' if check.get('money', true) else '0' }} as explained_amount,
        '{{ 'consequence' if check.get('consequence') else 'rounding' if check.get('rounding') else 'finding' }}'
            as line_kind,
        concat(
            {%- if check.get('amounts', check.get('money', true)) %}
            '{{ left_noun }} ', label, ': {{ check.what }} ', {{ printed(check.left, 'currency') }},
            ' against ', {{ printed(check.right, 'currency') }}, concat(' ', currency), ' of its {{ right_noun }}'
            {%- else %}
            '{{ left_noun }} ', label, ': {{ check.what }} ', {{ check.left }},
            ' against ', {{ check.right }}, ' of its {{ right_noun }}'
            {%- endif %}
        ) as sentence
    from amount_lines
    where
        alone is null
        and {{ check.left }} <> {{ check.right }}
        {%- if check.get('money', true) %}
        and not is_cross_currency
        {%- endif %}
        {%- if check.get('when') %}
        and ({{ check.when }})
        {%- endif %}
),

{% endfor -%}
found as (
    select * from found_alone
    {%- if currency_code %}
    union all
    select * from found_currency
    {%- endif %}
    {%- for check in checks %}
    union all
    select * from checked_{{ loop.index }}
    {%- endfor %}
),

{% for check in record_checks -%}
observed_{{ loop.index }} as (
    select
        x.*,
        {{ check.sentence }} as sentence
    from {{ check.side }}_records as x
    where
        {{ check.when }}
        {%- if check.get('unmatched') %}
        and x.record_id not in (select {{ check.side }}_id from matches)
        {%- endif %}
),

{% endfor -%}
all_lines as (
    select
        'pair' as line_kind, left_id, right_id, rule, legal_entity_id, customer_id, currency, period, happened_on, label,
        left_amount, right_amount, left_amount - right_amount as difference_amount,
        cast(null as varchar) as code, cast(null as varchar) as severity, 0 as explained_amount,
        cast(null as varchar) as sentence
    from amount_lines
    union all
    select
        line_kind, left_id, right_id, rule, legal_entity_id, customer_id, currency, period, happened_on, label,
        0, 0, 0, code, severity, explained_amount, sentence
    from found
    {%- for check in record_checks %}
    union all
    select
        'finding',
        {{ 'record_id, null' if check.side == 'left' else 'null, record_id' }}, null,
        coalesce(legal_entity_id, 'unassigned'), customer_id, currency, period, happened_on, label,
        0, 0, 0, '{{ check.code }}', null, 0, sentence
    from observed_{{ loop.index }}
    {%- endfor %}
    union all
    select
        'suggestion', suggestions.left_id, suggestions.right_id, suggestions.rule,
        coalesce(l.legal_entity_id, 'unassigned'), l.customer_id, l.currency, l.period, l.happened_on, l.label,
        0, 0, 0, null, null, 0,
        concat('{{ left_noun }} ', l.label, ' may be {{ right_noun }} ', r.label, ': ', suggestions.rule)
    from suggestions
    inner join left_records as l on suggestions.left_id = l.record_id
    inner join right_records as r on suggestions.right_id = r.record_id
    cross join applicable
    where
        applicable.is_applicable
        and suggestions.left_id not in (select left_id from matches)
        and suggestions.right_id not in (select right_id from matches)
    union all
    select
        'not_applicable', null, null, null, 'all', null, null, null, null, null, 0, 0, 0, null, null, 0,
        case
            when left_count = 0 and right_count = 0 then 'not applicable: {{ neither or "no " ~ left_noun ~ " and no " ~ right_noun }}'
            when left_count = 0 then 'not applicable: no {{ left_noun }}'
            else 'not applicable: no {{ right_noun }}'
        end
    from applicable
    where not is_applicable
),

reconciled as (
    select
        md5(concat_ws('|', '{{ reconciliation }}', '{{ leg }}', line_kind, coalesce(code, ''), coalesce(left_id, ''),
            coalesce(right_id, ''), coalesce(currency, ''), coalesce(rule, ''))) as line_id,
        '{{ reconciliation }}' as reconciliation_id,
        '{{ leg }}' as leg,
        line_kind,
        left_id,
        right_id,
        rule,
        legal_entity_id,
        customer_id,
        currency,
        period,
        happened_on,
        label,
        {{ money('left_amount') }} as left_amount,
        {{ money('right_amount') }} as right_amount,
        {{ money('difference_amount') }} as difference_amount,
        code,
        severity,
        {{ money('explained_amount') }} as explained_amount,
        sentence
    from all_lines
)
{%- endmacro %}

{#- Balances instead of records: both sides are keyed by `record_id`, and matched on nothing else. -#}
{% macro reconcile_balances(reconciliation, leg, left_noun, right_noun) -%}
{{ reconcile(reconciliation, leg, left_noun, right_noun, passes=[], by_key=true, **kwargs) }}
{%- endmacro %}
