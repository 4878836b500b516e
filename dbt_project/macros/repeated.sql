{#- What a record repeats within its own system, and null for all others: the same customer, amount, currency and day, and a
    number that is another's, extends another's (`1001-A` and `1001`), or is not there. Two records that name different
    records of another system are two; of two that repeat each other, the one without such a name, then the one with the
    longer number, then the later key is the repetition. CTE body over `relation`, whose rows have record_id, label,
    document_number, external_ref, customer_id, currency, happened_on and amount; rows worth nothing repeat nothing. -#}
{% macro repeated(relation) -%}
select
    later.record_id,
    min(former.record_id) as former_id,
    min_by(former.label, former.record_id) as repeats
from {{ relation }} as later
inner join {{ relation }} as former
    on
        later.customer_id = former.customer_id
        and later.amount = former.amount
        and later.currency = former.currency
        and later.happened_on = former.happened_on
        and later.record_id <> former.record_id
where
    later.amount <> 0
    and (later.external_ref is null or former.external_ref is null)
    and case
        when later.document_number is null or former.document_number is null
            then later.external_ref is null and former.external_ref is not null
        when {{ number_of('later') }} = {{ number_of('former') }}
            then
                (later.external_ref is null and former.external_ref is not null)
                or (later.external_ref is null and former.external_ref is null and later.record_id > former.record_id)
        else
            starts_with({{ number_of('later') }}, {{ number_of('former') }})
            and regexp_matches(substr({{ number_of('later') }}, length({{ number_of('former') }}) + 1, 1), '[^0-9A-Z]')
    end
group by later.record_id
{%- endmacro %}

{% macro number_of(record) -%}upper(trim({{ record }}.document_number)){%- endmacro %}
