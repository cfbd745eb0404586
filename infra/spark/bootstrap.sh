#!/bin/bash
# Makes a node of the Spark cluster of this machine: `bootstrap.sh master` or `bootstrap.sh worker`.
#
# `bootstrap.sh packages|python|jars|settings|unit-master|unit-connect|unit-worker` does one step alone.
# Environment: EVENT_ASSETS_SPARK_MASTER (the master's name), AWS_REGION.
set -euo pipefail

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PREFIX=${PREFIX:-/opt/event-assets}
UNITS=${UNITS:-/etc/systemd/system}
PYTHON=${PYTHON:-python3.11} # the minor version of the image: what a client pickles, workers must read
MASTER=${EVENT_ASSETS_SPARK_MASTER:-}
REGION=${AWS_REGION:-}
HADOOP_AWS=3.5.0 # the Hadoop that PySpark brings
AWS_SDK=2.35.4
ACCELERATOR=1.3.1
SPARK_KAFKA=4.2.0
KAFKA_CLIENTS=3.9.2
COMMONS_POOL=2.13.1
MSK_IAM=2.3.5

packages() {
    dnf install -y -q java-17-amazon-corretto-headless python3.11 python3.11-pip
    id spark >/dev/null 2>&1 || useradd --system --home-dir "$PREFIX" spark
}

# The same package and the same versions as in the image.
python() {
    "$PYTHON" -m venv "$PREFIX/venv"
    "$PREFIX/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$SOURCE/requirements.lock" "${SOURCE}[aws,kafka]"
}

spark_home() {
    "$PREFIX/venv/bin/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))'
}

# What reads and writes s3://, and reads topics of Kafka (of MSK by IAM), into Spark's own jars: executors then need to
# fetch nothing.
jars() {
    local home ivy
    home=$(spark_home)
    ivy=$(echo "$home"/jars/ivy-*.jar)
    local wanted
    for wanted in "org.apache.hadoop hadoop-aws $HADOOP_AWS" "software.amazon.awssdk bundle $AWS_SDK" \
        "software.amazon.s3.analyticsaccelerator analyticsaccelerator-s3 $ACCELERATOR" \
        "org.apache.spark spark-sql-kafka-0-10_2.13 $SPARK_KAFKA" \
        "org.apache.spark spark-token-provider-kafka-0-10_2.13 $SPARK_KAFKA" \
        "org.apache.kafka kafka-clients $KAFKA_CLIENTS" "org.apache.commons commons-pool2 $COMMONS_POOL" \
        "software.amazon.msk aws-msk-iam-auth $MSK_IAM"; do
        # shellcheck disable=SC2086  # three words are three arguments
        java -jar "$ivy" -warn -notransitive -confs default -dependency $wanted -cache "$PREFIX/ivy" \
            -retrieve "$home/jars/[artifact]-[revision].[ext]"
    done
}

settings() {
    local conf
    conf="$(spark_home)/conf"
    mkdir -p "$conf"
    cat >"$conf/spark-defaults.conf" <<END
spark.hadoop.fs.s3.impl org.apache.hadoop.fs.s3a.S3AFileSystem
spark.hadoop.fs.s3a.endpoint.region $REGION
spark.sql.parquet.outputTimestampType TIMESTAMP_MICROS
spark.sql.session.timeZone UTC
spark.python.sql.dataFrameDebugging.enabled false
spark.pyspark.python $PREFIX/venv/bin/python
spark.connect.grpc.binding.address 0.0.0.0
spark.connect.grpc.binding.port 15002
spark.dynamicAllocation.enabled true
spark.dynamicAllocation.shuffleTracking.enabled true
spark.decommission.enabled true
spark.storage.decommission.enabled true
END
}

# unit NAME COMMAND…: a service that starts with the machine, and again after it ended.
unit() {
    local name=$1
    shift
    mkdir -p "$UNITS"
    cat >"$UNITS/$name.service" <<END
[Unit]
Description=event-assets: $name
Wants=network-online.target
After=network-online.target

[Service]
User=spark
Environment=SPARK_HOME=$(spark_home) SPARK_LOCAL_DIRS=$PREFIX/scratch SPARK_NO_DAEMONIZE=1
Environment=PYSPARK_PYTHON=$PREFIX/venv/bin/python AWS_REGION=$REGION
WorkingDirectory=$PREFIX
ExecStart=$*
Restart=always
RestartSec=5
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
END
}

unit_master() {
    unit spark-master "$(spark_home)/bin/spark-class" org.apache.spark.deploy.master.Master --port 7077
}

unit_connect() {
    unit spark-connect "$(spark_home)/bin/spark-submit" --master "spark://$(hostname -f):7077" \
        --class org.apache.spark.sql.connect.service.SparkConnectServer spark-internal
}

unit_worker() {
    unit spark-worker "$(spark_home)/bin/spark-class" org.apache.spark.deploy.worker.Worker "spark://$MASTER:7077"
}

installed() {
    packages
    python
    jars
    settings
    mkdir -p "$PREFIX/scratch"
    chown -R spark "$PREFIX"
}

started() {
    systemctl daemon-reload
    systemctl enable --now "$@"
}

case ${1:-} in
master)
    installed
    unit_master
    unit_connect
    started spark-master spark-connect
    ;;
worker)
    : "${MASTER:?EVENT_ASSETS_SPARK_MASTER is missing: a worker has to know its master}"
    installed
    unit_worker
    started spark-worker
    ;;
packages | python | jars | settings) "$1" ;;
unit-master | unit-connect | unit-worker) "${1/-/_}" ;;
*)
    echo "usage: bootstrap.sh master|worker|packages|python|jars|settings|unit-master|unit-connect|unit-worker" >&2
    exit 2
    ;;
esac
