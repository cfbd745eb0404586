"""The network: private subnets for everything, and endpoints, so that events never pass a NAT gateway."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.choices import Choices
from infra.data import DataStack
from infra.logs import retention
from infra.sizes import endpoints_of, zones_of


class NetworkStack(cdk.Stack):
    """One network an installation."""

    def __init__(self, scope: Construct, name: str, choices: Choices, data: DataStack) -> None:
        super().__init__(scope, name, description="event-assets: network")
        size = choices.size
        self.vpc = ec2.Vpc(
            self,
            "Network",
            # Written out: where it knows no account, CDK takes two zones, however many are asked for.
            availability_zones=[Fn.select(each, Fn.get_azs()) for each in range(zones_of(size, choices.stream))],
            nat_gateways=size.nat_gateways,
            restrict_default_security_group=False,  # it would take a Lambda with rights on all groups
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="Private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
            ],
        )
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.vpc.add_gateway_endpoint("DynamoDB", service=ec2.GatewayVpcEndpointAwsService.DYNAMODB)
        guard = ec2.SecurityGroup(self, "Endpoints", vpc=self.vpc, description="HTTPS from inside the network")
        guard.add_ingress_rule(ec2.Peer.ipv4(self.vpc.vpc_cidr_block), ec2.Port.tcp(443), "HTTPS from inside")
        for service in endpoints_of(size, choices.stream):
            self.vpc.add_interface_endpoint(
                "".join(part.title() for part in service.replace(".", "-").split("-")),
                service=ec2.InterfaceVpcEndpointAwsService(service),
                private_dns_enabled=True,
                open=False,
                security_groups=[guard],
            )
        self._log_flows(size.log_days, data.key_for(self))

    def _log_flows(self, days: int, key: kms.IKey) -> None:
        group = logs.LogGroup(self, "Flows", retention=retention(days), encryption_key=key)
        role = iam.Role(self, "FlowsRole", assumed_by=iam.ServicePrincipal("vpc-flow-logs.amazonaws.com"))
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(group, role),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
