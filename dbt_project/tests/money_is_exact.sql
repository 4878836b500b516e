-- The macros of money.sql against figures worked out by hand. A row that is returned is a figure that is wrong.
with amounts as (
    select * from (values
        (1, cast(33.33 as decimal(18, 4)), cast(1 as decimal(18, 4))),
        (2, cast(33.33 as decimal(18, 4)), cast(1 as decimal(18, 4))),
        (3, cast(33.34 as decimal(18, 4)), cast(1 as decimal(18, 4)))
    ) as rows_ (line, amount, weight)
),

allocated as (
    select
        line,
        {{ allocated("cast(100 as decimal(18, 4))", 'weight', '1', 'line', '2') }} as cents,
        {{ allocated("cast(100 as decimal(18, 4))", 'weight', '1', 'line', '0') }} as yen,
        {{ allocated("cast(-0.1 as decimal(18, 4))", 'weight', '1', 'line', '3') }} as fils,
        {{ converted_lines('amount', "cast('1.333333' as decimal(28, 12))", '2', '1', 'line') }} as converted
    from amounts
),

results as (
    select 'allocation in cents' as what, string_agg(cast(cents as varchar), ' ' order by line) as got,
        '33.3300 33.3400 33.3300' as expected
    from allocated
    union all
    select 'allocation in yen', string_agg(cast(yen as varchar), ' ' order by line), '33.0000 34.0000 33.0000' from allocated
    union all
    select 'allocation in three decimals', string_agg(cast(fils as varchar), ' ' order by line), '-0.0330 -0.0340 -0.0330'
    from allocated
    union all
    select 'converted lines sum to the converted whole', cast(sum(converted) as varchar), '133.3300' from allocated
    union all
    select 'half away', cast({{ converted('cast(0.5 as decimal(18, 4))', 'cast(0.05 as decimal(28, 12))', '2', mode='half_away') }} as varchar), '0.0300'
    union all
    select 'half even, down', cast({{ converted('cast(0.5 as decimal(18, 4))', 'cast(0.05 as decimal(28, 12))', '2', mode='half_even') }} as varchar), '0.0200'
    union all
    select 'half even, up', cast({{ converted('cast(-0.7 as decimal(18, 4))', 'cast(0.05 as decimal(28, 12))', '2', mode='half_even') }} as varchar), '-0.0400'
    union all
    select 'inverse', cast({{ inverse("cast('0.006357' as decimal(28, 12))") }} as varchar), '157.306905773163'
    union all
    select 'printed in cents', {{ printed('cast(2850 as decimal(18, 4))', "'USD'") }}, '2850.00'
    union all
    select 'printed in yen', {{ printed('cast(2850 as decimal(18, 4))', "'JPY'") }}, '2850'
    union all
    select 'printed in fils', {{ printed('cast(-0.5 as decimal(18, 4))', "'KWD'") }}, '-0.500'
    union all
    select 'printed as wrong as it is', {{ printed('cast(10.5 as decimal(18, 4))', "'JPY'") }}, '10.5'
    union all
    select 'printed with all that cents hide', {{ printed('cast(10.505 as decimal(18, 4))', "'USD'") }}, '10.505'
    union all
    select 'a count', {{ printed('cast(100 as decimal(18, 4))', 'cast(null as varchar)') }}, '100'
    union all
    select 'large', cast({{ converted("cast('9999999999999.99' as decimal(18, 4))", "cast('1.5' as decimal(28, 12))", '2') }} as varchar), '14999999999999.9900'
    union all
    select 'no rate, no amount', cast({{ converted('cast(1 as decimal(18, 4))', 'cast(null as decimal(28, 12))', '2') }} as varchar), null
    union all
    select 'weekdays over a weekend', cast({{ weekday_number("date '2024-03-04'") }} - {{ weekday_number("date '2024-03-01'") }} as varchar), '1'
)

select * from results where got is distinct from expected
