"""The script that makes Spark's nodes: sound as a script, and each step that needs no root does what others rely on.

What it installs comes over the network: a test of the long round alone does that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest
import yaml

from event_assets.lake.session import SESSION_SETTINGS
from event_assets_tests.infra.templates import ROOT
from event_assets_tests.spark_cluster import BOOTSTRAP, bootstrap, make_node

SPARK = Path(pyspark.__file__).parent


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node whose environment is there: this one's, with a configuration of its own."""
    make_node(tmp_path)
    return tmp_path


def test_the_script_is_sound() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck needs the extra infra")
    done = subprocess.run(["shellcheck", str(BOOTSTRAP)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_settings_are_what_sessions_need_and_what_reads_s3(node: Path) -> None:
    assert bootstrap(node, "settings").returncode == 0
    written = dict(
        line.split(None, 1) for line in (node / "pyspark/conf/spark-defaults.conf").read_text("utf-8").splitlines()
    )
    assert SESSION_SETTINGS.items() <= written.items()
    assert written["spark.hadoop.fs.s3.impl"] == "org.apache.hadoop.fs.s3a.S3AFileSystem"
    assert written["spark.hadoop.fs.s3a.endpoint.region"] == "eu-central-1"
    assert written["spark.connect.grpc.binding.port"] == "15002"


@pytest.mark.parametrize(
    ("unit", "program", "says"),
    [
        ("master", "spark-class", "org.apache.spark.deploy.master.Master --port 7077"),
        ("connect", "spark-submit", "org.apache.spark.sql.connect.service.SparkConnectServer"),
        ("worker", "spark-class", "org.apache.spark.deploy.worker.Worker spark://spark.event-assets.internal:7077"),
    ],
)
def test_each_service_starts_a_program_that_there_is(node: Path, unit: str, program: str, says: str) -> None:
    assert bootstrap(node, f"unit-{unit}").returncode == 0
    text = (node / "units" / f"spark-{unit}.service").read_text("utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    assert Path(command.split()[0]) == node / "pyspark/bin" / program
    assert Path(command.split()[0]).exists() and says in command
    assert "Restart=always" in text and "User=spark" in text


def test_a_worker_without_a_master_and_an_unknown_step_end_with_a_sentence(node: Path) -> None:
    done = bootstrap(node, "worker", EVENT_ASSETS_SPARK_MASTER="")
    assert done.returncode != 0 and "a worker has to know its master" in done.stderr
    done = bootstrap(node, "spark")
    assert done.returncode == 2 and "usage" in done.stderr


def test_jars_fit_the_hadoop_that_pyspark_brings_and_python_fits_the_image() -> None:
    text = BOOTSTRAP.read_text("utf-8")
    (hadoop,) = re.findall(r"^HADOOP_AWS=(\S+)", text, re.MULTILINE)
    assert (SPARK / "jars" / f"hadoop-client-api-{hadoop}.jar").exists()
    (python,) = re.findall(r"^PYTHON=\$\{PYTHON:-python([0-9.]+)\}", text, re.MULTILINE)
    dockerfile = (ROOT / "infra/image/Dockerfile").read_text("utf-8")
    assert f"python:{python}-" in dockerfile
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert python in ci["jobs"]["test"]["strategy"]["matrix"]["python"]


def test_nodes_read_kafka_by_the_versions_that_were_tried() -> None:
    text, tried = BOOTSTRAP.read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    versions = dict(re.findall(r"^([A-Z_]+)=([0-9.]+)$", text, re.MULTILINE))
    for artifact, version in re.findall(r"\"?(?:org\.apache\.\S+) ([\w.-]*kafka\S*|commons-pool2) \$(\w+)", text):
        assert f":{artifact}:{versions[version]}" in tried, artifact


@pytest.mark.slow
@pytest.mark.release
def test_python_and_jars_come_as_the_lock_says(tmp_path: Path) -> None:
    for step in ("python", "jars"):
        done = bootstrap(tmp_path, step, PYTHON=sys.executable)
        assert done.returncode == 0, done.stderr[-2000:]
    told = "import event_assets, pyspark; print(pyspark.__version__, pyspark.__file__)"
    shown = subprocess.run(
        [str(tmp_path / "venv/bin/python"), "-c", told],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    ).stdout.split()
    assert shown[0] == pyspark.__version__
    jars = {path.name for path in (Path(shown[1]).parent / "jars").iterdir()}
    assert {"hadoop-aws-3.5.0.jar", "bundle-2.35.4.jar", "aws-msk-iam-auth-2.3.5.jar"} <= jars
    assert {"spark-sql-kafka-0-10_2.13-4.2.0.jar", "kafka-clients-3.9.2.jar"} <= jars
