"""Apache Spark on EC2: a master with Spark Connect, and workers that come and go with the load."""

from __future__ import annotations

from aws_cdk import Aws, Duration, IgnoreMode
from aws_cdk import aws_autoscaling as scaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from infra.data import DataStack
from infra.environment import SPARK_PORT, ZONE
from infra.excuses import excuse
from infra.image import COPIED, ROOT
from infra.permissions import allow, keeps_lake
from infra.sizes import Cluster
from infra.stream import EventStream

NAME = "spark"
_DISK = "/dev/xvda"
_SESSIONS = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""What Session Manager needs to give a shell on a node without SSH. None of it can be bound to a resource."""


class SparkCluster:
    """The cluster; `guard` is who may speak to it."""

    def __init__(
        self,
        scope: Construct,
        size: Cluster,
        data: DataStack,
        vpc: ec2.IVpc,
        names: discovery.PrivateDnsNamespace,
        stream: EventStream | None,
    ) -> None:
        """`stream` is what its nodes read themselves."""
        self._scope, self._data, self._stream = scope, data, stream
        self.host = f"{NAME}.{ZONE}"
        self._source = assets.Asset(
            scope,
            "SparkSource",
            path=str(ROOT),
            ignore_mode=IgnoreMode.DOCKER,
            exclude=["*", *(f"!{name}" for name in (*COPIED, "infra/spark")), "**/__pycache__", "**/node_modules"],
        )
        self.guard = ec2.SecurityGroup(scope, "SparkGuard", vpc=vpc, description="Spark of event-assets")
        self.guard.add_ingress_rule(self.guard, ec2.Port.all_tcp(), "Master, workers and executors among themselves")
        subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        self.master = ec2.Instance(
            scope,
            "SparkMaster",
            vpc=vpc,
            vpc_subnets=subnets,
            instance_type=ec2.InstanceType(size.master),
            machine_image=_amazon_linux(),
            role=self._role("SparkMasterRole"),
            security_group=self.guard,
            require_imdsv2=True,
            ebs_optimized=True,
            detailed_monitoring=True,
            block_devices=[_disk(50)],
            user_data=self._user_data("master"),
            user_data_causes_replacement=True,
        )
        names.create_service("SparkName", name=NAME).register_ip_instance(
            "SparkAddress", ipv4=self.master.instance_private_ip
        )
        template = ec2.LaunchTemplate(
            scope,
            "SparkWorker",
            instance_type=ec2.InstanceType(size.worker),
            machine_image=_amazon_linux(),
            role=self._role("SparkWorkerRole"),
            security_group=self.guard,
            require_imdsv2=True,
            http_put_response_hop_limit=1,
            ebs_optimized=True,
            detailed_monitoring=True,
            block_devices=[_disk(200)],
            user_data=self._user_data("worker"),
        )
        self.workers = scaling.AutoScalingGroup(
            scope,
            "SparkWorkers",
            vpc=vpc,
            vpc_subnets=subnets,
            min_capacity=size.least,
            max_capacity=size.most,
            mixed_instances_policy=scaling.MixedInstancesPolicy(
                launch_template=template,
                instances_distribution=scaling.InstancesDistribution(
                    on_demand_base_capacity=size.on_demand,
                    on_demand_percentage_above_base_capacity=0,
                    spot_allocation_strategy=scaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
                ),
                launch_template_overrides=[
                    scaling.LaunchTemplateOverrides(instance_type=ec2.InstanceType(kind))
                    for kind in _alternatives(size.worker)
                ],
            ),
            capacity_rebalance=True,
            update_policy=scaling.UpdatePolicy.rolling_update(),
            health_checks=scaling.HealthChecks.ec2(grace_period=Duration.minutes(10)),
        )
        self.workers.scale_on_cpu_utilization(
            "Cpu", target_utilization_percent=60, estimated_instance_warmup=Duration.minutes(5)
        )

    def admit(self, *groups: ec2.ISecurityGroup) -> None:
        """Lets tasks with these security groups open sessions."""
        for group in groups:
            self.guard.add_ingress_rule(group, ec2.Port.tcp(SPARK_PORT), "Spark Connect")

    def _role(self, name: str) -> iam.Role:
        role = iam.Role(self._scope, name, assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        data = self._data
        for statement in (
            *keeps_lake(data.lake.bucket_arn, data.key.key_arn),
            *(self._stream.executors if self._stream else ()),
            allow(
                ("s3:GetObject",),
                f"arn:{Aws.PARTITION}:s3:::{self._source.s3_bucket_name}/{self._source.s3_object_key}",
            ),
            allow(_SESSIONS, "*"),
        ):
            role.add_to_policy(statement)
        excuse(
            role.node.find_child("DefaultPolicy"),
            CKV_AWS_111="the actions of Session Manager can be bound to no resource; all others are",
        )
        return role

    def _user_data(self, node: str) -> ec2.UserData:
        """Fetches the repository's source and lets its own script do the rest."""
        made = ec2.UserData.for_linux(shebang="#!/bin/bash -eu")
        made.add_commands(
            "exec > >(tee /var/log/event-assets.log) 2>&1",
            "dnf install -y -q unzip",
            f"aws s3 cp --only-show-errors {self._source.s3_object_url} /tmp/source.zip",
            "unzip -q -o /tmp/source.zip -d /opt/event-assets-source",
            f"export EVENT_ASSETS_SPARK_MASTER={self.host} AWS_REGION={Aws.REGION}",
            f"/bin/bash /opt/event-assets-source/infra/spark/bootstrap.sh {node}",
        )
        return made


def _amazon_linux() -> ec2.IMachineImage:
    return ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64)


def _disk(gib: int) -> ec2.BlockDevice:
    volume = ec2.BlockDeviceVolume.ebs(gib, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3)
    return ec2.BlockDevice(device_name=_DISK, volume=volume)


def _alternatives(kind: str) -> list[str]:
    """Instance types as large, of three families: spot capacity of one alone runs out."""
    _, _, size = kind.partition(".")
    return [f"{family}.{size}" for family in ("r7g", "r6g", "r8g")]
