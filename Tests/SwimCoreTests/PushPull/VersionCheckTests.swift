// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("Versions")
struct VersionCheckTests {
    private func versions(_ bytes: UInt8...) -> Versions {
        Versions(
            swimMin: bytes[0], swimMax: bytes[1], swimCurrent: bytes[2], serfMin: bytes[3],
            serfMax: bytes[4], serfCurrent: bytes[5])
    }

    private func check(_ living: Versions...) -> VersionCheck {
        var check = VersionCheck()
        for versions in living { check.narrow(to: versions) }
        return check
    }

    @Test("agree if each node speaks what all living ones can")
    func agree() {
        let check = check(.current, versions(2, 4, 3, 4, 5, 4))
        for (speaks, isTaken) in [
            (versions(1, 5, 2, 2, 5, 5), true), (versions(1, 5, 4, 2, 5, 4), true),
            (versions(1, 5, 1, 2, 5, 5), false), (versions(1, 5, 5, 2, 5, 5), false),
            (versions(1, 5, 2, 2, 5, 3), false), (versions(1, 5, 2, 2, 9, 6), false),
            (.none, false),
        ] {
            #expect((check.refusal(of: "a", speaks) == nil) == isTaken, "\(speaks)")
        }
    }

    @Test("of a living node bind the others, those of a dead one only itself")
    func dead() {
        let odd = versions(4, 4, 4, 2, 5, 5)
        #expect(check(.current, odd).refusal(of: "me", .current) != nil)
        #expect(check(.current).refusal(of: "me", .current) == nil)
        #expect(check(.current).refusal(of: "odd", odd) == nil)
    }

    @Test("that are refused say whose and which")
    func text() {
        let refusal = check(.current).refusal(of: "a", versions(1, 9, 9, 2, 5, 5)) ?? ""
        #expect(refusal == "a speaks protocol 9 of memberlist, where 1 to 5 is common")
        let serf = check(.current).refusal(of: "a", versions(1, 5, 2, 2, 9, 6)) ?? ""
        #expect(serf == "a speaks protocol 6 of Serf, where 2 to 5 is common")
    }
}
