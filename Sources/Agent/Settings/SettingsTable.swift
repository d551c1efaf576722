// SPDX-License-Identifier: Apache-2.0

internal import ClusterCore
internal import Logging
internal import Telemetry

/// Every key there is: a new setting is a field of ``Settings`` and a row here.
enum SettingsTable {
    /// Keys that belong together, with the heading that they have on the reference page.
    struct Section: Sendable {
        var title: String
        var definitions: [SettingDefinition]
    }

    /// All keys, in the order of the reference page.
    static let sections: [Section] = [
        Section(title: "Node", definitions: node),
        Section(title: "Listening", definitions: listen),
        Section(title: "Other servers", definitions: gossip),
        Section(title: "Kafka clients", definitions: kafka),
        Section(title: "Topics", definitions: topics),
        Section(title: "Disk", definitions: disk),
        Section(title: "Limits", definitions: limits),
        Section(title: "Logs", definitions: logs),
        Section(title: "Stopping", definitions: shutdown),
    ]

    /// All keys.
    static let definitions = sections.flatMap(\.definitions)

    /// What the keys of a topic's own settings begin with.
    static let topicPrefix = "topics.default."

    /// The key of how many partitions a topic has, which is given when it is created and is no
    /// setting of the topic.
    static let partitionsKey = "topics.default.partitions"

    private static let node: [SettingDefinition] = [
        .text(
            "node.id", \.nodeID, range: "1 to 64 characters of A-Z a-z 0-9 . _ -",
            about: """
                The node's name in logs, in answers and among the members of its cluster. Give each \
                node of yours its own: of two with one name, the later one is not let in.
                """,
            isValid: isName),
        .text(
            "data_dir", \.dataDirectory, range: "a path",
            about: """
                The directory that holds everything the node keeps. It is made if it is missing, \
                and used by one server at a time. Put it on a disk of its own if you can.
                """,
            isValid: { !$0.isEmpty && !$0.utf8.contains(0) }),
        .text(
            "book.topic", \.bookTopic, range: "a topic name",
            about: """
                The topic whose first partition log.v1.Log serves. It is created at the start \
                if it is missing.
                """,
            isValid: {
                (1...249).contains($0.utf8.count) && $0 != "." && $0 != ".."
                    && $0.utf8.allSatisfy(isNameByte)
            }),
    ]

    private static let listen: [SettingDefinition] = [
        SettingDefinition(
            "listen.grpc.address", \.listen.grpcAddress,
            range: "host:port or [IPv6]:port, port 0 to 65535",
            about: """
                Where gRPC listens. Port 0 takes one that is free. Addresses other than loopback \
                need insecure_allow_plaintext.
                """,
            render: \.description, parse: ListenAddress.init),
        .text(
            "listen.grpc.advertise", \.listen.grpcAdvertise, range: "host:port, or nothing",
            about: """
                What GetServers tells clients to connect to. Needed where they reach the node \
                under another address than it listens on. Nothing for the address listened on.
                """,
            isValid: { $0.isEmpty || ListenAddress($0) != nil }),
        SettingDefinition(
            "listen.kafka.address", \.listen.kafkaAddress,
            range: "host:port, [IPv6]:port or none, port 0 to 65535",
            about: """
                Where Kafka clients connect. Port 0 takes one that is free; none turns it off. \
                Addresses other than loopback need insecure_allow_plaintext.
                """,
            render: { $0?.description ?? "none" },
            parse: { text in text == "none" ? .some(nil) : ListenAddress(text).map(Optional.some) }),
        .text(
            "listen.kafka.advertise", \.listen.kafkaAdvertise, range: "host:port, or nothing",
            about: """
                What Kafka clients are told to connect to. Nothing tells each the address that \
                it has reached, which is right unless something between translates addresses, \
                such as a published port of a container.
                """,
            isValid: { $0.isEmpty || ListenAddress($0) != nil }),
        .count(
            "listen.threads", \.listen.threads, in: 1...64,
            about: """
                Threads that own connections. More help only where many clients keep these busy; \
                each costs memory.
                """),
        .toggle(
            "insecure_allow_plaintext", \.listen.insecureAllowPlaintext,
            about: """
                Serve without TLS on addresses that other machines can reach, and gossip there \
                without keys. Whoever reaches the ports can then read, write and delete everything.
                """),
    ]

    private static let topics: [SettingDefinition] = [
        .count(
            partitionsKey, \.partitionCountDefault, in: 1...1024,
            about: "Partitions of a topic whose creator does not say how many."),
        SettingDefinition(
            "topics.default.durability", \.topicDefaults.durability,
            range: "fsync, interval(duration or milliseconds) up to 1h, or os",
            about: """
                When a record counts as stored. fsync: once the disk has it; survives the loss of \
                power. interval: at once, and the disk has it within that time. os: at once, and \
                the disk has it when the operating system likes.
                """,
            render: \.settingText, parse: TopicSettings.Durability.init(settingText:)),
        .size(
            "topics.default.segment.bytes", \.topicDefaults.segmentBytes,
            in: (1 << 20)...(2 << 30),
            about: """
                Size at which a log begins a new file. Retention removes whole files, so it works \
                in steps of this.
                """),
        .milliseconds(
            "topics.default.segment.ms", \.topicDefaults.segmentMilliseconds,
            in: 1000...(3650 * 86_400_000), isEndless: false,
            about: "Age at which a log begins a new file, however small the old one is."),
        .milliseconds(
            "topics.default.retention.ms", \.topicDefaults.retentionMilliseconds,
            in: 0...(36_500 * 86_400_000), isEndless: true,
            about: "Age beyond which records are removed; -1 keeps them for ever."),
        .sizeOrUnlimited(
            "topics.default.retention.bytes", \.topicDefaults.retentionBytes,
            in: 0...(1 << 60),
            about: """
                Size of a partition beyond which its oldest records are removed; -1 for no limit.
                """),
        .size(
            "topics.default.max.message.bytes", \.topicDefaults.messageBytesMax,
            in: (1 << 10)...(64 << 20),
            about: "The largest record, or batch of records, that a topic takes."),
    ]

    private static let disk: [SettingDefinition] = [
        .size(
            "disk.low", \.disk.lowBytes, in: 0...(1 << 60),
            about: "Free space under which a warning is logged."),
        .size(
            "disk.critical", \.disk.criticalBytes, in: 0...(1 << 60),
            about: """
                Free space under which records are refused; reads go on. Writes resume by \
                themselves when there is room.
                """),
        .size(
            "disk.reserve", \.disk.reserveBytes, in: 0...(1 << 40),
            about: """
                Space that is taken beforehand and given up when the disk is full, so that logs \
                can still be closed and retention can work.
                """),
        .size(
            "disk.scrub", \.disk.scrubBytes, in: 0...(1 << 40),
            about: """
                How much of the closed segments is read each second in search of damage; 0 to \
                leave that to the readers.
                """),
        .toggle(
            "disk.verify_reads", \.disk.verifiesReads,
            about: "Whether each batch that is read is checked against its checksum."),
    ]

    private static let logs: [SettingDefinition] = [
        .choice(
            "log.level", \.log.level,
            about: "The least level that is logged."),
        .choice(
            "log.format", \.log.format,
            about: "The form of log lines: auto is text on a terminal and JSON elsewhere."),
    ]

    private static let shutdown: [SettingDefinition] = [
        .duration(
            "shutdown.grace", \.shutdownGrace, in: .seconds(1)...(.seconds(3600)),
            about: """
                How long a stop may take. Streams are ended at once and calls may finish; what \
                is left after four fifths of the time is cut, and the rest is for closing the logs.
                """)
    ]

    /// Whether a text can be the name of a node or a cluster.
    @Sendable static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
    }

    @Sendable private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
