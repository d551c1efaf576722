// SPDX-License-Identifier: Apache-2.0

import NIOCore
import SerfCore
import SerfWire
import SwimCore
import Testing

@testable import Membership

@Suite struct GossipLogTests {
    @Test("lines of a kind are limited, and those withheld are counted") func limit() {
        var limit = LineLimit()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        for _ in 0..<LineLimit.linesMax { #expect(limit.admit(at: start) == 0) }
        for _ in 0..<25 { #expect(limit.admit(at: start + .seconds(9)) == nil) }
        #expect(limit.admit(at: start + LineLimit.period) == 25)
        #expect(limit.admit(at: start + LineLimit.period) == 0)
    }

    @Test("changes of members are logged, also in a flood of refusals") func flood() {
        let lines = Lines()
        var log = GossipLog(logger: lines.logger)
        for number in 0..<1000 {
            log.log(
                SwimObservation.refused(node: "stranger-\(number)", reason: "of the wrong cluster"))
            log.dropped(.undecryptable, peer: nil)
        }
        let member = Member(
            name: "friend", endpoint: Endpoint(address: .v4(1), port: 2), tags: [:],
            status: .alive, versions: .current, statusTime: LamportTime(rawValue: 1),
            since: Moment(nanoseconds: 0))
        log.log(.joined([member]))
        log.log(.failed([member]))
        let all = lines.text.split(separator: "\n")
        #expect(all.count == 2 * LineLimit.linesMax + 2)
        #expect(all.count { $0.hasPrefix("warning a member was refused") } == LineLimit.linesMax)
        #expect(all.count { $0.hasPrefix("info member") && $0.contains("friend") } == 2)
    }
}
