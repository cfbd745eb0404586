"""The images that containers run, of this repository, and the tasks and services made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from aws_cdk import Duration, IgnoreMode
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.environment import HOME
from infra.logs import retention
from infra.permissions import opens_secrets
from infra.sizes import Tasks

ROOT = Path(__file__).parents[1]
DOCKERFILE = "infra/image/Dockerfile"
Target = Literal["collector", "platform"]
COPIED = (
    "event_assets",
    "infra/image",
    "python-sdk/event_assets_sdk",
    "python-sdk/pyproject.toml",
    "python-sdk/README.md",
    "requirements.lock",
    "setup.py",
    "README.md",
)
"""What the Dockerfile takes of the repository. Nothing else changes the image."""


def image_asset(scope: Construct, target: Target, extras: Sequence[str] = ("aws",)) -> assets.DockerImageAsset:
    """A target of the Dockerfile, built and pushed when the stack is deployed; synthesis needs no Docker. `extras` are
    the package's, of the platform: the ingest API has all that it can use."""
    return assets.DockerImageAsset(
        scope,
        "Image",
        directory=str(ROOT),
        file=DOCKERFILE,
        target=target,
        build_args={"EXTRAS": ",".join(extras)} if target == "platform" else None,
        platform=assets.Platform.LINUX_ARM64,
        ignore_mode=IgnoreMode.DOCKER,
        exclude=["*", *(f"!{name}" for name in COPIED), "**/__pycache__", "**/node_modules"],
    )


class Workshop:
    """Where services are made: a cluster, its image, its logs, its network."""

    def __init__(
        self,
        scope: Construct,
        vpc: ec2.IVpc,
        cluster: ecs.ICluster,
        key: kms.IKey,
        log_days: int,
        target: Target,
        extras: Sequence[str] = ("aws",),
    ) -> None:
        self.scope = scope
        self.vpc = vpc
        self.cluster = cluster
        self.image = image_asset(scope, target, extras)
        self.logs: dict[str, logs.LogGroup] = {}
        self.key = key
        self._log_days = log_days

    def task(
        self,
        name: str,
        tasks: Tasks,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        rights: Sequence[iam.PolicyStatement] = (),
        secrets: Mapping[str, ecs.Secret] | None = None,
        port: int | None = None,
        healthy: str | None = None,
        family: str | None = None,
    ) -> ecs.FargateTaskDefinition:
        """A task with a role of its own, a read-only file system and a folder to write to. `healthy` is a command."""
        role = iam.Role(self.scope, f"{name}Role", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"))
        for statement in rights:
            role.add_to_policy(statement)
        definition = ecs.FargateTaskDefinition(
            self.scope,
            f"{name}Task",
            cpu=tasks.cpu,
            memory_limit_mib=tasks.memory,
            task_role=role,
            family=family,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64, operating_system_family=ecs.OperatingSystemFamily.LINUX
            ),
            volumes=[ecs.Volume(name="tmp")],
        )
        container = definition.add_container(
            "main",
            container_name="main",
            image=ecs.ContainerImage.from_docker_image_asset(self.image),
            command=list(command),
            environment=dict(environment) | {"HOME": HOME},
            secrets=secrets,
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(120),
            logging=ecs.LogDrivers.aws_logs(stream_prefix=name.lower(), log_group=self._logs(name)),
            port_mappings=[ecs.PortMapping(container_port=port)] if port else None,
            health_check=None
            if healthy is None
            else ecs.HealthCheck(
                command=["CMD-SHELL", healthy],
                interval=Duration.seconds(30),
                timeout=Duration.seconds(20),
                start_period=Duration.seconds(180),
            ),
        )
        if secrets:
            definition.add_to_execution_role_policy(opens_secrets(self.key.key_arn))
        container.add_mount_points(ecs.MountPoint(container_path="/tmp", source_volume="tmp", read_only=False))
        return definition

    def service(
        self, name: str, definition: ecs.FargateTaskDefinition, tasks: Tasks, *, alone: bool = False
    ) -> ecs.FargateService:
        """Keeps its tasks running. One that is `alone` is stopped before another starts: two daemons must not be."""
        group = ec2.SecurityGroup(self.scope, f"{name}Guard", vpc=self.vpc, description=f"{name} of event-assets")
        return ecs.FargateService(
            self.scope,
            f"{name}Service",
            cluster=self.cluster,
            task_definition=definition,
            desired_count=tasks.least,
            min_healthy_percent=0 if alone else 100,
            max_healthy_percent=100 if alone else 200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            security_groups=[group],
            assign_public_ip=False,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )

    def _logs(self, name: str) -> logs.LogGroup:
        group = logs.LogGroup(self.scope, f"{name}Logs", retention=retention(self._log_days), encryption_key=self.key)
        self.logs[name] = group
        return group
