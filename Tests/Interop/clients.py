# SPDX-License-Identifier: Apache-2.0
"""The clients that grpcio makes from the committed protos, and short ways to call them."""

import pathlib
import subprocess
import sys
import tempfile

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTOS = ["log/v1/log.proto", "cordwood/v1/records.proto", "cordwood/v1/log_service.proto",
          "cordwood/v1/topic_service.proto"]

GENERATED = tempfile.TemporaryDirectory(prefix="cordwood-protos-")
subprocess.run(
    [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'proto'}",
     f"--python_out={GENERATED.name}", f"--grpc_python_out={GENERATED.name}", *PROTOS], check=True)
sys.path.insert(0, GENERATED.name)

from cordwood.v1 import log_service_pb2 as logs  # noqa: E402
from cordwood.v1 import log_service_pb2_grpc as logs_grpc  # noqa: E402
from cordwood.v1 import records_pb2 as records  # noqa: E402
from cordwood.v1 import topic_service_pb2 as topics  # noqa: E402
from cordwood.v1 import topic_service_pb2_grpc as topics_grpc  # noqa: E402
from log.v1 import log_pb2 as book  # noqa: E402
from log.v1 import log_pb2_grpc as book_grpc  # noqa: E402

SECONDS = 20


class Client:
    """All services over one connection."""

    def __init__(self, channel):
        self.channel = channel
        self.log = logs_grpc.LogServiceStub(channel)
        self.topics = topics_grpc.TopicServiceStub(channel)
        self.book = book_grpc.LogStub(channel)

    def create(self, name, partitions=1, **settings):
        named = {key.replace("_", "."): str(value) for key, value in settings.items()}
        request = topics.CreateTopicRequest(
            name=name, partition_count=partitions, settings=named)
        return self.topics.CreateTopic(request, timeout=SECONDS).topic

    def produce(self, topic, values, partition=0, timeout=SECONDS):
        request = logs.ProduceRequest(
            partition=place(topic, partition),
            records=[records.Record(value=value) for value in values])
        return self.log.Produce(request, timeout=timeout)

    def produce_encoded(self, topic, encoded, partition=0, timeout=SECONDS):
        request = logs.ProduceRequest(partition=place(topic, partition), encoded_batch=encoded)
        return self.log.Produce(request, timeout=timeout)

    def consume(self, topic, start=0, partition=0, timeout=SECONDS, **options):
        """The messages from an offset on."""
        position = logs.StartPosition(partition=place(topic, partition), offset=start)
        request = logs.ConsumeRequest(positions=[position], **options)
        return self.log.Consume(request, timeout=timeout)

    def read(self, topic, start=0, partition=0, timeout=60):
        """All records from an offset on, as (offset, value)."""
        return [(record.offset, record.value)
                for message in self.consume(topic, start, partition, timeout)
                for record in message.records]

    def offsets(self, topic, partition=0, **start):
        position = logs.StartPosition(partition=place(topic, partition), **start)
        request = logs.ListOffsetsRequest(positions=[position])
        return self.log.ListOffsets(request, timeout=SECONDS).results[0]

    def end(self, topic, partition=0):
        return self.offsets(topic, partition, latest=logs.Latest()).offset


def place(topic, partition=0):
    return records.TopicPartition(topic=topic, partition=partition)


def status_of(call):
    """The status code, the cordwood code and the metadata that a call fails with."""
    try:
        result = call()
        if hasattr(result, "__next__"):
            for _ in result:
                pass
    except grpc.RpcError as error:
        reason, metadata = None, {}
        status = rpc_status.from_call(error)
        for detail in status.details if status is not None else []:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
        return error.code(), reason, metadata
    raise AssertionError("the call succeeded")
