// SPDX-License-Identifier: Apache-2.0

internal import Bytes
public import RaftCore

/// The words of a configuration entry.
///
/// Big-endian:
///
/// ```
///  at size field
///   0   1  version = 1
///   1   1  number of voters, at most 32
///   2   1  number of voters that are being left, at most 32; 0 unless joint
///   3   1  number of learners, at most 32
///   4   …  the ids in this order, each ascending: 8 node, 8 life
/// ```
extension Configuration {
    private static let versionValue: UInt8 = 1

    /// The words.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = [
            Self.versionValue, UInt8(voters.count), UInt8(outgoing.count), UInt8(learners.count),
        ]
        for id in voters + outgoing + learners {
            bytes.appendBigEndian(id.node)
            bytes.appendBigEndian(id.life)
        }
        return bytes
    }

    /// The configuration that some words name; `nil` if they name none.
    public init?(encoded bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 4, bytes[bytes.startIndex] == Self.versionValue else { return nil }
        let counts = bytes.dropFirst().prefix(3).map(Int.init)
        guard counts.allSatisfy({ $0 <= Configuration.membersMax }), counts[0] > 0,
            bytes.count == 4 + 16 * (counts[0] + counts[1] + counts[2])
        else { return nil }
        let ids: [ReplicaID] = unsafe bytes.withUnsafeBytes { raw in
            (0..<(counts[0] + counts[1] + counts[2])).map { number in
                unsafe ReplicaID(
                    node: raw.bigEndian(at: 4 + 16 * number),
                    life: raw.bigEndian(at: 12 + 16 * number))
            }
        }
        let voters = Array(ids[..<counts[0]])
        let outgoing = Array(ids[counts[0]..<(counts[0] + counts[1])])
        let learners = Array(ids[(counts[0] + counts[1])...])
        self.init(voters: voters, outgoing: outgoing, learners: learners)
        // Equal configurations have equal words.
        guard self.voters == voters, self.outgoing == outgoing, self.learners == learners else {
            return nil
        }
    }
}
