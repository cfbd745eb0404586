"""PostgreSQL of RDS: Dagster's storage, and the warehouse where it is not Redshift."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.environment import DATABASE, USER
from infra.excuses import excuse
from infra.sizes import Database

ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.of("17.6", "17"))


def database(scope: Construct, size: Database, vpc: ec2.IVpc, key: kms.IKey) -> rds.DatabaseInstance:
    """One instance, whose password is made by AWS and kept in Secrets Manager."""
    parameters = rds.ParameterGroup(
        scope,
        "DatabaseParameters",
        engine=ENGINE,
        parameters={"rds.force_ssl": "1", "log_min_duration_statement": "5000"},
    )
    watches = iam.Role(
        scope,
        "DatabaseMonitor",
        assumed_by=iam.ServicePrincipal("monitoring.rds.amazonaws.com"),
        managed_policies=[
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonRDSEnhancedMonitoringRole")
        ],
    )
    instance = rds.DatabaseInstance(
        scope,
        "Database",
        engine=ENGINE,
        instance_type=ec2.InstanceType(size.instance),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        credentials=rds.Credentials.from_generated_secret(USER, encryption_key=key),
        database_name=DATABASE,
        parameter_group=parameters,
        allocated_storage=size.gib,
        max_allocated_storage=size.gib * 5,
        storage_type=rds.StorageType.GP3,
        storage_encrypted=True,
        storage_encryption_key=key,
        multi_az=size.standby,
        backup_retention=Duration.days(size.backup_days),
        copy_tags_to_snapshot=True,
        auto_minor_version_upgrade=True,
        deletion_protection=True,
        removal_policy=RemovalPolicy.SNAPSHOT,
        monitoring_interval=Duration.minutes(1),
        monitoring_role=watches,
        enable_performance_insights=True,
        performance_insight_encryption_key=key,
        cloudwatch_logs_exports=["postgresql", "upgrade"],
        ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
        iam_authentication=True,
    )
    if not size.standby:
        excuse(instance, CKV_AWS_157="a trial does without one that stands by; nothing of the lake is in it")
    return instance
