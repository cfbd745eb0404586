"""Dagster on ECS: a code location, a webserver, a daemon, and a task for each run."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from infra.choices import Choices, SignIn
from infra.dashboards import dashboards
from infra.data import DataStack
from infra.database import database
from infra.environment import PASSWORDS, PII_KEY, PRIVACY_KEY, ZONE, dagster_environment, pipeline_environment
from infra.image import Workshop
from infra.network import NetworkStack
from infra.pages import Pages
from infra.permissions import keeps_lake, keeps_online, launches_runs, watches_runs
from infra.quicksight import quicksight_connection
from infra.retention import RetentionFunction
from infra.sizes import Tasks
from infra.spark import SparkCluster
from infra.stream import EventStream
from infra.warehouse import Redshift

MODULE = "event_assets.definitions"
CODE_PORT = 4000
WEB_PORT = 3000
REDSHIFT_PORT = 5439


class PipelineStack(cdk.Stack):
    """What turns events into tables: Dagster, its database, the warehouse, and Spark where it is a cluster."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        choices: Choices,
        data: DataStack,
        stream: EventStream,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, name, description="event-assets: Dagster, warehouse, Spark")
        size, vpc, key = choices.size, network.vpc, data.key_for(self)
        self.cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
        self.database = database(self, size.database, vpc, key)
        self.redshift = None
        if choices.warehouse == "redshift":
            prefix = choices.name.lower()
            self.redshift = Redshift(self, prefix, size.redshift_rpus, vpc, data.lake.bucket_arn, key)
        self.names = discovery.PrivateDnsNamespace(self, "Names", name=ZONE, vpc=vpc)
        self.spark = (
            SparkCluster(self, size.cluster, data, network.vpc, self.names, self._read_by_executors(choices, stream))
            if choices.spark == "cluster"
            else None
        )
        shows = choices.pages is not None and choices.pages.dashboards is not None
        extras = (*stream.extras, "dashboard") if shows else stream.extras
        workshop = Workshop(self, vpc, self.cluster, key, size.log_days, "platform", extras)
        host = self.database.db_instance_endpoint_address
        of_pipeline = pipeline_environment(
            choices,
            region=Aws.REGION,
            stream=stream.settings,
            lake_url=data.lake_url,
            database_host=host,
            warehouse_host=self.redshift.host if self.redshift else None,
            copy_role=self.redshift.copy_role.role_arn if self.redshift else None,
            spark_host=self.spark.host if self.spark else None,
        )
        of_dagster = dagster_environment(choices, region=Aws.REGION, database_host=host)
        passwords = self._passwords()
        storage = {name: passwords[name] for name in PASSWORDS[:1]}
        keys = {PRIVACY_KEY: data.secret_for(self, "PrivacyKey", data.privacy_key)}
        if choices.pii_fields:
            keys[PII_KEY] = data.secret_for(self, "PiiKey", data.pii_key)
        secrets = passwords | {name: ecs.Secret.from_secrets_manager(secret) for name, secret in keys.items()}
        lands = [*stream.reads, *keeps_lake(data.lake.bucket_arn, key.key_arn)]
        works = [*lands, *keeps_online(data.online_arns, key.key_arn)]
        family = f"{choices.name.lower()}-run"
        run = workshop.task(
            "Run",
            size.run,
            ["dagster", "--version"],  # what Dagster's launcher puts in its place
            {**of_dagster, **of_pipeline},
            rights=works,
            secrets=secrets,
            family=family,
        )
        code = workshop.task(
            "Code",
            size.code,
            ["dagster", "api", "grpc", "-h", "0.0.0.0", "-p", str(CODE_PORT), "-m", MODULE],
            {**of_dagster, **of_pipeline},
            rights=works,  # sensors and schedules are evaluated here: they look at the stream and the lake
            secrets=secrets,
            port=CODE_PORT,
            healthy=f"dagster api grpc-health-check -p {CODE_PORT}",
        )
        instance = {
            **of_dagster,
            "DAGSTER_RUN_TASK": family,
            "DAGSTER_CODE_HOST": f"code.{ZONE}",
        }
        roles = [role.role_arn for role in (run.task_role, run.obtain_execution_role())]
        family_arn = f"arn:{Aws.PARTITION}:ecs:{Aws.REGION}:{Aws.ACCOUNT_ID}:task-definition/{family}"
        daemon = workshop.task(
            "Daemon",
            size.daemon,
            ["dagster-daemon", "run"],
            instance,
            rights=launches_runs(self.cluster.cluster_arn, family_arn, roles),
            secrets=storage,
            healthy="dagster-daemon liveness-check",
        )
        web = workshop.task(
            "Webserver",
            size.webserver,
            ["dagster-webserver", "-h", "0.0.0.0", "-p", str(WEB_PORT)],
            instance,
            rights=watches_runs(self.cluster.cluster_arn),
            secrets=storage,
            port=WEB_PORT,
            healthy=f"python -c \"import urllib.request as r; r.urlopen('http://localhost:{WEB_PORT}/server_info')\"",
        )
        self.code = workshop.service("Code", code, size.code)
        self.daemon = workshop.service("Daemon", daemon, size.daemon, alone=True)
        self.webserver = workshop.service("Webserver", web, size.webserver)
        self.run_logs = workshop.logs["Run"]
        self.continuous = None
        if choices.continuous == "on":
            query = workshop.task(
                "Continuous",
                size.code,
                ["event-assets", "stream", "run"],
                of_pipeline,
                rights=lands,
                secrets={each: secrets[each] for each in keys},
            )
            self.continuous = workshop.service("Continuous", query, size.code, alone=True)
        password = self.redshift.secret if self.redshift else self.database.secret
        assert password is not None
        self.retention = RetentionFunction(self, choices, data, vpc, workshop.image, of_pipeline, password, keys, key)
        self._connect(stream)
        if choices.pages is not None:
            theirs = {name: secrets[name] for name in (*PASSWORDS[1:], PRIVACY_KEY)}
            self._pages(choices, choices.pages, data, workshop, of_pipeline, theirs)
        cdk.CfnOutput(self, "ClusterName", value=self.cluster.cluster_name)
        cdk.CfnOutput(self, "DatabaseHost", value=host)
        if self.redshift:
            cdk.CfnOutput(self, "WarehouseHost", value=self.redshift.host)
            cdk.CfnOutput(self, "WarehouseSecretArn", value=self.redshift.secret.secret_arn)
            if choices.quicksight == "on":
                quicksight_connection(self, choices.name.lower(), vpc, self.redshift.guard, REDSHIFT_PORT)

    def _passwords(self) -> dict[str, ecs.Secret]:
        """By variable. Of the warehouse it is the database's own where that is the warehouse."""
        of_database = self.database.secret
        assert of_database is not None
        of_warehouse = self.redshift.secret if self.redshift else of_database
        storage, warehouse = PASSWORDS
        return {
            storage: ecs.Secret.from_secrets_manager(of_database, "password"),
            warehouse: ecs.Secret.from_secrets_manager(of_warehouse, "password"),
        }

    def _pages(
        self,
        choices: Choices,
        sign_in: SignIn,
        data: DataStack,
        workshop: Workshop,
        environment: dict[str, str],
        secrets: dict[str, ecs.Secret],
    ) -> None:
        """The way to Dagster's pages, and the dashboards where they have a name."""
        pages = Pages(self, choices, sign_in, workshop.vpc, self.webserver, WEB_PORT)
        if sign_in.dashboards is not None:
            tasks = Tasks(choices.size.webserver.cpu, choices.size.webserver.memory)
            made = dashboards(workshop, pages, sign_in, sign_in.dashboards, tasks, environment, secrets, data)
            self._lets_to_warehouse(made)

    def _lets_to_warehouse(self, service: ecs.FargateService) -> None:
        (group,) = service.connections.security_groups
        if self.redshift:
            self.redshift.guard.add_ingress_rule(group, ec2.Port.tcp(REDSHIFT_PORT), "Warehouse")
        else:
            self.database.connections.allow_default_port_from(service)

    @staticmethod
    def _read_by_executors(choices: Choices, stream: EventStream) -> EventStream | None:
        """The stream, where Spark's executors read it."""
        return stream if choices.continuous == "on" else None

    def _connect(self, stream: EventStream) -> None:
        """Who reaches whom: nobody but these."""
        reading = [*self.code.connections.security_groups, *self.daemon.connections.security_groups]
        if self.spark and self.continuous:
            querying = self.continuous.connections.security_groups
            self.spark.admit(*querying)
            reading += [*querying, self.spark.guard]
        stream.admit(self, *reading)
        self.code.enable_cloud_map(
            cloud_map_namespace=self.names, name="code", dns_record_type=discovery.DnsRecordType.A
        )
        for asking in (self.daemon, self.webserver):
            self.code.connections.allow_from(asking, ec2.Port.tcp(CODE_PORT), "Code location")
        # Runs are in the daemon's group: Dagster's launcher gives them the network of the task that starts them.
        for service in (self.code, self.daemon, self.webserver):
            self.database.connections.allow_default_port_from(service)
        self.database.connections.allow_default_port_from(self.retention.function)
        if self.redshift:
            self.redshift.guard.add_ingress_rule(self.retention.group, ec2.Port.tcp(REDSHIFT_PORT), "Warehouse")
        for service in (self.code, self.daemon):
            (group,) = service.connections.security_groups
            if self.redshift:
                self.redshift.guard.add_ingress_rule(group, ec2.Port.tcp(REDSHIFT_PORT), "Warehouse")
            if self.spark:
                self.spark.admit(group)
