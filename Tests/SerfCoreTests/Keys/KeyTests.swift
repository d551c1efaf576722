// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

@Suite struct KeyringTests {
    private let first = [UInt8](repeating: 1, count: 16)
    private let second = [UInt8](repeating: 2, count: 24)
    private let third = [UInt8](repeating: 3, count: 32)

    @Test("a keyring has keys of 16, 24 or 32 bytes, the first one primary, none twice")
    func makes() throws {
        let keyring = try Keyring(keys: [first, second, first, third])
        #expect(keyring.keys == [first, second, third])
        #expect(keyring.primary == first)
    }

    @Test("a keyring without keys, with too many, or with a key of another size is refused")
    func refuses() {
        #expect(throws: SerfError.keyCount(limit: 64)) { try Keyring(keys: []) }
        for size in [0, 15, 17, 31, 33] {
            #expect(throws: SerfError.keySize(size)) {
                try Keyring(keys: [[UInt8](repeating: 0, count: size)])
            }
        }
        let many = (0..<65).map { [UInt8](repeating: UInt8($0), count: 16) }
        #expect(throws: SerfError.keyCount(limit: 64)) { try Keyring(keys: many) }
    }

    @Test("a key that is there is not installed again")
    func installs() throws {
        var keyring = try Keyring(keys: [first])
        try keyring.install(second)
        try keyring.install(first)
        #expect(keyring.keys == [first, second])
    }

    @Test("only a key that is installed can be used; it moves to the front")
    func uses() throws {
        var keyring = try Keyring(keys: [first, second])
        #expect(throws: SerfError.keyNotInstalled) { try keyring.use(third) }
        try keyring.use(second)
        #expect(keyring.keys == [second, first])
        try keyring.use(second)
        #expect(keyring.keys == [second, first])
    }

    @Test("the primary key is not removed; an unknown one changes nothing")
    func removes() throws {
        var keyring = try Keyring(keys: [first, second])
        #expect(throws: SerfError.keyIsPrimary) { try keyring.remove(first) }
        try keyring.remove(third)
        try keyring.remove(second)
        #expect(keyring.keys == [first])
    }

    @Test("no way of printing shows a key")
    func secret() throws {
        let key = Array("sixteen secrets!".utf8)
        let keyring = try Keyring(keys: [key])
        var report = KeyReport(memberCount: 1)
        report.keys = [.init(key: Base64.encode(key), count: 1)]
        let shown: [Any] = [
            keyring, KeyCommand.install(key), Serf.Command.key(.use(key)), report,
            SerfEffect.keyringChanged(keyring),
            Serf.Input.command(CommandID(rawValue: 1), .key(.remove(key))),
            SerfEffect.ended(CommandID(rawValue: 1), .success(.keys(report))),
        ]
        for value in shown {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                #expect(!text.contains("115, 105"), "\(text)")
                #expect(!text.contains(Base64.encode(key)), "\(text)")
            }
        }
    }

    @Test(
        "Base64 is that of RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.encode([0xfb, 0xff, 0xbf]) == "+/+/")
    }
}

/// Key queries of others.
@Suite struct KeyAnswerTests {
    private let first = [UInt8](repeating: 1, count: 16)
    private let second = [UInt8](repeating: 2, count: 32)

    /// What a node answers to a key query.
    private func answer(
        _ subject: inout Subject, _ name: String, _ key: [UInt8]? = nil, payload: [UInt8]? = nil
    ) -> KeyResponse? {
        _ = subject.takeEffects()
        let time = subject.serf.layer.queryClock.time
        subject.hear(
            .query(
                QueryMessage(
                    time: time, id: 1, origin: Subject.peer(1), originNode: "m", filters: [],
                    flags: [], relayFactor: 0, timeout: 1_000_000_000, name: name,
                    payload: payload
                        ?? SerfMessage.keyRequest(KeyRequest(key: key ?? [])).encoded())))
        guard case .response(let response)? = subject.sentDirectly.first?.message,
            case .keyResponse(let answer)? = try? SerfMessage.decode(response.payload)
        else { return nil }
        return answer
    }

    @Test("install, use and remove change the keyring, and the shell is told")
    func rotates() throws {
        var subject = Subject(keyring: try Keyring(keys: [first]))
        let done = KeyResponse(isSuccess: true, message: "", keys: [], primaryKey: "")
        #expect(answer(&subject, "_serf_install-key", second) == done)
        #expect(
            subject.takeEffects().contains(
                .keyringChanged(try Keyring(keys: [first, second]))))
        #expect(answer(&subject, "_serf_use-key", second) == done)
        #expect(subject.serf.keyring == (try Keyring(keys: [second, first])))
        #expect(answer(&subject, "_serf_remove-key", first) == done)
        #expect(subject.serf.keyring == (try Keyring(keys: [second])))
        // Nothing new: nothing to write down.
        #expect(answer(&subject, "_serf_install-key", second) == done)
        let isTold = subject.takeEffects().contains {
            if case .keyringChanged = $0 { true } else { false }
        }
        #expect(!isTold)
    }

    @Test("the keyring changes before the change is confirmed")
    func changesFirst() throws {
        var subject = Subject(keyring: try Keyring(keys: [first]))
        _ = answer(&subject, "_serf_install-key", second)
        let effects = subject.takeEffects()
        let change = effects.firstIndex { if case .keyringChanged = $0 { true } else { false } }
        let answer = effects.firstIndex {
            if case .swim(.send) = $0 { true } else { false }
        }
        #expect(try #require(change) < #require(answer))
    }

    @Test("what cannot be done is answered with why, and without the key")
    func refuses() throws {
        var subject = Subject(keyring: try Keyring(keys: [first]))
        func failure(_ error: SerfError) -> KeyResponse {
            KeyResponse(isSuccess: false, message: error.description, keys: [], primaryKey: "")
        }
        #expect(answer(&subject, "_serf_use-key", second) == failure(.keyNotInstalled))
        #expect(answer(&subject, "_serf_remove-key", first) == failure(.keyIsPrimary))
        #expect(answer(&subject, "_serf_install-key", [1, 2]) == failure(.keySize(2)))
        #expect(answer(&subject, "_serf_install-key", payload: [7, 0xc1]) == failure(.keySize(0)))
        #expect(subject.serf.keyring == (try Keyring(keys: [first])))
    }

    @Test(
        "a node without a keyring answers, and says so",
        arguments: [
            "_serf_install-key", "_serf_use-key", "_serf_remove-key", "_serf_list-keys",
        ])
    func noKeyring(name: String) {
        var subject = Subject()
        #expect(
            answer(&subject, name, first)
                == KeyResponse(
                    isSuccess: false, message: SerfError.noKeyring.description, keys: [],
                    primaryKey: ""))
        #expect(
            subject.observations == [
                .keyQuery(
                    name: name, isSuccess: false, message: SerfError.noKeyring.description)
            ])
    }

    @Test("a listing names all keys in base64, the primary one too")
    func lists() throws {
        var subject = Subject(keyring: try Keyring(keys: [first, second]))
        #expect(
            answer(&subject, "_serf_list-keys")
                == KeyResponse(
                    isSuccess: true, message: "",
                    keys: [Base64.encode(first), Base64.encode(second)],
                    primaryKey: Base64.encode(first)))
    }

    @Test("a listing that does not fit names as many keys as do, and says so")
    func truncates() throws {
        let keys = (0..<64).map { [UInt8](repeating: UInt8($0), count: 32) }
        var subject = Subject(keyring: try Keyring(keys: keys))
        let answer = try #require(answer(&subject, "_serf_list-keys"))
        #expect(answer.isSuccess)
        #expect((15..<25).contains(answer.keys.count))
        #expect(answer.keys == keys.prefix(answer.keys.count).map(Base64.encode))
        #expect(answer.message.contains("\(answer.keys.count) of 64"))
        guard case .response(let response)? = subject.sentDirectly.first?.message else { return }
        #expect(SerfMessage.response(response).encoded().count <= 1024)
    }
}

/// Key commands of this node.
@Suite struct KeyCommandTests {
    private let first = [UInt8](repeating: 1, count: 16)
    private let second = [UInt8](repeating: 2, count: 32)

    private func hear(
        _ subject: inout Subject, from: String, isSuccess: Bool = true, message: String = "",
        keys: [[UInt8]] = []
    ) {
        let asked = subject.serf.layer.asked[0]
        let answer = KeyResponse(
            isSuccess: isSuccess, message: message, keys: keys.map(Base64.encode),
            primaryKey: keys.first.map(Base64.encode) ?? "")
        subject.hear(
            .response(
                QueryResponse(
                    time: asked.time, id: asked.id, from: from, flags: [],
                    payload: SerfMessage.keyResponse(answer).encoded())))
    }

    private func subject() throws -> Subject {
        var subject = Subject(keyring: try Keyring(keys: [first]))
        subject.admit("a", 1)
        subject.admit("b", 2)
        subject.admit("dead", 3)
        subject.bury("dead")
        return subject
    }

    @Test("a key command ends when all living members have answered")
    func completes() throws {
        var subject = try subject()
        let id = subject.command(.key(.install(second)))
        hear(&subject, from: "self")
        hear(&subject, from: "b")
        #expect(subject.end(of: id) == nil)
        hear(&subject, from: "a")
        guard case .success(.keys(let report)) = subject.end(of: id) else {
            Issue.record("no report")
            return
        }
        #expect(report.isComplete)
        #expect(report.memberCount == 3)
        #expect(report.answers.map(\.from) == ["a", "b", "self"])
        #expect(subject.serf.layer.asked.isEmpty)
    }

    @Test("a member that refuses, answers nonsense, or nothing, is named")
    func reports() throws {
        var subject = try subject()
        let id = subject.command(.key(.use(second)))
        hear(&subject, from: "a", isSuccess: false, message: "no such key")
        let asked = subject.serf.layer.asked[0]
        subject.hear(
            .response(
                QueryResponse(
                    time: asked.time, id: asked.id, from: "self", flags: [], payload: [9])))
        #expect(subject.end(of: id) == nil)
        subject.pass(.milliseconds(3200))
        guard case .success(.keys(let report)) = subject.end(of: id) else {
            Issue.record("no report")
            return
        }
        #expect(!report.isComplete)
        #expect(report.missing == ["b"])
        #expect(report.errorCount == 2)
        #expect(report.answers.map(\.message) == ["no such key", "the answer cannot be read"])
    }

    @Test("a listing counts who has which key")
    func counts() throws {
        var subject = try subject()
        let id = subject.command(.key(.list))
        hear(&subject, from: "a", keys: [first, second])
        hear(&subject, from: "b", keys: [first])
        hear(&subject, from: "self", keys: [second, first])
        guard case .success(.keys(let report)) = subject.end(of: id) else {
            Issue.record("no report")
            return
        }
        #expect(
            report.keys == [
                .init(key: Base64.encode(first), count: 3),
                .init(key: Base64.encode(second), count: 2),
            ])
        #expect(
            report.primaryKeys == [
                .init(key: Base64.encode(first), count: 2),
                .init(key: Base64.encode(second), count: 1),
            ])
    }

    @Test("without a keyring no key leaves the node")
    func noKeyring() {
        var subject = Subject()
        for command in [KeyCommand.install(first), .use(first), .remove(first), .list] {
            #expect(subject.result(of: .key(command)) == .failure(.noKeyring))
        }
        #expect(subject.gossip.isEmpty)
    }

    @Test("a key of a wrong size is refused before anybody is asked")
    func wrongSize() throws {
        var subject = try subject()
        #expect(subject.result(of: .key(.install([1, 2, 3]))) == .failure(.keySize(3)))
        #expect(subject.gossip.isEmpty)
    }

    @Test("the request is that of Serf's agents")
    func request() throws {
        var subject = try subject()
        _ = subject.command(.key(.list))
        guard case .query(let query)? = subject.gossip.first else {
            Issue.record("no query")
            return
        }
        #expect(query.name == "_serf_list-keys")
        #expect(query.payload == [7, 0x81, 0xa3] + Array("Key".utf8) + [0xa0])
        #expect(query.flags.isEmpty)
    }
}
