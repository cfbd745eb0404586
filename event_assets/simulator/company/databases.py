"""The databases of the made-up CRM and billing: what they say follows from the seed alone, and so does not change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL

from event_assets.permissions import make_private_folder
from event_assets.simulator.people import make_person
from event_assets.simulator.places import PLACES
from event_assets.simulator.seeds import pick, seeded
from event_assets.simulator.visits import COMPANIES

CONTACTS = 400
"""People that the CRM knows."""
SOURCES = ("crm", "billing")
"""The databases, each with a file that describes it as a source."""
_INDUSTRIES = ("Retail", "Software", "Media", "Health", "Travel")
_NAMES = ("Acme", "Initech", "Hooli", "Umbra", "Vandelay", "Stark", "Wonka", "Soylent", "Globex", "Tyrell")
_PLANS: tuple[tuple[str, float, float], ...] = (
    ("free", 40, 0.0),
    ("starter", 30, 29.0),
    ("team", 20, 149.0),
    ("enterprise", 10, 990.0),
)
"""Plans, how many of a hundred companies are on each, and what a month costs."""

_CRM = sa.MetaData()
ACCOUNTS = sa.Table(
    "accounts",
    _CRM,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("industry", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("deleted_at", sa.DateTime(timezone=True)),
)
_CONTACTS = sa.Table(
    "contacts",
    _CRM,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("job_title", sa.Text),
    sa.Column("newsletter", sa.Boolean, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)
_BILLING = sa.MetaData()
_SUBSCRIPTIONS = sa.Table(
    "subscriptions",
    _BILLING,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("monthly_amount", sa.Numeric(12, 2), nullable=False),
)


def describe_sources(folder: Path) -> None:
    """Writes the files that describe the databases as sources of company data; one that is there stays."""
    make_private_folder(folder)
    for name in SOURCES:
        path = folder / f"{name}.yaml"
        if not path.exists():
            path.write_text((Path(__file__).parent / path.name).read_text(encoding="utf-8"), encoding="utf-8")


def make_databases(server: str, seed: int, now: dt.datetime) -> None:
    """Makes the databases on a PostgreSQL server, by the address of any database there, and fills them."""
    address = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        there = set(connection.scalars(sa.text("SELECT datname FROM pg_database")))
        for name in SOURCES:
            if name not in there:
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    fill(address.set(database="crm"), address.set(database="billing"), seed, now)


def fill(crm: URL, billing: URL, seed: int, now: dt.datetime) -> None:
    """Makes the tables anew, with what the seed says. Rows say that they changed an hour ago."""
    changed = now - dt.timedelta(hours=1)
    for address, metadata, rows in (
        (crm, _CRM, {ACCOUNTS: list(_accounts(seed, changed)), _CONTACTS: list(_contacts(seed, changed))}),
        (billing, _BILLING, {_SUBSCRIPTIONS: list(_subscriptions(seed))}),
    ):
        engine = sa.create_engine(address)
        with engine.begin() as connection:
            metadata.create_all(connection)
            for table, said in rows.items():
                connection.execute(table.delete())
                connection.execute(table.insert(), said)
        engine.dispose()


def _accounts(seed: int, changed: dt.datetime) -> Iterator[Mapping[str, Any]]:
    for number in range(COMPANIES):
        rng = seeded(seed, "account", number)
        yield {
            "id": f"company-{number}",
            "name": f"{rng.choice(_NAMES)} {number}",
            "industry": rng.choice(_INDUSTRIES),
            "country": pick(rng, PLACES).country,
            "status": rng.choice(("customer", "customer", "trial", "churned")),
            "updated_at": changed,
            "deleted_at": None,
        }


def _contacts(seed: int, changed: dt.datetime) -> Iterator[Mapping[str, Any]]:
    for number in range(CONTACTS):
        rng = seeded(seed, "contact", number)
        yield {
            "id": number,
            "user_id": make_person(seed, number).user_id,
            "job_title": rng.choice(("founder", "marketing", "engineering", None)),
            "newsletter": rng.random() < 0.5,
            "updated_at": changed,
        }


def _subscriptions(seed: int) -> Iterator[Mapping[str, Any]]:
    """One a company, and a second one, for more seats, of every fifth."""
    for number in range(COMPANIES):
        rng = seeded(seed, "subscription", number)
        (plan,) = rng.choices(_PLANS, [weight for _, weight, _ in _PLANS])
        for nth in range(2 if number % 5 == 0 else 1):
            amount = plan[2] * rng.choice((1, 1, 2, 5)) / (nth + 1)
            yield {
                "id": 10 * number + nth,
                "account_id": f"company-{number}",
                "plan": plan[0],
                "monthly_amount": round(amount, 2),
            }
