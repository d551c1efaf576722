// SPDX-License-Identifier: Apache-2.0

internal import SerfWire

/// The keys of all members, changed and listed by queries.
extension SerfLayer {
    /// Asks all members to change or to list their keys.
    ///
    /// Without a keyring nothing is sent: the key would travel in the open.
    mutating func ask(_ command: KeyCommand, for id: CommandID) throws(SerfError) {
        guard keyring != nil else { throw .noKeyring }
        if let key = command.key, !Keyring.allows(sizeOf: key) { throw .keySize(key.count) }
        let payload = SerfMessage.keyRequest(KeyRequest(key: command.key ?? [])).encoded()
        let tally = KeyTally(expected: members.names(of: .alive))
        try ask(
            QueryRequest(name: command.queryName, payload: payload), for: .keys(id, tally))
    }

    /// What this node answers to a key query, after having done what it asks for.
    mutating func keyAnswer(to query: QueryMessage, from origin: QueryOrigin) -> [UInt8] {
        let answer: KeyResponse
        do {
            answer = try carryOut(query, from: origin)
        } catch {
            answer = KeyResponse(
                isSuccess: false, message: error.description, keys: [], primaryKey: "")
        }
        observe(
            .keyQuery(name: query.name, isSuccess: answer.isSuccess, message: answer.message))
        return SerfMessage.keyResponse(answer).encoded()
    }

    private mutating func carryOut(
        _ query: QueryMessage, from origin: QueryOrigin
    ) throws(SerfError) -> KeyResponse {
        guard var changed = keyring else { throw .noKeyring }
        let key = Self.key(in: query.payload)
        switch InternalQuery(rawValue: query.name) {
        case .installKey: try changed.install(key)
        case .useKey: try changed.use(key)
        case .removeKey: try changed.remove(key)
        case .listKeys: return list(changed, for: origin)
        case .ping, .conflict, nil: preconditionFailure("\(query.name) is no key query")
        }
        if changed != keyring {
            keyring = changed
            changedKeyring = changed
        }
        return KeyResponse(isSuccess: true, message: "", keys: [], primaryKey: "")
    }

    /// The key of a request; empty, which is no key, if it cannot be read.
    private static func key(in payload: [UInt8]) -> [UInt8] {
        do {
            guard case .keyRequest(let request) = try SerfMessage.decode(payload) else { return [] }
            return request.key
        } catch {
            return []
        }
    }

    /// As many keys as fit into a response.
    private func list(_ keyring: Keyring, for origin: QueryOrigin) -> KeyResponse {
        let all = keyring.keys.map(Base64.encode)
        var answer = KeyResponse(
            isSuccess: true, message: "", keys: all, primaryKey: Base64.encode(keyring.primary))
        while !answer.keys.isEmpty,
            response(SerfMessage.keyResponse(answer).encoded(), to: origin).count
                > settings.responseSizeMax
        {
            answer.keys.removeLast()
            answer.message = "\(answer.keys.count) of \(all.count) keys: more do not fit"
        }
        return answer
    }
}
