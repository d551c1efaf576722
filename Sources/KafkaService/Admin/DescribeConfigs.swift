// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import KafkaProtocol

/// What configurations belong to, with Kafka's numbers.
enum ConfigResource: Int8 {
    case topic = 2
    case broker = 4
}

/// DescribeConfigs: the configurations of topics and of this broker.
extension RequestHandlers {
    func describeConfigs(
        _ request: DescribeConfigsRequest, _ context: RequestContext
    ) async -> DescribeConfigsResponse {
        var response = DescribeConfigsResponse()
        var answered: Set<ConfigTarget> = []
        for asked in request.resources {
            // Each resource once, however often it is named: an answer is not larger than what is here.
            guard
                answered.insert(ConfigTarget(asked.resourceType, asked.resourceName)).inserted
            else { continue }
            var result = DescribeConfigsResponse.DescribeConfigsResult()
            result.resourceType = asked.resourceType
            result.resourceName = asked.resourceName
            result.errorMessage = nil
            do throws(Refusal) {
                var entries = try self.entries(
                    asked.resourceType, asked.resourceName, advertised: context.advertised)
                // No keys at all stand for all, as null does.
                if let keys = asked.configurationKeys, !keys.isEmpty {
                    let keys = Set(keys)
                    entries = entries.filter { keys.contains($0.name) }
                }
                result.configs = entries.map { entry in
                    Self.row(
                        entry, withSynonyms: request.includeSynonyms,
                        withDocumentation: request.includeDocumentation)
                }
            } catch {
                result.errorCode = error.code
                result.errorMessage = error.message
            }
            response.results.append(result)
        }
        return response
    }

    private func entries(
        _ type: Int8, _ name: String, advertised: KafkaSettings.Address
    ) throws(Refusal) -> [ConfigEntry] {
        switch ConfigResource(rawValue: type) {
        case .topic:
            do throws(Fault) {
                return entries(of: try broker.topic(name))
            } catch {
                throw Refusal(error)
            }
        case .broker:
            // The nameless broker stands for what was set for all of them by requests: nothing is.
            if name.isEmpty { return [] }
            guard name == "\(settings.nodeID)" else {
                throw Refusal(.invalidRequest, "this is broker \(settings.nodeID), not \(name)")
            }
            return brokerEntries(advertised: advertised)
        case nil:
            throw Refusal(.invalidRequest, "resources of type \(type) have no configurations here")
        }
    }

    private static func row(
        _ entry: ConfigEntry, withSynonyms: Bool, withDocumentation: Bool
    ) -> DescribeConfigsResponse.DescribeConfigsResourceResult {
        var row = DescribeConfigsResponse.DescribeConfigsResourceResult()
        row.name = entry.name
        row.value = entry.value
        row.readOnly = entry.isReadOnly
        row.configSource = entry.source.rawValue
        row.isSensitive = false
        row.configType = entry.kind.rawValue
        row.documentation = withDocumentation ? entry.documentation : nil
        guard withSynonyms else { return row }
        row.synonyms = entry.synonyms.map { synonym in
            var row = DescribeConfigsResponse.DescribeConfigsSynonym()
            row.name = synonym.name
            row.value = synonym.value
            row.source = synonym.source.rawValue
            return row
        }
        return row
    }
}
