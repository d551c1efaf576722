// SPDX-License-Identifier: Apache-2.0

internal import SerfCore
internal import SerfWire
internal import SwimCore

/// A hash over what an effect says, the same in any process: FNV-1a, eight bytes at a time.
struct EffectDigest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ number: UInt64) { value = (value ^ number) &* 0x100_0000_01b3 }

    mutating func add(_ bytes: [UInt8]) {
        add(UInt64(bytes.count))
        var word: UInt64 = 0
        var filled: UInt64 = 0
        for byte in bytes {
            word = word << 8 | UInt64(byte)
            filled += 1
            if filled == 8 {
                add(word)
                word = 0
                filled = 0
            }
        }
        if filled > 0 { add(word) }
        value ^= value >> 29
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ endpoint: Endpoint) {
        switch endpoint.address {
        case .v4(let bits): add(UInt64(bits))
        case .v6(let high, let low):
            add(high)
            add(low)
        }
        add(UInt64(endpoint.port))
    }

    mutating func add(_ members: [Member]) {
        for member in members {
            add(member.name)
            add(member.endpoint)
            add(UInt64(member.status.rawValue))
            add(member.statusTime.rawValue)
            // Sorted: the order of a dictionary is another one in each process.
            for key in member.tags.keys.sorted() {
                add(key)
                add(member.tags[key] ?? "")
            }
        }
    }
}

extension SerfEffect {
    /// A number for the effect.
    var digest: UInt64 {
        var digest = EffectDigest()
        switch self {
        case .swim(let effect): effect.add(to: &digest)
        case .event(let event): event.add(to: &digest)
        case .queryProgress(let id, .ack(let from)):
            digest.add(id.rawValue)
            digest.add(from)
        case .queryProgress(let id, .response(let from, let payload)):
            digest.add(id.rawValue)
            digest.add(from)
            digest.add(payload)
        case .ended(let id, let result):
            digest.add(id.rawValue)
            switch result {
            case .success(.done): digest.add(1)
            case .success(.joined(let count, let failures)):
                digest.add(UInt64(count) << 8 | 2)
                digest.add(UInt64(failures.count))
            case .success(.answered(let result)):
                for from in result.acks + result.responses.map(\.from) { digest.add(from) }
            case .success(.keys(let report)): digest.add("\(report.answers)\(report.missing)")
            case .failure(let error): digest.add("\(error)")
            }
        case .keyringChanged(let keyring): for key in keyring.keys { digest.add(key) }
        case .stop(let reason): digest.add("\(reason)")
        case .observe(let observation): digest.add("\(observation)")
        }
        return digest.value
    }
}

extension SwimEffect {
    fileprivate func add(to digest: inout EffectDigest) {
        switch self {
        case .send(let bytes, let to):
            digest.add(bytes)
            digest.add(to)
        case .open(let id, let to, let request, let timeout):
            digest.add(id.rawValue)
            digest.add(to)
            digest.add(request)
            digest.add(UInt64(bitPattern: timeout.nanoseconds))
        case .reply(let id, let body):
            digest.add(id.rawValue)
            digest.add(body)
        case .close(let id): digest.add(id.rawValue)
        case .observe(.probeSent(let node)): digest.add(node)
        case .observe(let observation): digest.add("\(observation)")
        }
    }
}

extension SerfEvent {
    fileprivate func add(to digest: inout EffectDigest) {
        switch self {
        case .joined(let members), .left(let members), .failed(let members),
            .updated(let members), .reaped(let members):
            digest.add(members)
        case .user(let event):
            digest.add(event.time.rawValue)
            digest.add(event.name)
            digest.add(event.payload)
        case .query(let query):
            digest.add(query.time.rawValue)
            digest.add(query.name)
            digest.add(query.payload)
        }
    }
}
