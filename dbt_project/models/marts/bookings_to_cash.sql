{%- set levels = ['booked', 'billed', 'recognised', 'collected', 'banked'] %}
{%- set steps = ['contracted_timing', 'contracted_terms', 'contracted_leakage', 'billed_timing', 'billed_terms', 'billed_discount',
    'billed_credit', 'billed_usage', 'billed_direct', 'tax', 'collected_open', 'collected_unapplied', 'collected_write_off',
    'collected_for_others', 'banked_timing', 'banked_fee', 'banked_fx', 'banked_dispute', 'banked_adjustment'] %}
with stated as (
    select * from {{ ref('int_deals__bridged') }}
    union all
    select * from {{ ref('int_cash__bridged') }}
),

summed as (
    select
        customer_id,
        currency,
        {%- for step in levels + steps %}
            coalesce(sum(case when step = '{{ step }}' then amount end), 0) as {{ step }}{{ ',' if not loop.last }}
        {%- endfor %}
    from stated
    group by customer_id, currency
),

levelled as (
    select
        *,
        booked + contracted_timing + contracted_terms + contracted_leakage as contracted
    from summed
),

-- What is left of each level once the named steps are taken: leakage.
remainders as (
    select
        *,
        booked - contracted as billed_as_deal,
        billed - (
            booked + billed_timing + billed_terms + billed_discount + billed_credit + billed_usage + billed_direct
        ) as billed_leakage,
        recognised - billed as recognised_timing,
        collected - (
            billed + tax + collected_write_off + collected_open + collected_unapplied + collected_for_others
        ) as collected_leakage,
        banked - (
            collected + banked_timing + banked_fee + banked_fx + banked_dispute + banked_adjustment
        ) as banked_leakage
    from levelled
),

codes as (
    select
        coalesce(customer_id, 'unknown') as customer_id,
        string_agg(distinct code, ' ' order by code) as codes
    from {{ ref('exceptions') }}
    where amount <> 0 or code in ('ORD-TERMS', 'PRD-UNMAPPED', 'PAY-WRONG-CUST', 'INV-ENTITY', 'DISC-EXPIRED')
    group by coalesce(customer_id, 'unknown')
),

bridge as (
    select
        remainders.customer_id,
        customers.name as customer_name,
        remainders.currency,
        {%- for column in [
            'booked', 'contracted_timing', 'contracted_terms', 'contracted_leakage', 'contracted',
            'billed_as_deal', 'billed_timing', 'billed_terms', 'billed_discount', 'billed_credit', 'billed_usage',
            'billed_direct', 'billed_leakage', 'billed', 'recognised_timing', 'recognised',
        ] %}
            {{ money('remainders.' ~ column) }} as {{ column }}_amount,
        {%- endfor %}
        {{ money('-remainders.recognised_timing') }} as collected_deferred_amount,
        {{ money('remainders.tax') }} as collected_tax_amount,
        {%- for column in [
            'collected_open', 'collected_unapplied', 'collected_write_off', 'collected_for_others', 'collected_leakage',
            'collected', 'banked_timing', 'banked_fee', 'banked_fx', 'banked_dispute', 'banked_adjustment',
            'banked_leakage', 'banked',
        ] %}
            {{ money('remainders.' ~ column) }} as {{ column }}_amount,
        {%- endfor %}
        case
            when
                remainders.contracted_leakage <> 0 or remainders.billed_leakage <> 0
                or remainders.collected_leakage <> 0 or remainders.banked_leakage <> 0
                then coalesce(codes.codes, 'none')
        end as leakage_codes
    from remainders
    left join codes on remainders.customer_id = codes.customer_id
    left join {{ ref('customers') }} as customers on remainders.customer_id = customers.customer_id
)

select * from bridge
