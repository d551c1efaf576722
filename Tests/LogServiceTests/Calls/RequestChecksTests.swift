// SPDX-License-Identifier: Apache-2.0

import Faults
import Testing

@testable import LogService

@Suite("Checks of requests")
struct RequestChecksTests {
    @Test(
        "names that cannot be topics are refused with a code of their own",
        arguments: [
            "../../etc", ".", "..", "a/b", "a\0b", "a b", "ü", String(repeating: "x", count: 250),
            String(repeating: "x", count: 300), "\u{1b}[31m", "a\n",
        ])
    func refuses(name: String) {
        let fault = #expect(throws: Fault.self) { try RequestChecks.topicName(name) }
        #expect(fault?.code == .invalidTopicName)
        let message = fault?.message ?? ""
        #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{7f}" })
        #expect(message.count < 300)
    }

    @Test("a missing name is an invalid argument")
    func missing() {
        let fault = #expect(throws: Fault.self) { try RequestChecks.topicName("") }
        #expect(fault?.code == .invalidArgument)
    }

    @Test(
        "sound names pass",
        arguments: ["a", "default", "A.b_c-9", "...", String(repeating: "x", count: 249)])
    func accepts(name: String) throws {
        try RequestChecks.topicName(name)
    }
}
