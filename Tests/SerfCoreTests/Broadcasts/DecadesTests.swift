// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import SerfCore

@Suite struct DecadesTests {
    @Test(
        "decimal logarithms are rounded up, exactly",
        arguments: [
            (0, 1), (1, 1), (2, 1), (9, 1), (10, 2), (99, 2), (100, 3), (999, 3), (1000, 4),
        ])
    func decades(count: Int, digits: Int) {
        #expect(Decades.above(count) == digits)
    }

    @Test(
        "a message is sent four times the decimal digits of the number of members",
        arguments: [(1, 4), (2, 4), (9, 4), (10, 8), (99, 8), (100, 12)])
    func limit(members: Int, times: Int) {
        var subject = Subject()
        for number in 1..<members { subject.admit("m\(number)", UInt32(number)) }
        // Those who are gone count as well.
        if members > 1 { subject.bury("m1") }
        #expect(subject.serf.layer.transmitLimit == times)
    }
}
