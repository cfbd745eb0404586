"""QuickSight's way to a warehouse that is in our network alone. Data source, groups and dashboards are made by
`event-assets quicksight`."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_quicksight as quicksight
from constructs import Construct

from infra.excuses import excuse
from infra.permissions import connects_network


def quicksight_connection(
    scope: Construct, name: str, vpc: ec2.IVpc, warehouse: ec2.SecurityGroup, port: int
) -> quicksight.CfnVPCConnection:
    """The connection, which reaches the warehouse and nothing else."""
    guard = ec2.SecurityGroup(
        scope, "QuickSightGuard", vpc=vpc, description="QuickSight of event-assets", allow_all_outbound=False
    )
    guard.add_egress_rule(warehouse, ec2.Port.tcp(port), "Warehouse")
    # QuickSight's interfaces do not remember what they asked: answers need a rule of their own.
    guard.add_ingress_rule(warehouse, ec2.Port.tcp_range(1024, 65535), "Answers of the warehouse")
    warehouse.add_ingress_rule(guard, ec2.Port.tcp(port), "QuickSight")
    subnets = vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids
    role = iam.Role(scope, "QuickSightRole", assumed_by=iam.ServicePrincipal("quicksight.amazonaws.com"))
    policy = iam.Policy(scope, "QuickSightPolicy", roles=[role])
    policy.add_statements(*connects_network(subnets, guard.security_group_id))
    excuse(policy, CKV_AWS_111="what only describes can be bound to no resource; all else is")
    made = quicksight.CfnVPCConnection(
        scope,
        "QuickSightConnection",
        aws_account_id=Aws.ACCOUNT_ID,
        name=name,
        vpc_connection_id=name,
        role_arn=role.role_arn,
        security_group_ids=[guard.security_group_id],
        subnet_ids=subnets,
    )
    made.node.add_dependency(policy)
    cdk.CfnOutput(scope, "QuickSightConnectionArn", value=made.attr_arn)
    return made
