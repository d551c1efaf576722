// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol

/// IncrementalAlterConfigs: sets and resets some settings of a topic, and leaves the others.
extension RequestHandlers {
    func incrementalAlterConfigs(
        _ request: IncrementalAlterConfigsRequest, _ context: RequestContext
    ) async -> IncrementalAlterConfigsResponse {
        let repeated = request.resources.map { ConfigTarget($0.resourceType, $0.resourceName) }
            .repeated
        var response = IncrementalAlterConfigsResponse()
        for asked in request.resources {
            var row = IncrementalAlterConfigsResponse.AlterConfigsResourceResponse()
            row.resourceType = asked.resourceType
            row.resourceName = asked.resourceName
            row.errorMessage = nil
            do throws(Refusal) {
                let target = ConfigTarget(asked.resourceType, asked.resourceName)
                try check(target, repeated: repeated, configs: asked.configs.map(\.name))
                let change = try change(of: target.name, asked.configs)
                try await configure(
                    target.name, set: change.set, reset: change.reset, replacesAll: false,
                    validateOnly: request.validateOnly)
            } catch {
                row.errorCode = error.code
                row.errorMessage = error.message
            }
            response.responses.append(row)
        }
        return response
    }

    /// What may be done to a setting, with Kafka's numbers.
    private enum Operation: Int8 {
        case set, delete, append, subtract
    }

    private func change(
        of topic: String, _ configs: [IncrementalAlterConfigsRequest.AlterableConfig]
    ) throws(Refusal) -> (set: [String: String], reset: [String]) {
        var set: [String: String] = [:]
        var reset: [String] = []
        for config in configs {
            guard let operation = Operation(rawValue: config.configOperation) else {
                throw Refusal(
                    .invalidRequest, "there is no operation \(config.configOperation) on settings")
            }
            if operation == .delete {
                reset.append(config.name)
                continue
            }
            guard let value = config.value else {
                throw Refusal(.invalidRequest, "\(config.name) has no value")
            }
            set[config.name] =
                operation == .set
                ? value : try list(config.name, of: topic, operation, value)
        }
        return (set, reset)
    }

    /// A list with some words more or fewer.
    private func list(
        _ name: String, of topic: String, _ operation: Operation, _ value: String
    ) throws(Refusal) -> String {
        guard TopicConfigDefinition(name)?.kind == .list else {
            throw Refusal(
                .invalidConfig, "\(name) is no list that words could be added to or taken from")
        }
        let description: TopicDescription
        do throws(Fault) {
            description = try broker.topic(topic)
        } catch {
            throw Refusal(error)
        }
        var words = Self.words(entries(of: description).first { $0.name == name }?.value ?? "")
        for word in Self.words(value) {
            words.removeAll { operation == .subtract && $0 == word }
            if operation == .append, !words.contains(word) { words.append(word) }
        }
        return words.joined(separator: ",")
    }

    private static func words(_ list: String) -> [String] {
        list.split(separator: ",").map { word in
            String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }
}
