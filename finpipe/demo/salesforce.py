"""What the CRM shows: Salesforce objects as Bulk API CSV columns.

Belongs here: the native shape of accounts, opportunities, contracts, orders and the CRM's currencies; opportunities
that were lost, are open, or were deleted. Does not: which deals were won (``contracts``).
Deletion is ``IsDeleted``; a merged duplicate also names its survivor in ``MasterRecordId``.
"""

from __future__ import annotations

import polars as pl

from finpipe.demo import ids
from finpipe.demo.contracts import KINDS, NEW, SLOTS
from finpipe.demo.exact import Chance, add_days, decimal_text, scaled_text
from finpipe.demo.world import CURRENCY_ID, DIGITS, PRODUCTS, RATE_SCALE, Horizon, plus_months, usd_rate

LOST, OPEN, _DELETED = 8, 9, 10  # deal slots of opportunities that never became contracts
_TYPES = ("New Business", "Expansion", "Contraction", "Cancellation", "Renewal", "Reactivation")


def digits() -> pl.Expr:
    """Return the number of decimals of the row's currency ``ccy``."""
    return pl.col("ccy").replace_strict(DIGITS, return_dtype=pl.Int64)


def stamp(day: pl.Expr, hour: int = 9) -> pl.Expr:
    """Write a Salesforce instant on a day."""
    return day.dt.strftime("%Y-%m-%d") + f"T{hour:02d}:30:00.000Z"


def flag(condition: pl.Expr) -> pl.Expr:
    """Write a Salesforce boolean."""
    return pl.when(condition).then(pl.lit("true")).otherwise(pl.lit("false"))


def accounts(frame: pl.DataFrame) -> pl.DataFrame:
    """Return Account rows. Buyers carry their ERP id; only card customers have a billing id."""
    c, buys = pl.col("c"), pl.col("role") == 1
    changed = pl.when("is_renamed").then("renamed_on").when(pl.col("role") == 3).then(
        add_days(pl.col("created_on"), 240)).otherwise("created_on")  # fmt: skip
    return frame.select(
        Id=ids.salesforce("001", c), Name="name",
        ParentId=ids.salesforce("001", pl.col("parent")), MasterRecordId=ids.salesforce("001", pl.col("master")),
        IsDeleted=flag(pl.col("role") == 3), Website=pl.lit("https://www.") + pl.col("domain"),
        BillingCountryCode="country", CurrencyIsoCode="ccy", Tax_Id__c=pl.when(pl.col("role") != 3).then("tax_id"),
        ERP_Customer_Id__c=pl.when(buys).then(ids.customer_ref(c)),
        Billing_Customer_Id__c=pl.when(buys & ~pl.col("is_wire")).then(ids.stripe("cus", c)),
        CreatedDate=stamp(pl.col("created_on")), LastModifiedDate=stamp(changed), SystemModstamp=stamp(changed),
    )  # fmt: skip


def won(deal: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return won opportunities in the generator's columns: deals with the sum of their lines."""
    value = lines.group_by("deal", maintain_order=True).agg(pl.col("tcv").sum())
    return deal.join(value, on="deal", how="left", maintain_order="left")


def opportunities(deal: pl.DataFrame) -> pl.DataFrame:
    """Return Opportunity rows of closed-won deals (``deal`` from `won`)."""
    close = pl.col("signed_on")
    kind = pl.col("slot").replace_strict(list(range(6)), list(_TYPES), return_dtype=pl.String)
    return deal.select(
        Id=ids.salesforce("006", pl.col("deal")), AccountId=ids.salesforce("001", pl.col("c")),
        Name=kind + pl.lit(" ") + pl.col("deal").cast(pl.String), StageName=pl.lit("Closed Won"), Type=kind,
        Amount=decimal_text(pl.col("tcv"), digits()), CurrencyIsoCode="ccy", CloseDate=close.dt.to_string("%Y-%m-%d"),
        IsClosed=pl.lit("true"), IsWon=pl.lit("true"), IsDeleted=pl.lit("false"),
        ContractId=ids.salesforce("800", pl.col("root")), Signed_Date__c=close.dt.to_string("%Y-%m-%d"),
        ERP_Order_Id__c=ids.order_tid(pl.col("deal")).cast(pl.String), CreatedDate=stamp(add_days(close, -30)),
        LastModifiedDate=stamp(close), SystemModstamp=stamp(close),
    )  # fmt: skip


def pipeline(frame: pl.DataFrame, chance: Chance, horizon: Horizon) -> pl.DataFrame:
    """Return Opportunity rows that are not won: lost, open past the cut, and deleted duplicates."""
    c, parts = pl.col("c"), []
    live = frame.filter(pl.col("role") != 3)
    for slot, share, stage in ((LOST, 16, "Closed Lost"), (OPEN, 9, "Negotiation"), (_DELETED, 2, "Prospecting")):
        day = add_days(pl.lit(horizon.start), 20 + chance.below(c, f"opp{slot}", 700))
        close = add_months_later(horizon) if slot == OPEN else day
        picked = live.filter(chance.below(c, f"has{slot}", 100) < share)
        amount = (chance.below(c, f"amount{slot}", 900) + 100) * 100 * pl.lit(10).pow(digits()).cast(pl.Int64)
        parts.append(picked.select(
            Id=ids.salesforce("006", c * SLOTS + slot), AccountId=ids.salesforce("001", c),
            Name=pl.lit(f"{stage} ") + c.cast(pl.String), StageName=pl.lit(stage), Type=pl.lit("New Business"),
            Amount=decimal_text(amount, digits()), CurrencyIsoCode="ccy", CloseDate=close.dt.to_string("%Y-%m-%d"),
            IsClosed=pl.lit("true" if slot == LOST else "false"), IsWon=pl.lit("false"),
            IsDeleted=pl.lit("true" if slot == _DELETED else "false"), ContractId=pl.lit(None, dtype=pl.String),
            Signed_Date__c=pl.lit(None, dtype=pl.String), ERP_Order_Id__c=pl.lit(None, dtype=pl.String),
            CreatedDate=stamp(add_days(day, -20)), LastModifiedDate=stamp(day), SystemModstamp=stamp(day),
        ))  # fmt: skip
    return pl.concat(parts)


def add_months_later(horizon: Horizon) -> pl.Expr:
    """Return the expected close of open opportunities: three months after the cut."""
    return pl.lit(plus_months(horizon.start, 27))


def opportunity_lines(lines: pl.DataFrame) -> pl.DataFrame:
    """Return OpportunityLineItem rows. UnitPrice is for the whole term: quantity x price less discount = TotalPrice."""
    recurring = pl.col("charge") == "R"
    charge = pl.col("charge").replace_strict({"R": "Recurring", "O": "One-Time", "U": "Usage"}, return_dtype=pl.String)
    months = pl.when(pl.col("charge") == "O").then(1).otherwise(pl.col("line_months"))
    unit = pl.when(pl.col("charge") == "U").then("price").otherwise(pl.col("price") * months)
    end = pl.col("seg_end").dt.to_string("%Y-%m-%d")
    return lines.select(
        Id=ids.salesforce("00k", pl.col("cl")),
        OpportunityId=ids.salesforce("006", pl.col("deal")),
        Product2Id=product_ref(),
        Quantity=pl.col("quantity").cast(pl.String),
        UnitPrice=decimal_text(unit, digits()),
        Discount=pl.col("disc_pct").cast(pl.String),
        TotalPrice=decimal_text(pl.col("tcv"), digits()),
        ServiceDate=pl.col("seg_start").dt.to_string("%Y-%m-%d"),
        End_Date__c=pl.when(pl.col("charge") != "O").then(end),
        Term_Months__c=pl.when(recurring | (pl.col("charge") == "U")).then(pl.col("line_months").cast(pl.String)),
        Charge_Type__c=charge,
        Description=pl.lit(None, dtype=pl.String),
        CurrencyIsoCode="ccy",
        IsDeleted=pl.lit("false"),
        CreatedDate=stamp(add_days(pl.col("signed_on"), -30)),
        SystemModstamp=stamp(pl.col("signed_on")),
    )


def product_ref() -> pl.Expr:
    """Return the Product2 id of the row's ``product``."""
    return ids.salesforce("01t", pl.col("product"))


def contracts(deal: pl.DataFrame) -> pl.DataFrame:
    """Return Contract rows: one per new, renewal or reactivation; a cancelled one ends where it was cancelled."""
    roots = deal.filter(pl.col("deal") == pl.col("root"))
    stops = deal.filter(pl.col("slot") == KINDS.index("churn")).select(
        "root", cancelled_on="start_on", cancel_at="start_at"
    )
    frame = roots.join(stops, left_on="deal", right_on="root", how="left", maintain_order="left")
    cancelled = pl.col("cancelled_on").is_not_null()
    end = add_days(pl.coalesce("cancelled_on", "ends_before"), -1)
    signed = pl.col("signed_on").dt.to_string("%Y-%m-%d")
    return frame.select(
        Id=ids.salesforce("800", pl.col("deal")),
        AccountId=ids.salesforce("001", pl.col("c")),
        ContractNumber=pl.col("deal").cast(pl.String).str.zfill(8),
        Status=pl.when(cancelled).then(pl.lit("Cancelled")).otherwise(pl.lit("Activated")),
        StartDate=pl.col("start_on").dt.to_string("%Y-%m-%d"),
        EndDate=end.dt.to_string("%Y-%m-%d"),
        ContractTerm=pl.coalesce("cancel_at", "deal_months").cast(pl.String),
        CustomerSignedDate=signed,
        CompanySignedDate=signed,
        CurrencyIsoCode="ccy",
        IsDeleted=pl.lit("false"),
        SystemModstamp=stamp(pl.coalesce("cancelled_on", "signed_on")),
    )


def orders(deal: pl.DataFrame) -> pl.DataFrame:
    """Return Order rows: one per won deal; reductions have negative amounts."""
    return deal.select(
        Id=ids.salesforce("801", pl.col("deal")), AccountId=ids.salesforce("001", pl.col("c")),
        ContractId=ids.salesforce("800", pl.col("root")), OpportunityId=ids.salesforce("006", pl.col("deal")),
        OrderNumber=pl.col("deal").cast(pl.String).str.zfill(8), Status=pl.lit("Activated"),
        EffectiveDate=pl.col("start_on").dt.to_string("%Y-%m-%d"),
        EndDate=add_days(pl.col("ends_before"), -1).dt.to_string("%Y-%m-%d"),
        TotalAmount=decimal_text(pl.col("tcv"), digits()), CurrencyIsoCode="ccy",
        IsReductionOrder=flag((pl.col("slot") != NEW) & (pl.col("tcv") < 0)), IsDeleted=pl.lit("false"),
        SystemModstamp=stamp(pl.col("signed_on")),
    )  # fmt: skip


def reference(seed: int, horizon: Horizon) -> dict[str, pl.DataFrame]:
    """Return Product2, CurrencyType and DatedConversionRate (units per US dollar, on each first of month)."""
    words = {"R": "Recurring", "O": "One-Time", "U": "Usage"}
    first = f"{horizon.start}T09:30:00.000Z"
    products = pl.DataFrame(
        [
            {
                "product": no,
                "Name": name,
                "ProductCode": f"P{no:03d}",
                "Family": family,
                "IsActive": "true",
                "IsDeleted": "false",
                "Charge_Type__c": words[charge],
                "SystemModstamp": first,
            }
            for no, name, family, charge, _ in PRODUCTS
        ]
    ).select(
        Id=product_ref(),
        **{
            k: pl.col(k)
            for k in ("Name", "ProductCode", "Family", "IsActive", "IsDeleted", "Charge_Type__c", "SystemModstamp")
        },
    )
    months = [plus_months(horizon.start, i) for i in range(25)]
    rates = [
        {"Id": f"04w{CURRENCY_ID[c]:05d}{i:010d}", "IsoCode": c, "StartDate": str(months[i]),
         "NextStartDate": str(months[i + 1]), "rate": _per_dollar(seed, c, (months[i] - horizon.start).days),
         "SystemModstamp": f"{months[i]}T09:30:00.000Z"}
        for c in DIGITS if c != "USD" for i in range(24)
    ]  # fmt: skip
    dated = pl.DataFrame(rates).with_columns(ConversionRate=scaled_text(pl.col("rate"), 8)).drop("rate")
    types = [{"Id": f"01L{no:015d}", "IsoCode": c, "rate": _per_dollar(seed, c, 0), "DecimalPlaces": str(DIGITS[c]),
              "IsActive": "true", "IsCorporate": "true" if c == "USD" else "false", "SystemModstamp": first}
             for c, no in CURRENCY_ID.items()]  # fmt: skip
    kinds = pl.DataFrame(types).with_columns(ConversionRate=scaled_text(pl.col("rate"), 8)).drop("rate")
    return {"Product2": products, "CurrencyType": kinds, "DatedConversionRate": dated}


def _per_dollar(seed: int, currency: str, day_no: int) -> int:
    usd = usd_rate(seed, currency, day_no)
    return (2 * RATE_SCALE * RATE_SCALE + usd) // (2 * usd)
