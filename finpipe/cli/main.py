"""The group of commands; each command lives in a module named after what it does."""

import os

import click

from finpipe import log
from finpipe.cli.base import Commands, Context
from finpipe.cli.bring import fetch, land, systems
from finpipe.cli.close import close, periods, reopen
from finpipe.cli.customers import customers
from finpipe.cli.decide import exceptions
from finpipe.cli.demo import demo
from finpipe.cli.examine import doctor
from finpipe.cli.look import publications, query, roll_back, status
from finpipe.cli.past import backfill, build
from finpipe.cli.prove import rebuild, verify
from finpipe.cli.trace import trace
from finpipe.cli.work import run


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="finpipe")
@click.option("--log-format", type=click.Choice(log.FORMATS), help="Say on standard error what happened to each file.")
@click.pass_context
def main(context: click.Context, log_format: str | None) -> None:
    """Extracts of CRM, billing, ERP and bank in; proven bookings, billings and collections out.

    State lies under FINPIPE_HOME (default: .finpipe in the project); FINPIPE_SOURCES may name a further folder
    of systems. Exit codes: 0 done, 1 failed, 2 usage, 3 done with findings, 75 busy.
    """
    if log_format:
        os.environ[log.VARIABLE] = log_format
    context.obj = Context()


for command in (
    *(land, fetch, run, status, query, trace, exceptions, verify, rebuild, build, backfill),
    *(periods, close, reopen),
    *(customers, systems, publications, roll_back, doctor, demo),
):
    main.add_command(command)
