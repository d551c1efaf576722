// SPDX-License-Identifier: Apache-2.0

extension SettingsTable {
    /// What Kafka clients get.
    static let kafka: [SettingDefinition] = [
        .toggle(
            "kafka.auto_create_topics", \.kafka.autoCreateTopics,
            about: """
                Create a topic that a Kafka client asks for by name and that is missing, unless \
                the client forbids it.
                """),
        .size(
            "kafka.limits.request", \.kafka.requestBytes, in: (1 << 10)...(1 << 30),
            about: "The largest request. A connection that announces more is closed."),
        .size(
            "kafka.limits.fetch", \.kafka.fetchBytes, in: (1 << 10)...(1 << 30),
            about: """
                The largest answer to a fetch, whatever the client asks for. A batch that is \
                larger alone comes whole.
                """),
        .size(
            "kafka.limits.connection", \.kafka.connectionBytes, in: (64 << 10)...(1 << 30),
            about: """
                Requests under way on one connection. Beyond it the connection is read no \
                further until some are answered.
                """),
        .size(
            "kafka.limits.total", \.kafka.totalBytes, in: (1 << 20)...(64 << 30),
            about: """
                Requests under way on all connections. Beyond it none is read further until half \
                of it is answered.
                """),
        .milliseconds(
            "kafka.groups.session.min", \.kafka.groupSessionMin, in: 100...3_600_000,
            isEndless: false,
            about: """
                The least session timeout that a member of a consumer group may ask for. Below \
                some seconds a pause of its runtime counts as its death.
                """),
        .milliseconds(
            "kafka.groups.session.max", \.kafka.groupSessionMax, in: 1000...86_400_000,
            isEndless: false,
            about: "The greatest: how long a dead member may hold up its partitions."),
        .milliseconds(
            "kafka.groups.join_delay", \.kafka.groupJoinDelay, in: 0...300_000,
            isEndless: false,
            about: """
                How long an empty group waits for further members before its first generation, \
                so that those who are started together share one rebalance.
                """),
        .count(
            "kafka.groups.members", \.kafka.groupMembers, in: 1...100_000,
            about: "Members of one consumer group. One that comes beyond is refused."),
        .milliseconds(
            "kafka.groups.offset_retention", \.kafka.offsetRetention,
            in: 60_000...(3650 * 86_400_000), isEndless: true,
            about: """
                How long the committed offsets of a group without members are kept; -1 for as \
                long as their topic.
                """),
    ]

    /// What clients may ask: none of it is left to the gRPC library's defaults, which have no
    /// bound on calls, idleness or age.
    static let limits: [SettingDefinition] = [
        .size(
            "limits.record", \.limits.recordBytes, in: (1 << 10)...(64 << 20),
            about: """
                The largest record or batch that a request may carry, whatever the topic allows. \
                A message may have 64 KiB more.
                """),
        .size(
            "limits.queue", \.limits.queueBytes, in: (1 << 16)...(4 << 30),
            about: """
                Records that may wait to be written in one partition; producers beyond are slowed \
                down or told to try again.
                """),
        .count(
            "limits.streams", \.limits.streams, in: 1...65_536,
            about: "Calls at a time on one connection."),
        .count(
            "limits.connection.per_address", \.limits.connectionsPerAddress, in: 1...1_000_000,
            about: "Connections at a time from one address. Those beyond are closed at once."),
        .count(
            "limits.connection.total", \.limits.connections, in: 1...1_000_000,
            about: "Connections at a time. Those beyond are closed at once."),
        .duration(
            "limits.connection.idle", \.limits.connectionIdle,
            in: .seconds(1)...(.seconds(30 * 86_400)),
            about: "How long a connection may stay without a call."),
        .duration(
            "limits.connection.age", \.limits.connectionAge,
            in: .seconds(1)...(.seconds(30 * 86_400)),
            about: """
                How long a connection may exist before the client is asked to open another, so \
                that load spreads again.
                """),
        .duration(
            "limits.connection.grace", \.limits.connectionGrace,
            in: .seconds(1)...(.seconds(86_400)),
            about: "How long calls may go on once the client was asked."),
        .duration(
            "limits.handshake", \.limits.handshake, in: .milliseconds(10)...(.seconds(600)),
            about: "How long a new connection may take until it speaks HTTP/2."),
        .duration(
            "limits.keepalive.time", \.limits.keepaliveTime,
            in: .milliseconds(100)...(.seconds(86_400)),
            about: "Silence of a client after which it is asked whether it is still there."),
        .duration(
            "limits.keepalive.timeout", \.limits.keepaliveTimeout,
            in: .milliseconds(100)...(.seconds(3600)),
            about: "How long the client may take to answer that before it is taken as gone."),
        .duration(
            "limits.keepalive.client_min", \.limits.clientPingInterval,
            in: .zero...(.seconds(86_400)),
            about: """
                The shortest time between keepalive pings of a client without calls. One that \
                pings more often is disconnected.
                """),
    ]
}
