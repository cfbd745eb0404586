"""Redshift Serverless, and the role with which it copies from the lake."""

from __future__ import annotations

import json

from aws_cdk import aws_cloudwatch as watch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_redshiftserverless as redshift
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from infra.alarms import MINUTE, Watched
from infra.environment import DATABASE, USER
from infra.permissions import reads_lake

QUERY_TYPES = ("CTAS", "DELETE", "INSERT", "LOAD", "OTHER", "SELECT", "UNLOAD", "UPDATE")
"""By which Redshift Serverless tells its queries apart; it tells no sum of them.
https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-audit-logging.html"""


class Redshift:
    """A namespace (users, tables) and a workgroup (what computes), reached from inside the network by TLS alone."""

    def __init__(self, scope: Construct, name: str, rpus: int, vpc: ec2.IVpc, bucket: str, key: kms.IKey) -> None:
        self.copy_role = iam.Role(
            scope,
            "CopyRole",
            assumed_by=iam.CompositePrincipal(
                iam.ServicePrincipal("redshift.amazonaws.com"),
                iam.ServicePrincipal("redshift-serverless.amazonaws.com"),
            ),
        )
        for statement in reads_lake(bucket, key.key_arn):
            self.copy_role.add_to_policy(statement)
        self.secret = secrets.Secret(
            scope,
            "WarehouseUser",
            description="User and password of the warehouse",
            encryption_key=key,
            generate_secret_string=secrets.SecretStringGenerator(
                secret_string_template=json.dumps({"username": USER}),
                generate_string_key="password",
                password_length=40,
                exclude_punctuation=True,
            ),
        )
        namespace = redshift.CfnNamespace(
            scope,
            "Namespace",
            namespace_name=name,
            db_name=DATABASE,
            admin_username=USER,
            # A reference that CloudFormation resolves: the password is in no template.
            admin_user_password=self.secret.secret_value_from_json("password").unsafe_unwrap(),
            kms_key_id=key.key_arn,
            iam_roles=[self.copy_role.role_arn],
            default_iam_role_arn=self.copy_role.role_arn,
            log_exports=["userlog", "connectionlog", "useractivitylog"],
        )
        self.guard = ec2.SecurityGroup(scope, "WarehouseGuard", vpc=vpc, description="Redshift of event-assets")
        workgroup = redshift.CfnWorkgroup(
            scope,
            "Workgroup",
            workgroup_name=name,
            namespace_name=name,
            base_capacity=rpus,
            max_capacity=rpus * 4,
            port=5439,
            enhanced_vpc_routing=True,
            publicly_accessible=False,
            subnet_ids=vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids,
            security_group_ids=[self.guard.security_group_id],
            config_parameters=[
                redshift.CfnWorkgroup.ConfigParameterProperty(parameter_key="require_ssl", parameter_value="true"),
                redshift.CfnWorkgroup.ConfigParameterProperty(
                    parameter_key="enable_user_activity_logging", parameter_value="true"
                ),
            ],
        )
        workgroup.add_resource_dependency(namespace)
        self.name = name
        self.host = workgroup.attr_workgroup_endpoint_address

    @property
    def alarm(self) -> Watched:
        """That queries wait: loads among them, and whoever reads."""
        queued = {
            kind.lower(): watch.Metric(
                namespace="AWS/Redshift-Serverless",
                metric_name="QueriesQueued",
                dimensions_map={"QueryType": kind, "Workgroup": self.name},
                statistic="Minimum",
                period=MINUTE,
            )
            for kind in QUERY_TYPES
        }
        waiting = watch.MathExpression(
            expression=f"SUM([{', '.join(queued)}])", using_metrics=queued, period=MINUTE, label="WarehouseQueued"
        )
        meaning = "Queries wait for their turn in Redshift: loads come late, and the dashboards are slow."
        return Watched("WarehouseQueued", waiting, 0, 15, meaning)
