// SPDX-License-Identifier: Apache-2.0

internal import KafkaProtocol
internal import Logging
internal import NIOCore

/// From a frame to whoever answers it.
extension KafkaConnection {
    /// Reads a request's header and hands the request to its handler.
    ///
    /// What cannot be read ends the connection with a line in the log: there is no telling what the
    /// client would make of an answer.
    func dispatch(
        _ frame: ByteBuffer, id: UInt64, on loop: any EventLoop,
        bound: NIOLoopBound<KafkaConnection>
    ) {
        frame.withUnsafeReadableBytes { bytes in
            var reader = KafkaReader(bytes)
            var what = "a request"
            do throws(KafkaDecodingError) {
                let start = try RequestStart(from: &reader)
                let answer = Answer(
                    connection: bound, loop: loop, id: id, correlationID: start.correlationID)
                guard let key = ApiKey(rawValue: start.apiKey) else {
                    return close(because: "there is no API key \(start.apiKey) here")
                }
                guard isServed(key, start.apiVersion) else {
                    return refuseVersion(key, start.apiVersion, answer)
                }
                guard bytes.count <= key.requestBytesMax else {
                    return close(
                        because: "\(key.name) has \(bytes.count) bytes, the limit is "
                            + "\(key.requestBytesMax)")
                }
                what = "\(key.name) version \(start.apiVersion)"
                let header = try RequestRest(
                    from: &reader, headerVersion: key.requestHeaderVersion(for: start.apiVersion))
                let context = RequestContext(
                    apiVersion: start.apiVersion, clientID: header.clientID, clientHost: clientHost,
                    advertised: advertised)
                try handle(key, &reader, bytes, context, answer)
            } catch {
                close(because: "\(what) cannot be read: \(error)")
            }
        }
    }

    /// Produce is listed from version 0, or old clients compress nothing, but served from 3 on.
    private func isServed(_ key: ApiKey, _ version: Int16) -> Bool {
        key.versions.contains(version) && !(key == .produce && version < 3)
    }

    private func refuseVersion(_ key: ApiKey, _ version: Int16, _ answer: Answer) {
        guard key == .apiVersions else {
            return close(because: "\(key.name) version \(version) is not served")
        }
        // KIP-511: a client that knows newer versions learns ours from an answer of version 0.
        var response = ApiVersionsResponse()
        response.errorCode = .unsupportedVersion
        response.apiKeys = [Self.versionRow(.apiVersions)]
        answer.send(response, .apiVersions, 0)
    }

    private func handle(
        _ key: ApiKey, _ reader: inout KafkaReader, _ frame: UnsafeRawBufferPointer,
        _ context: RequestContext, _ answer: Answer
    ) throws(KafkaDecodingError) {
        let version = context.apiVersion
        let handlers = handlers
        switch key {
        case .produce:
            produce(
                try ProduceRequest(from: &reader, version: version), frame, version: version,
                answer: answer)
        case .fetch:
            fetch(
                try FetchRequest(from: &reader, version: version), version: version, answer: answer)
        case .apiVersions:
            let request = try ApiVersionsRequest(from: &reader, version: version)
            note(request)
            let response = Self.apiVersions(request)
            answer.send(response, .apiVersions, version)
        case .metadata:
            try run(&reader, key, context, answer) { await handlers.metadata($0, $1) }
        case .listOffsets:
            try run(&reader, key, context, answer) { await handlers.listOffsets($0, $1) }
        case .offsetForLeaderEpoch:
            try run(&reader, key, context, answer) { await handlers.offsetForLeaderEpoch($0, $1) }
        case .initProducerId:
            try run(&reader, key, context, answer) { await handlers.initProducerId($0, $1) }
        case .createTopics, .deleteTopics, .createPartitions, .deleteRecords, .describeConfigs,
            .alterConfigs, .incrementalAlterConfigs, .describeCluster, .describeTopicPartitions,
            .describeLogDirs:
            try handleAdministration(key, &reader, context, answer)
        case .findCoordinator, .joinGroup, .syncGroup, .heartbeat, .leaveGroup, .offsetCommit,
            .offsetFetch, .describeGroups, .listGroups, .deleteGroups, .offsetDelete:
            try handleGroups(key, &reader, context, answer)
        }
    }

    /// Has an asynchronous handler answer.
    ///
    /// - Returns: The task that does.
    @discardableResult
    func run<Request: KafkaMessage, Response: KafkaMessage>(
        _ reader: inout KafkaReader, _ key: ApiKey, _ context: RequestContext, _ answer: Answer,
        _ handler: @escaping @Sendable (Request, RequestContext) async -> Response
    ) throws(KafkaDecodingError) -> Task<Void, Never> {
        let request = try Request(from: &reader, version: context.apiVersion)
        // Unstructured: a connection's requests come from an event loop, which no task belongs to.
        // Each ends by itself, since what waits for long has a deadline of its own.
        return Task {
            answer.send(await handler(request, context), key, context.apiVersion)
        }
    }

    private func note(_ request: ApiVersionsRequest) {
        let name = request.clientSoftwareName
        guard !name.isEmpty else { return }
        software = "\(name) \(request.clientSoftwareVersion)"
        logger.debug(
            "a Kafka client", metadata: ["client": "\(clientHost)", "software": "\(software)"])
    }
}

extension ApiKey {
    /// The most bytes of such a request.
    ///
    /// Rows become values, and each has an answer, which together take many times the room: only what
    /// is carried as it is may be as large as the listener allows.
    fileprivate var requestBytesMax: Int {
        switch self {
        case .produce: .max
        // What members say of themselves and are given: a group may have 32 MiB of it.
        case .joinGroup, .syncGroup: 33 << 20
        case .offsetCommit: 8 << 20
        default: 4 << 20
        }
    }
}
