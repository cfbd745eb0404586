"""The event stream on Apache Kafka: a cluster of Amazon MSK that takes TLS and IAM alone, and the topic of events.

Nobody reads by a consumer group, so that MSK tells no lag of one: how far the topic is landed is known by the table,
and the platform's own alarms (StreamTrimming, LandingLate) watch it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import Aws, Fn
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as watch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from aws_cdk import aws_msk as msk
from constructs import Construct

from event_assets.streams.topic_settings import topic_settings
from infra.alarms import MINUTE, Watched
from infra.asking import Question, answer
from infra.choices import Choices
from infra.data import DataStack
from infra.logs import retention
from infra.network import NetworkStack
from infra.permissions import allow, reads_topic, writes_topic
from infra.sizes import Kafka
from infra.stream import EventStream

VERSION = "3.9.x.kraft"
TOPIC = "events"
REPLICAS = 3
DISK_GROWS_TO = 4
"""Times its first size; it never shrinks."""
_SERVER = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": str(REPLICAS),
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
}
"""An event is acknowledged once two of three have it, and no broker leads that has not."""


class KafkaStack(cdk.Stack):
    """A stack of its own: it needs the network, which what holds data does not."""

    def __init__(self, scope: Construct, name: str, choices: Choices, data: DataStack, network: NetworkStack) -> None:
        super().__init__(scope, name, description="event-assets: Kafka")
        size, key = choices.size.kafka, data.key_for(self)
        guard = ec2.SecurityGroup(self, "KafkaGuard", vpc=network.vpc, description="Kafka of event-assets")
        told = logs.LogGroup(self, "BrokerLogs", retention=retention(choices.size.log_days), encryption_key=key)
        self._cluster = self._brokers(choices.name.lower(), size, network.vpc, guard, told, key.key_arn)
        self._let_disks_grow(size)
        topic = msk.CfnTopic(
            self,
            "Topic",
            cluster_arn=self._cluster.attr_arn,
            topic_name=TOPIC,
            partition_count=size.partitions,
            replication_factor=REPLICAS,
            configs=_properties(topic_settings(choices.size.stream_retention_hours)),
        )
        asked = Question(
            "kafka", "get_bootstrap_brokers", {"ClusterArn": self._cluster.attr_arn}, "BootstrapBrokerStringSaslIam"
        )
        may = [allow(("kafka:GetBootstrapBrokers",), self._cluster.attr_arn)]
        brokers = answer(self, "Brokers", asked, may, Aws.REGION, choices.size.log_days, key)
        arn = self._cluster.attr_arn
        self.stream = EventStream(
            settings={
                "stream_kind": "kafka",
                "stream_name": topic.topic_name,
                "kafka_brokers": brokers,
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "AWS_MSK_IAM",
            },
            writes=writes_topic(arn, _part_of(arn, "topic", TOPIC)),
            reads=reads_topic(arn, _part_of(arn, "topic", TOPIC), _part_of(arn, "group", f"event-assets-{TOPIC}")),
            executors=reads_topic(arn, _part_of(arn, "topic", TOPIC), _part_of(arn, "group", "spark-kafka-source-*")),
            alarms=_alarms(self._cluster.cluster_name, range(1, size.brokers + 1)),
            extras=("aws", "kafka"),
            guard=guard,
        )
        cdk.CfnOutput(self, "BrokerAddresses", value=brokers)
        cdk.CfnOutput(self, "ClusterArn", value=arn)

    def _brokers(
        self, name: str, size: Kafka, vpc: ec2.IVpc, guard: ec2.SecurityGroup, told: logs.LogGroup, key: str
    ) -> msk.CfnCluster:
        settings = msk.CfnConfiguration(
            self,
            "Configuration",
            name=f"{name}-events",
            kafka_versions_list=[VERSION],
            server_properties="\n".join(f"{each}={value}" for each, value in _SERVER.items()),
        )
        return msk.CfnCluster(
            self,
            "Cluster",
            cluster_name=f"{name}-events",
            kafka_version=VERSION,
            number_of_broker_nodes=size.brokers,
            broker_node_group_info=msk.CfnCluster.BrokerNodeGroupInfoProperty(
                client_subnets=vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS).subnet_ids,
                instance_type=f"kafka.{size.instance}",
                security_groups=[guard.security_group_id],
                storage_info=msk.CfnCluster.StorageInfoProperty(
                    ebs_storage_info=msk.CfnCluster.EBSStorageInfoProperty(volume_size=size.gib)
                ),
            ),
            configuration_info=msk.CfnCluster.ConfigurationInfoProperty(
                arn=settings.attr_arn, revision=settings.attr_latest_revision_revision
            ),
            client_authentication=msk.CfnCluster.ClientAuthenticationProperty(
                sasl=msk.CfnCluster.SaslProperty(iam=msk.CfnCluster.IamProperty(enabled=True)),
                unauthenticated=msk.CfnCluster.UnauthenticatedProperty(enabled=False),
            ),
            encryption_info=msk.CfnCluster.EncryptionInfoProperty(
                encryption_at_rest=msk.CfnCluster.EncryptionAtRestProperty(data_volume_kms_key_id=key),
                encryption_in_transit=msk.CfnCluster.EncryptionInTransitProperty(client_broker="TLS", in_cluster=True),
            ),
            enhanced_monitoring="DEFAULT",
            logging_info=msk.CfnCluster.LoggingInfoProperty(
                broker_logs=msk.CfnCluster.BrokerLogsProperty(
                    cloud_watch_logs=msk.CfnCluster.CloudWatchLogsProperty(enabled=True, log_group=told.log_group_name)
                )
            ),
        )

    def _let_disks_grow(self, size: Kafka) -> None:
        """By themselves, before they are full. The role is the one that AWS keeps for it."""
        grown = scaling.CfnScalableTarget(
            self,
            "Disks",
            service_namespace="kafka",
            resource_id=self._cluster.attr_arn,
            scalable_dimension="kafka:broker-storage:VolumeSize",
            min_capacity=1,
            max_capacity=size.gib * DISK_GROWS_TO,
        )
        scaling.CfnScalingPolicy(
            self,
            "DisksGrow",
            policy_name=f"{self.stack_name}-disks",
            policy_type="TargetTrackingScaling",
            scaling_target_id=grown.ref,
            target_tracking_scaling_policy_configuration=scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
                predefined_metric_specification=scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="KafkaBrokerStorageUtilization"
                ),
                target_value=70,
                disable_scale_in=True,
            ),
        )


def _properties(settings: dict[str, str]) -> str:
    """As MSK takes the settings of a topic."""
    return base64.b64encode("\n".join(f"{name}={value}" for name, value in settings.items()).encode()).decode()


def _part_of(cluster: str, kind: str, name: str) -> str:
    """The ARN of a topic or group of a cluster, whose own ARN ends with its name and an id."""
    cluster_and_id = Fn.select(1, Fn.split(":cluster/", cluster))
    return f"arn:{Aws.PARTITION}:kafka:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}/{cluster_and_id}/{name}"


def _alarms(cluster: str, brokers: Sequence[int]) -> list[Watched]:
    def told(name: str, broker: int | None = None, statistic: str = "Maximum") -> watch.Metric:
        of_broker = {} if broker is None else {"Broker ID": str(broker)}
        dimensions = {"Cluster Name": cluster, **of_broker}
        return watch.Metric(
            namespace="AWS/Kafka", metric_name=name, dimensions_map=dimensions, statistic=statistic, period=MINUTE
        )

    def of_all(function: str, label: str, *names: str) -> watch.MathExpression:
        used = {f"m{place}b{each}": told(name, each) for place, name in enumerate(names) for each in brokers}
        sums = [" + ".join(f"m{place}b{each}" for place in range(len(names))) for each in brokers]
        expression = f"{function}([{', '.join(sums)}])"
        return watch.MathExpression(expression=expression, using_metrics=used, period=MINUTE, label=label)

    return [
        Watched(
            "PartitionsOffline",
            told("OfflinePartitionsCount"),
            0,
            2,
            "Partitions of the topic have no leader: their events are neither taken nor read.",
        ),
        Watched(
            "ReplicasMissing",
            of_all("SUM", "ReplicasMissing", "UnderReplicatedPartitions"),
            0,
            30,
            "For half an hour a broker has not had all that it should hold: the next that fails stops the stream.",
        ),
        Watched(
            "BrokerDiskFull",
            of_all("MAX", "BrokerDiskFull", "KafkaDataLogsDiskUsed"),
            85,
            5,
            "A broker's disk is 85 % full and did not grow in time: at the whole of it, the broker stops.",
        ),
        Watched(
            "BrokerBusy",
            of_all("MAX", "BrokerBusy", "CpuUser", "CpuSystem"),
            60,
            15,
            "A broker computes more than it could take over from one that fails: it needs more or larger ones.",
        ),
    ]
