"""One policy: what is shipped is sound, a company's own words are laid over it, and what cannot be meant is refused."""

from datetime import date
from decimal import Decimal

import pytest
from click.testing import CliRunner

from finpipe.build.run import variables
from finpipe.cli import main
from finpipe.conform.policy import write_policy
from finpipe.errors import FinpipeError
from finpipe.policy import policy_of
from finpipe.settings import Home
from finpipe.warehouse import connect


def own(home: Home, text: str) -> Home:
    home.root.mkdir(parents=True, exist_ok=True)
    (home.root / "policies.toml").write_text(text, encoding="utf-8")
    return home


def test_the_shipped_policy_names_owners_that_there_are(home: Home) -> None:
    policy = policy_of(home)
    assert {row["owner"] for row in (*policy.codes, *policy.reconciliations)} | {policy.owner} <= set(policy.owners)
    assert len({row["code"] for row in policy.codes}) == len(policy.codes) > 40
    assert all(int(row["sla_hours"]) > 0 for row in policy.codes)
    assert policy.tolerances["timing_days"] == 5
    assert not policy.stops_at_blocking


def test_a_company_changes_what_it_names_and_nothing_else(home: Home) -> None:
    before = policy_of(home)
    policy = policy_of(
        own(
            home,
            '[owners]\npayroll = { people = ["kim"] }\n[tolerances]\ntiming_days = 2\n'
            '[codes.INV-TAX]\nowner = "payroll"\nsla_hours = 24\n[materiality.second_person_from]\nUSD = "99.99"\n'
            '[reconciliations."R05 billing-erp"]\nowner = "controller"\n',
        )
    )
    codes = {row["code"]: row for row in policy.codes}
    assert (codes["INV-TAX"]["owner"], codes["INV-TAX"]["sla_hours"], codes["INV-TAX"]["severity"]) == (
        "payroll",
        "24",
        "material",
    )
    assert policy.tolerances == {**before.tolerances, "timing_days": 2}
    assert policy.second_person_from["USD"] == Decimal("99.99")
    assert policy.second_person_from["other"] == before.second_person_from["other"]
    legs = {(r["reconciliation_id"], r["leg"]): r["owner"] for r in policy.reconciliations}
    assert legs["R05", "billing-erp"] == "controller"
    assert policy.version != before.version


def test_the_version_is_of_what_is_said_and_not_of_how(home: Home) -> None:
    before = policy_of(home).version
    assert policy_of(own(home, "# nothing of our own\n")).version == before
    assert policy_of(own(home, "[tolerances]\ntiming_days = 5\n")).version == before


def test_tolerances_reach_the_models(home: Home) -> None:
    said = variables(own(home, "[tolerances]\nfx_rate_bps = 7\n"), date(2025, 1, 1))
    assert (said["fx_rate_bps"], said["order_days"]) == (7, 30)


def test_a_waiver_needs_a_second_person_by_severity_or_amount(home: Home) -> None:
    policy = policy_of(home)
    assert policy.needs_second_person("blocking", None, None)
    assert policy.needs_second_person("minor", Decimal(-1000), "USD")
    assert not policy.needs_second_person("minor", Decimal("999.99"), "USD")
    assert not policy.needs_second_person("minor", Decimal(149_999), "JPY")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[codes.INV-TAX]\nseverity = "minor"\n[codes.NO-SUCH]\nowner = "ar"\n', 3, "there is no such code"),
        ("[tolerances]\n# days\ntiming_days = -1\n", 3, "not negative"),
        ("[tolerances]\ntiming_days = 1.5\n", 2, "not negative"),
        ("\n[tolerances]\ntime = 5\n", 3, "unknown key in [tolerances]"),
        ('[codes.INV-TAX]\nsla_hours = 8\nowner = "nobody"\n', 3, "nobody has this owner"),
        ('[codes]\nINV-TAX = { owner = "nobody" }\n', 2, "nobody has this owner"),
        ('owner = "nobody"\n', 1, "nobody has this owner"),
        ("[owners]\nar = { people = [] }\n", 2, "nobody has this owner, and exceptions need it"),
        ("[owners]\nar = 7\n", 2, "a role names its people"),
        ('[codes.INV-TAX]\nseverity = "grave"\n', 2, "there is no such severity"),
        ("[codes.INV-TAX]\nsla_hours = 0\n", 2, "above zero"),
        ("[codes.INV-TAX]\nsla = 1\n", 2, "no such key"),
        ('[reconciliations."R99 x"]\nowner = "ar"\n', 1, "there is no such reconciliation"),
        ("[materiality.second_person_from]\nUSD = -5\n", 2, "not negative"),
        ("[materiality.second_person_from]\nUSD = 0.1\n", 2, "not negative"),
        ("[materiality]\nsecond_person_from = { usd = 5 }\n", 2, "by currency"),
        ('[business_hours]\nholidays = ["25.12.2025"]\n', 1, "business hours cannot be read"),
        ("[business_hours]\nhours = 20\n", 2, "ends on the day it begins"),
        ("\n\n[tolerance]\n", 3, "unknown section"),
        ("tolerances = 5\n", 1, "no table"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(home: Home, text: str, line: int, said: str) -> None:
    with pytest.raises(FinpipeError) as caught:
        policy_of(own(home, text))
    assert said in caught.value.error
    assert caught.value.where == f"{home.root / 'policies.toml'}, line {line}"
    assert caught.value.fix


def test_broken_toml_is_refused_with_its_line(home: Home) -> None:
    with pytest.raises(FinpipeError) as caught:
        policy_of(own(home, "[tolerances]\ntiming_days = = 5\n"))
    assert "line 2" in caught.value.got


def test_models_read_the_policy_as_tables(home: Home) -> None:
    own(home, '[materiality.material_from]\nUSD = 5\n[business_hours]\nholidays = ["2025-12-25"]\n')
    policy = policy_of(home)
    with connect(home) as connection:
        write_policy(connection, policy)
        write_policy(connection, policy)
        asked = connection.execute("select version, hours_per_day from reference.policy").fetchall()
        found = connection.execute("select * from reference.policy_thresholds order by currency").fetchall()
        codes = connection.execute("select count(*) from reference.policy_codes").fetchall()
        holidays = connection.execute("select count(*) from reference.policy_holidays").fetchall()
    assert asked == [(policy.version, 8)]
    assert ("USD", Decimal(1000), Decimal(5)) in found
    assert ("other", Decimal(1000), Decimal(0)) in found
    assert (codes, holidays) == ([(len(policy.codes),)], [(1,)])


def test_a_run_with_a_policy_that_cannot_be_meant_does_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINPIPE_HOME", str(own(home, "[tolerances]\ntiming_days = -1\n").root))
    done = CliRunner().invoke(main, ["run", "--as-of", "2025-07-15"])
    assert done.exit_code == 1
    assert f"where: {home.root / 'policies.toml'}, line 2" in done.stderr
    assert not home.warehouse.exists()
