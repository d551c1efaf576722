// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import CordwoodClient
internal import Faults

/// `cordwood topic`.
struct TopicCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topic", abstract: "Create, look at, configure and delete topics.",
        discussion: examples(
            "cordwood topic create orders -p 3 --set retention.ms=7d", "cordwood topic list"),
        subcommands: [
            TopicCreateCommand.self, TopicListCommand.self, TopicDescribeCommand.self,
            TopicConfigCommand.self, TopicDeleteCommand.self, TopicTrimCommand.self,
        ])
}

/// `cordwood topic create`.
struct TopicCreateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a topic.",
        usage: "cordwood topic create TOPIC [options]",
        discussion: examples(
            "cordwood topic create orders",
            "cordwood topic create logs -p 3 --set retention.ms=7d --set durability=os"))

    @Argument(help: "The name: 1 to 249 of A-Z a-z 0-9 . _ -")
    var topic: String

    @Option(
        name: [.short, .long],
        help: "The number of partitions, for life. (default: the server's default)")
    var partitions: Int?

    @Option(
        help: ArgumentHelp(
            "A setting, such as retention.ms=7d; may be repeated.", valueName: "name=value"),
        transform: TopicSettingText.init)
    var set: [TopicSettingText] = []

    @Flag(help: "Do nothing if the topic exists.")
    var ifNotExists = false

    @Flag(help: "Only check whether it could be created.")
    var dryRun = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let created: Topic? = try await connection.withClient(in: session) { client in
            do {
                return try await client.createTopic(
                    topic, partitions: partitions, settings: TopicSettingText.values(set),
                    validateOnly: dryRun)
            } catch let error as CordwoodError
                where error.code == .topicExists && ifNotExists
            {
                return nil
            }
        }
        guard let created else { return session.talk.say("\(topic) exists already") }
        switch output.format {
        case .table:
            let partitions = HumanText.noun(created.partitionCount, "partition")
            session.talk.say("\(dryRun ? "could create" : "created") \(topic), \(partitions)")
        case .json, .jsonl:
            try await session.output.write(TopicRow(created).json.text + "\n")
        }
    }
}

/// `cordwood topic list`.
struct TopicListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List topics.",
        discussion: examples("cordwood topic list", "cordwood topic list -o json"))

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        let topics = try await connection.withClient(in: session) { client in
            try await client.listTopics()
        }
        if topics.isEmpty, output.format == .table {
            session.talk.say("there are no topics; cordwood topic create NAME makes one")
        }
        let listing = Listing(topics.map { TopicRow($0).fields })
        try await session.output.write(listing.text(as: output.format))
    }
}

/// `cordwood topic delete`.
struct TopicDeleteCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a topic and all its records.",
        usage: "cordwood topic delete TOPIC [--yes]",
        discussion: examples(
            "cordwood topic delete orders", "cordwood topic delete orders --yes"))

    @Argument(help: "The topic to delete.")
    var topic: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var connection: ClientOptions

    func perform(in session: Session) async throws {
        try await connection.withClient(in: session) { client in
            let description = try await client.describeTopic(topic)
            if !yes {
                let count = description.partitions.reduce(0) { $0 + $1.recordCount }
                try await Confirmation.ask(
                    "This deletes \(topic) and its \(HumanText.noun(count, "record")).",
                    name: topic, repeated: "cordwood topic delete \(topic) --yes", session)
            }
            try await client.deleteTopic(topic)
        }
        session.talk.say("deleted \(topic)")
    }
}
