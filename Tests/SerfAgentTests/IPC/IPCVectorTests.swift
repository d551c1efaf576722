// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The IPC client against what was captured between real ones.
@Suite("The agent's IPC port") struct IPCVectorTests {
    private struct Vector {
        var name: String
        var request: [UInt8]
        var response: [UInt8]
    }

    private static let vectors: [Vector] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../SerfWireTests/Golden/serf-vectors.json")
        guard let data = try? Data(contentsOf: file),
            let whole = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let all = whole["vectors"] as? [[String: Any]]
        else { return [] }
        return all.compactMap { vector in
            guard let name = vector["name"] as? String, name.hasPrefix("ipc-") else { return nil }
            return Vector(
                name: name, request: bytes(vector["hex"]), response: bytes(vector["responseHex"]))
        }
    }()

    private static func bytes(_ hex: Any?) -> [UInt8] {
        var digits = Substring(hex as? String ?? "")
        var bytes: [UInt8] = []
        while let byte = UInt8(digits.prefix(2), radix: 16) {
            bytes.append(byte)
            digits = digits.dropFirst(2)
        }
        return bytes
    }

    private static func vector(_ name: String) throws -> Vector {
        try #require(vectors.first { $0.name == name })
    }

    @Test("every captured value is read, and written again as it was")
    func everyValue() throws {
        #expect(Self.vectors.count >= 24)
        for vector in Self.vectors {
            for captured in [vector.request, vector.response] {
                var reader = PackReader(captured)
                var written: [UInt8] = []
                while let value = try reader.next() { written += value.encoded }
                #expect(reader.bytes.isEmpty, "\(vector.name)")
                #expect(written == captured, "\(vector.name)")
            }
        }
    }

    @Test("a value that has come in part is not a value yet")
    func parts() throws {
        for vector in Self.vectors {
            let first = PackReader(vector.response)
            var whole = first
            guard let value = try whole.next() else { continue }
            let length = vector.response.count - whole.bytes.count
            for end in 0..<length {
                var reader = PackReader(Array(vector.response.prefix(end)))
                #expect(try reader.next() == nil)
                reader.append(vector.response[end..<length])
                #expect(try reader.next() == value)
            }
        }
    }

    @Test("requests are byte for byte what was captured")
    func requests() throws {
        let expected: [(String, IPCRequest, UInt64)] = [
            ("ipc-handshake", .handshake, 1),
            ("ipc-members-2", .members, 2),
            (
                "ipc-members-filtered",
                .membersFiltered(tags: ["role": "seed"], status: "alive", name: ""), 3
            ),
            ("ipc-event", .event("ev", payload: Array("pl".utf8), mayCoalesce: false), 4),
            (
                "ipc-query",
                .query(
                    "q1", payload: Array("hello".utf8), wantsAcks: true, timeout: .seconds(1)), 5
            ),
            ("ipc-tags", .tags(set: ["v": "2"], delete: ["role"]), 6),
            ("ipc-join", .join(["127.0.0.250:7946"]), 7),
            ("ipc-get-coordinate", .coordinate(of: "alpha"), 8),
            ("ipc-force-leave", .forceLeave("nobody"), 10),
            ("ipc-list-keys", .listKeys, 11),
            ("ipc-stream", .stream("user,query,member-join"), 2),
            ("ipc-respond", .respond(1, payload: Array("reply".utf8)), 3),
            ("ipc-monitor", .monitor(level: "debug"), 2),
            ("ipc-leave", .leave, 3),
        ]
        for (name, request, sequence) in expected {
            let captured = try Self.vector(name).request
            #expect(request.encoded(sequence: sequence) == captured, "\(name)")
        }
    }

    @Test("answers, errors and records find their requests, in any pieces")
    func dispatch() throws {
        let handshake = try Self.vector("ipc-handshake").response
        let record = try Self.vector("ipc-stream-record-user").response
        let join = try Self.vector("ipc-join").response
        let keys = try Self.vector("ipc-list-keys").response
        let bytes =
            handshake + (try Self.vector("ipc-stream").response) + record + join + record + keys
        for size in [1, 7, bytes.count] {
            var dispatcher = IPCDispatcher()
            dispatcher.expect(.header, for: 1)
            dispatcher.expect(.records, for: 2)
            dispatcher.expect(.bodyAlways, for: 7)
            dispatcher.expect(.bodyAlways, for: 11)
            var outcomes: [IPCDispatcher.Outcome] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                outcomes += try dispatcher.receive(
                    Array(bytes[start..<min(start + size, bytes.count)]))
            }
            try #require(outcomes.count == 6)
            #expect(outcomes[0] == .answered(1, nil))
            #expect(outcomes[1] == .answered(2, nil))
            guard case .record(2, let user) = outcomes[2],
                case .refused(7, let error, let number?) = outcomes[3],
                case .refused(11, _, let report?) = outcomes[5]
            else {
                Issue.record("\(outcomes)")
                return
            }
            #expect(user["Name"]?.text == "ev")
            #expect(user["Payload"]?.bytes == Array("pl".utf8))
            #expect(error.contains("127.0.0.250"))
            #expect(number["Num"]?.integer == 0)
            #expect(outcomes[4] == outcomes[2])
            #expect(report["NumErr"]?.integer == 1)
        }
    }

    @Test("a command before the handshake is refused without a body")
    func refusal() throws {
        var dispatcher = IPCDispatcher()
        dispatcher.expect(.body, for: 1)
        let outcomes = try dispatcher.receive(Self.vector("ipc-members").response)
        #expect(outcomes == [.refused(1, "Handshake required", nil)])
    }
}
