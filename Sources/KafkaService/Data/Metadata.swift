// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import ClusterCore
internal import Faults
internal import KafkaProtocol
internal import Logging
internal import Records

/// Metadata: which topics there are, and where to reach their leaders.
extension RequestHandlers {
    /// What stands for "was not asked for" where the operations a client may do would stand.
    static let operationsNotAsked = Int32.min

    func metadata(_ request: MetadataRequest, _ context: RequestContext) async -> MetadataResponse {
        var response = MetadataResponse()
        // This server alone, whoever else gossip knows: the others hold logs of their own, until
        // partitions are replicated between servers.
        response.brokers = [brokerRow(context.advertised)]
        response.clusterId = settings.clusterID
        response.controllerId = settings.nodeID
        response.clusterAuthorizedOperations =
            request.includeClusterAuthorizedOperations
            ? Self.clusterOperations : Self.operationsNotAsked
        let wantsOperations = request.includeTopicAuthorizedOperations
        // Version 0 has no null: there an empty list stands for all.
        let asked =
            context.apiVersion == 0 && request.topics?.isEmpty == true ? nil : request.topics
        guard let asked else {
            response.topics = broker.topics.map { row($0, wantsOperations) }
            return response
        }
        let mayCreate =
            settings.autoCreateTopics
            && (context.apiVersion < 4 || request.allowAutoTopicCreation)
        // Each topic once, as Kafka does: who names one again and again asks for more bytes than there are.
        var names: Set<String> = []
        var ids: Set<KafkaUUID> = []
        for topic in asked {
            let isNew =
                topic.name.map { names.insert($0).inserted } ?? ids.insert(topic.topicId).inserted
            guard isNew else { continue }
            response.topics.append(await row(topic, mayCreate: mayCreate, wantsOperations))
        }
        return response
    }

    private func brokerRow(
        _ address: KafkaSettings.Address
    ) -> MetadataResponse.MetadataResponseBroker {
        var row = MetadataResponse.MetadataResponseBroker()
        row.nodeId = settings.nodeID
        row.host = address.host
        row.port = address.port
        row.rack = nil
        return row
    }

    private func row(
        _ asked: MetadataRequest.MetadataRequestTopic, mayCreate: Bool, _ wantsOperations: Bool
    ) async -> MetadataResponse.MetadataResponseTopic {
        var row = MetadataResponse.MetadataResponseTopic()
        row.name = asked.name
        row.topicId = asked.topicId
        row.topicAuthorizedOperations = Self.operationsNotAsked
        do throws(Fault) {
            guard let name = asked.name else {
                return self.row(try broker.topic(id: TopicID(asked.topicId)), wantsOperations)
            }
            do throws(Fault) {
                return self.row(try broker.topic(name), wantsOperations)
            } catch  where error.code == .topicNotFound && mayCreate {
                return self.row(try await create(name), wantsOperations)
            }
        } catch {
            let isByID = asked.name == nil && error.code == .topicNotFound
            row.errorCode = isByID ? .unknownTopicId : KafkaErrorCode(error)
            return row
        }
    }

    private func create(_ name: String) async throws(Fault) -> TopicDescription {
        do throws(Fault) {
            let topic = try await broker.createTopic(name, partitionCount: nil, settings: [:])
            logger.info(
                "created a topic that a Kafka client asked for", metadata: ["topic": "\(name)"])
            return topic
        } catch  where error.code == .topicExists {
            // Another client was faster.
            return try broker.topic(name)
        }
    }

    private func row(
        _ topic: TopicDescription, _ wantsOperations: Bool
    ) -> MetadataResponse.MetadataResponseTopic {
        var row = MetadataResponse.MetadataResponseTopic()
        row.name = topic.name
        row.topicId = KafkaUUID(topic.topicID)
        row.isInternal = topic.isInternal
        row.topicAuthorizedOperations =
            wantsOperations ? Self.topicOperations : Self.operationsNotAsked
        row.partitions = (0..<topic.partitionCount).map { number in
            var partition = MetadataResponse.MetadataResponsePartition()
            partition.partitionIndex = Int32(number)
            partition.leaderId = settings.nodeID
            partition.leaderEpoch = leaderEpoch(of: topic.name, number)
            partition.replicaNodes = [settings.nodeID]
            partition.isrNodes = [settings.nodeID]
            return partition
        }
        return row
    }

    /// All operations that there are on a topic, as the bits of Kafka's AclOperation: read, write,
    /// create, delete, alter, describe, and describe and alter of configurations.
    static let topicOperations: Int32 = [3, 4, 5, 6, 7, 8, 10, 11].reduce(0) { $0 | 1 << $1 }

    private func leaderEpoch(of topic: String, _ number: Int) -> Int32 {
        do throws(Fault) {
            return Int32(clamping: try broker.partition(topic, number).term.rawValue)
        } catch {
            // Deleted just now.
            return -1
        }
    }
}

extension TopicID {
    init(_ id: KafkaUUID) { self.init(high: id.high, low: id.low) }
}

extension KafkaUUID {
    init(_ id: TopicID) { self.init(high: id.high, low: id.low) }
}
