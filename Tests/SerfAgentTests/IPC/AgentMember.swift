// SPDX-License-Identifier: Apache-2.0

import SerfWire

/// A member as an agent lists it.
struct AgentMember: Equatable {
    var name: String
    var endpoint: Endpoint
    var tags: [String: String]
    /// alive, leaving, left, failed or none.
    var status: String
    /// The six version bytes: memberlist's minimum, maximum and current one, then Serf's.
    var versions: [Int]

    init?(_ value: PackValue) {
        guard let name = value["Name"]?.text, let bytes = value["Addr"]?.bytes,
            let address = IPAddress(bytes: bytes),
            let port = value["Port"]?.integer.flatMap(UInt16.init(exactly:)),
            let tags = value["Tags"]?.textMap, let status = value["Status"]?.text
        else { return nil }
        self.name = name
        self.endpoint = Endpoint(address: address, port: port)
        self.tags = tags
        self.status = status
        self.versions = [
            "ProtocolMin", "ProtocolMax", "ProtocolCur", "DelegateMin", "DelegateMax",
            "DelegateCur",
        ].map { value[$0]?.integer ?? -1 }
    }
}

extension SerfIPC {
    func members() async throws -> [AgentMember] {
        let listed = try await ask(.members)?["Members"]?.list ?? []
        return listed.compactMap(AgentMember.init)
    }

    func member(_ name: String) async throws -> AgentMember? {
        try await members().first { $0.name == name }
    }

    /// How many of the addresses were joined.
    @discardableResult
    func join(_ addresses: [String], replay: Bool = false) async throws -> Int {
        try await ask(.join(addresses, replay: replay))?["Num"]?.integer ?? 0
    }
}
