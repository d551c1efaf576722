// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

@testable import SwimCore

@Suite("Settings")
struct SwimSettingsTests {
    @Test("of the three profiles are those of agents")
    func profiles() {
        let profiles: [SwimSettings] = [.lan, .wan, .local]
        #expect(profiles.map(\.streamTimeout) == [.seconds(10), .seconds(30), .seconds(1)])
        #expect(profiles.map(\.indirectChecks) == [3, 3, 1])
        #expect(profiles.map(\.retransmitMult) == [4, 4, 2])
        #expect(profiles.map(\.suspicionMult) == [4, 6, 3])
        #expect(profiles.map(\.suspicionMaxTimeoutMult) == [6, 6, 6])
        #expect(profiles.map(\.pushPullInterval) == [.seconds(30), .seconds(60), .seconds(15)])
        #expect(
            profiles.map(\.probeTimeout)
                == [.milliseconds(500), .seconds(3), .milliseconds(200)])
        #expect(profiles.map(\.probeInterval) == [.seconds(1), .seconds(5), .seconds(1)])
        #expect(profiles.map(\.gossipNodes) == [3, 4, 3])
        #expect(profiles.map(\.gossipInterval) == [200, 500, 100].map { .milliseconds($0) })
        #expect(profiles.map(\.gossipToTheDead) == [.seconds(30), .seconds(60), .seconds(15)])
        for profile in profiles {
            #expect(profile.awarenessMax == 8)
            #expect(profile.compress)
            #expect(profile.sendsCrc)
            #expect(profile.packetBytesMax == 1400)
            #expect(profile.deadNodeReclaim == .zero)
            #expect(profile.partsBudget == 1398)
        }
    }

    @Test("count what label and encryption add against the packet")
    func overhead() {
        var settings = SwimSettings.lan
        settings.packetOverhead = 29
        #expect(settings.partsBudget == 1400 - 2 - 29)
    }

    @Test("that no cluster can work with are a mistake of who made them")
    func impossible() async {
        await #expect(processExitsWith: .failure) {
            var settings = SwimSettings.lan
            settings.probeTimeout = settings.probeInterval
            settings.check()
        }
        await #expect(processExitsWith: .failure) {
            var settings = SwimSettings.lan
            settings.gossipInterval = .zero
            settings.check()
        }
    }
}
