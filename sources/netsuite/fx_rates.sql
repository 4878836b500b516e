-- Rates of the day (currencyrate) and of the period (consolidatedexchangerate).
with spot as (
    select
        'spot/' || r.transactioncurrency || '/' || r.basecurrency || '/' || iso_date(r.effectivedate) as fx_rate_id,
        coalesce(f.symbol, r.transactioncurrency) as from_currency,
        coalesce(b.symbol, r.basecurrency) as to_currency,
        'spot' as kind,
        iso_date(r.effectivedate) as starts_on,
        null as ends_on,
        r.exchangerate as rate,
        r.lastmodifieddate,
        r._deleted or r.date_deleted is not null as is_deleted,
        'currencyrate' as source_table,
        r._load_seq,
        r._row
    from currencyrate as r
    left join currency as f on r.transactioncurrency = f.id
    left join currency as b on r.basecurrency = b.id
),

-- Subsidiaries of one currency share a rate, so a pair stands there once for each two subsidiaries.  Equal rates
-- become one row.  Rates that differ keep one key and are refused: which holds is the controller's to say.
consolidated as (
    select
        c.*,
        coalesce(f.symbol, c.fromcurrency, fs.symbol) as from_currency,
        coalesce(t.symbol, c.tocurrency, ts.symbol) as to_currency,
        p.id as period,
        iso_date(p.startdate) as starts_on,
        iso_date(p.enddate) as ends_on
    from consolidatedexchangerate as c
    left join accountingperiod as p on c.postingperiod = p.id
    left join currency as f on c.fromcurrency = f.id
    left join currency as t on c.tocurrency = t.id
    left join subsidiary as f_sub on c.fromsubsidiary = f_sub.id
    left join subsidiary as t_sub on c.tosubsidiary = t_sub.id
    left join currency as fs on f_sub.currency = fs.id
    left join currency as ts on t_sub.currency = ts.id
    where coalesce(c.accountingbook, getvariable('primary_book')) = getvariable('primary_book')
),

by_kind as (
    unpivot consolidated on averagerate, currentrate, historicalrate into name native_kind value rate
),

period as (
    select
        case native_kind
            when 'averagerate' then 'average' when 'currentrate' then 'closing' else 'historical'
        end || '/' || from_currency || '/' || to_currency || '/' || postingperiod as fx_rate_id,
        from_currency,
        to_currency,
        case native_kind
            when 'averagerate' then 'average' when 'currentrate' then 'closing' else 'historical'
        end as kind,
        starts_on,
        ends_on,
        rate,
        lastmodifieddate,
        _deleted or date_deleted is not null as is_deleted,
        'consolidatedexchangerate' as source_table,
        _load_seq,
        _row
    from by_kind
    qualify row_number() over (
        partition by
            from_currency,
            to_currency,
            postingperiod,
            native_kind,
            coalesce(cast(try_cast(rate as decimal(38, 18)) as varchar), rate)
        order by is_deleted, _load_seq, _row
    ) = 1
),

rates as (
    select * from spot
    union all
    select * from period
)

select
    key('erp', fx_rate_id) as fx_rate_id,
    from_currency,
    to_currency,
    kind,
    starts_on,
    ends_on,
    -- NetSuite computes rates in floating point; what lies beyond twelve decimals is its noise, not a rate.
    coalesce(
        case
            when length(rate) > 13 then cast(cast(try_cast(rate as decimal(38, 18)) as decimal(28, 12)) as varchar)
        end,
        rate
    ) as rate,
    iso_instant(lastmodifieddate) as valid_from,
    is_deleted,
    source_table,
    _load_seq as load_seq,
    _row as row_number
from rates
