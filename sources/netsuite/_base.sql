-- The company's base currency, one row.
select
    coalesce(
        (
            select case when count(distinct symbol) = 1 then min(symbol) end
            from currency
            where is_true(isbasecurrency) = 'true' and not _deleted
        ),
        nullif(getvariable('base_currency'), '')
    ) as currency,
    -- A company without a currency table has one currency, and finpipe.toml says which.
    case when not exists (select 1 from currency) then nullif(getvariable('base_currency'), '') end
        as only_currency
