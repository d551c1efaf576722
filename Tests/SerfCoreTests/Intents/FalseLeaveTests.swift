// SPDX-License-Identifier: Apache-2.0

import SerfWire
import SwimCore
import Testing

@testable import SerfCore

@Suite("A claim that a member leaves which does not")
struct FalseLeaveTests {
    @Test("is contradicted even if it is as new as the member's own word")
    func sameTime() {
        var subject = Subject()
        let own = subject.serf.localMember.statusTime
        subject.hear(.leave(LeaveIntent(time: own, node: "self", prune: false)))
        #expect(subject.observations.contains(.leaveRefuted))
        #expect(subject.serf.localMember.statusTime > own)
        #expect(subject.status(of: "self") == .alive)
    }

    @Test("is told to the member itself once it should have gone, again and again")
    func asked() {
        var subject = Subject {
            $0.swim.pushPullInterval = .zero
            $0.broadcastTimeout = .seconds(5)
            $0.leaveDelay = .seconds(1)
            $0.reapInterval = .seconds(15)
            // Nobody plays the member's side of the probes, and gossip would be told to it as well.
            $0.swim.probeInterval = .seconds(1000)
            $0.swim.gossipNodes = 0
        }
        subject.admit("a", 1)
        let intent = LeaveIntent(time: LamportTime(7), node: "a", prune: false)
        subject.hear(.leave(intent))
        #expect(subject.status(of: "a") == .leaving)
        _ = subject.takeEffects()
        subject.pass(.seconds(10))
        #expect(subject.told(Subject.peer(1)) == 0)
        subject.pass(.seconds(40))
        #expect(subject.told(Subject.peer(1)) >= 2)
    }

    @Test("is not told any more once the member has contradicted")
    func contradicted() {
        var subject = Subject {
            $0.swim.pushPullInterval = .zero
            $0.swim.probeInterval = .seconds(1000)
            $0.swim.gossipNodes = 0
        }
        subject.admit("a", 1)
        subject.hear(.leave(LeaveIntent(time: LamportTime(7), node: "a", prune: false)))
        subject.hear(.join(JoinIntent(time: LamportTime(8), node: "a")))
        #expect(subject.status(of: "a") == .alive)
        subject.pass(.seconds(60))
        #expect(subject.told(Subject.peer(1)) == 0)
    }

    @Test("is not told to a node that leaves itself, by itself")
    func ownLeave() {
        var subject = Subject { $0.swim.pushPullInterval = .zero }
        subject.admit("a", 1)
        _ = subject.command(.leave)
        subject.pass(.seconds(60))
        #expect(subject.told(Subject.endpoint) == 0)
    }
}

extension Subject {
    /// How many intents to leave were sent to one address alone.
    fileprivate func told(_ endpoint: Endpoint) -> Int {
        sentDirectly.count { message, to in
            guard case .leave = message else { return false }
            return to == endpoint
        }
    }
}
