# SPDX-License-Identifier: Apache-2.0
"""Single requests over a socket, encoded and decoded by kafka-python's schemas.

Clients send what they are made to send; here a test says which version and which bytes.
"""

import itertools
import socket
import struct

from kafka.protocol.consumer import FetchRequest, ListOffsetsRequest
from kafka.protocol.metadata import ApiVersionsRequest, MetadataRequest
from kafka.protocol.producer import ProduceRequest
from kafka.protocol import api_message

from batches import batch, crc32c

SECONDS = 10

# Error codes that tests ask for by name.
NONE, OFFSET_OUT_OF_RANGE, CORRUPT_MESSAGE, UNKNOWN_TOPIC_OR_PARTITION = 0, 1, 2, 3
MESSAGE_TOO_LARGE, INVALID_TOPIC, INVALID_REQUIRED_ACKS = 10, 17, 21
UNSUPPORTED_VERSION, OUT_OF_ORDER_SEQUENCE, INVALID_PRODUCER_EPOCH = 35, 45, 47
FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, INVALID_RECORD, UNKNOWN_TOPIC_ID = 74, 75, 87, 100


class Wire:
    """A connection that says exactly what a test wants said."""

    def __init__(self, server, client="wire"):
        host, port = server.kafka.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=SECONDS)
        self.client = client
        self.numbers = itertools.count(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, request, trailing=b""):
        """Sends a request, with bytes behind it that no schema knows; gives its number."""
        number = next(self.numbers)
        request.with_header(number, self.client)
        body = bytes(request.encode(header=True)) + trailing
        self.send_bytes(struct.pack(">i", len(body)) + body)
        return number

    def receive_bytes(self):
        """The next answer, as it came."""
        size, = struct.unpack(">i", self._receive(4))
        return self._receive(size)

    def receive(self, request, number=None):
        """The next answer, which must be that of a request."""
        data = self.receive_bytes()
        answered, = struct.unpack_from(">i", data)
        assert number is None or answered == number, "answers came in another order"
        response = answer_to(request).decode(data, version=request.API_VERSION, header=True)
        return response

    def ask(self, request, trailing=b""):
        return self.receive(request, self.send(request, trailing))

    def is_closed(self, within=SECONDS):
        """Whether the server closes the connection without a further answer."""
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True

    def says_nothing(self, seconds):
        """Whether no byte comes for a while, and the connection stays open."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(SECONDS)

    def _receive(self, count):
        data = bytearray()
        while len(data) < count:
            part = self.socket.recv(min(count - len(data), 1 << 20))
            if not part:
                raise ConnectionError("the server closed the connection")
            data += part
        return bytes(data)


def answer_to(request):
    """The class of a request's answer."""
    name = type(request).__name__.removesuffix("Request") + "Response"
    module = __import__(type(request).__module__, fromlist=[name])
    answer = getattr(module, name)
    assert issubclass(answer, api_message.ApiMessage)
    return answer


def by_producer(encoded, producer, epoch, sequence, attributes=0):
    """A batch as an idempotent producer sends it."""
    tail = bytearray(encoded[21:])
    struct.pack_into(">h", tail, 0, attributes)
    struct.pack_into(">qhi", tail, 22, producer, epoch, sequence)
    return encoded[:17] + struct.pack(">I", crc32c(tail)) + bytes(tail)


def produce(topic, records, acks=-1, version=9, partition=0, timeout=5000, transaction=None):
    """A request of one batch or several bytes that claim to be one."""
    topics = ProduceRequest.TopicProduceData
    return ProduceRequest(
        version=version, transactional_id=transaction, acks=acks, timeout_ms=timeout,
        topic_data=[topics(name=topic, partition_data=[
            topics.PartitionProduceData(index=partition, records=records)])])


def produced(response):
    """The one partition of an answer to a produce request."""
    return response.responses[0].partition_responses[0]


def fetch(topic, offset=0, version=11, wait=0, least=1, most=50 << 20, partition_most=1 << 20,
          partition=0, leader_epoch=-1, session=0, session_epoch=-1, topic_id=None, isolation=0):
    topics = FetchRequest.FetchTopic
    place = topics.FetchPartition(
        partition=partition, current_leader_epoch=leader_epoch, fetch_offset=offset,
        last_fetched_epoch=-1, log_start_offset=-1, partition_max_bytes=partition_most)
    named = {"topic": topic} if topic_id is None else {"topic_id": topic_id}
    return FetchRequest(
        version=version, cluster_id=None, replica_id=-1, max_wait_ms=wait, min_bytes=least,
        max_bytes=most, isolation_level=isolation, session_id=session, session_epoch=session_epoch,
        topics=[topics(partitions=[place], **named)], forgotten_topics_data=[], rack_id="")


def fetched(response):
    """The one partition of an answer to a fetch request."""
    return response.responses[0].partitions[0]


def list_offsets(topic, timestamp, version=7, partition=0, leader_epoch=-1, isolation=0):
    topics = ListOffsetsRequest.ListOffsetsTopic
    place = topics.ListOffsetsPartition(
        partition_index=partition, current_leader_epoch=leader_epoch, timestamp=timestamp)
    return ListOffsetsRequest(
        version=version, replica_id=-1, isolation_level=isolation, timeout_ms=5000,
        topics=[topics(name=topic, partitions=[place])])


def listed(response):
    """The one partition of an answer to a request for offsets."""
    return response.topics[0].partitions[0]


def metadata(topics, version=9, creates=False):
    """`None` asks for all topics, none at all for an empty list."""
    names = topics and [MetadataRequest.MetadataRequestTopic(name=name) for name in topics]
    return MetadataRequest(
        version=version, topics=names, allow_auto_topic_creation=creates,
        include_cluster_authorized_operations=False, include_topic_authorized_operations=False)


def api_versions(version=3):
    return ApiVersionsRequest(
        version=version, client_software_name="wire", client_software_version="1.0")


__all__ = [name for name in dir() if not name.startswith("_")] + ["batch"]
