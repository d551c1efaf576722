// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol
internal import Logging

/// AlterConfigs: replaces all that was set for a topic.
extension RequestHandlers {
    func alterConfigs(
        _ request: AlterConfigsRequest, _ context: RequestContext
    ) async -> AlterConfigsResponse {
        let repeated = request.resources.map { ConfigTarget($0.resourceType, $0.resourceName) }
            .repeated
        var response = AlterConfigsResponse()
        for asked in request.resources {
            var row = AlterConfigsResponse.AlterConfigsResourceResponse()
            row.resourceType = asked.resourceType
            row.resourceName = asked.resourceName
            row.errorMessage = nil
            do throws(Refusal) {
                let target = ConfigTarget(asked.resourceType, asked.resourceName)
                try check(target, repeated: repeated, configs: asked.configs.map(\.name))
                var values: [String: String] = [:]
                for config in asked.configs {
                    guard let value = config.value else {
                        throw Refusal(.invalidRequest, "\(config.name) has no value")
                    }
                    values[config.name] = value
                }
                try await configure(
                    target.name, set: values, reset: [], replacesAll: true,
                    validateOnly: request.validateOnly)
            } catch {
                row.errorCode = error.code
                row.errorMessage = error.message
            }
            response.responses.append(row)
        }
        return response
    }

    /// Refuses what cannot be changed at all, or is asked for in two ways.
    func check(
        _ target: ConfigTarget, repeated: Set<ConfigTarget>, configs: [String]
    ) throws(Refusal) {
        guard !repeated.contains(target) else { throw .twice("resource", target.name) }
        if let name = configs.repeated.sorted().first { throw .twice("setting", name) }
        switch ConfigResource(rawValue: target.type) {
        case .topic: break
        case .broker:
            throw Refusal(
                .invalidRequest,
                "what a broker is set to can only be read here; it is changed in the broker's "
                    + "configuration file")
        case nil:
            throw Refusal(
                .invalidRequest, "resources of type \(target.type) have no configurations here")
        }
    }

    func configure(
        _ topic: String, set: [String: String], reset: [String], replacesAll: Bool,
        validateOnly: Bool
    ) async throws(Refusal) {
        _ = try await Refusal.of { () throws(Fault) in
            try await broker.configureTopic(
                topic, set: set, reset: reset, replacesAll: replacesAll,
                validateOnly: validateOnly)
        }
        guard !validateOnly else { return }
        logger.info("changed the settings of a topic", metadata: ["topic": "\(topic)"])
    }
}

/// What a row of configurations is for.
struct ConfigTarget: Hashable {
    var type: Int8
    var name: String

    init(_ type: Int8, _ name: String) {
        self.type = type
        self.name = name
    }
}
