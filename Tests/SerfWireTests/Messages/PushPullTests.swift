// SPDX-License-Identifier: Apache-2.0

import SerfWire
import Testing

struct PushPullTests {
    private let good = "82 a44e616d65 a161 a441646472 a47f000001"
    private let longAddress = "82 a44e616d65 a162 a441646472 a57f00000101"
    private let shortVersions = "83 a44e616d65 a163 a441646472 a47f000001 a356736e a101"
    private let badName = "82 a44e616d65 a1ff a441646472 a47f000001"
    private let badState = "83 a44e616d65 a164 a441646472 a47f000001 a55374617465 04"
    private let nameless = "81 a441646472 a47f000001"

    private func exchange(nodes: String, length: String, _ rest: String) throws -> PushPull? {
        let bytes = hexBytes(
            "06 83 a44a6f696e c3 a54e6f646573" + nodes + "ac5573657253746174654c656e" + length
                + rest)
        guard case .pushPull(let exchange) = try StreamBody.decode(bytes) else { return nil }
        return exchange
    }

    @Test("a record that cannot be read is left out and counted, and the others stay")
    func badRecords() throws {
        let records = [longAddress, good, shortVersions, badName, badState, nameless, good].joined()
        let exchange = try #require(try exchange(nodes: "07", length: "01", records + "2a"))
        #expect(exchange.nodes.map(\.name) == ["a", "a"])
        #expect(exchange.unreadable == 5)
        #expect(exchange.userState == [42])
    }

    @Test("counts may be signed numbers of any width")
    func signedCounts() throws {
        for form in [
            "01", "d001", "d10001", "d200000001", "d30000000000000001", "cf0000000000000001",
        ] {
            let exchange = try #require(try exchange(nodes: form, length: form, good + "2a"))
            #expect(exchange.nodes.count == 1)
            #expect(exchange.userState == [42])
        }
    }

    @Test("negative counts are malformed")
    func negativeCounts() {
        #expect(throws: WireError.malformed("a count is negative")) {
            try exchange(nodes: "ff", length: "00", "")
        }
        #expect(throws: WireError.malformed("a count is negative")) {
            try exchange(nodes: "00", length: "d3ffffffffffffffff", "")
        }
    }

    @Test("counts beyond the bytes or the limits are refused before anything is allocated")
    func hugeCounts() {
        #expect(throws: WireError.truncated) { try exchange(nodes: "02", length: "00", good) }
        #expect(throws: WireError.truncated) { try exchange(nodes: "00", length: "05", "01020304") }
        #expect(throws: WireError.truncated) {
            try exchange(nodes: "ce00100000", length: "00", good)
        }
        #expect(throws: WireError.tooLong(limit: PushPull.nodesMax)) {
            try exchange(nodes: "ce00100001", length: "00", good)
        }
        #expect(throws: WireError.tooLong(limit: PushPull.userStateMax)) {
            try exchange(nodes: "00", length: "ce01400001", good)
        }
        #expect(throws: WireError.tooLong(limit: PushPull.nodesMax)) {
            try exchange(nodes: "cf7fffffffffffffff", length: "cf7fffffffffffffff", good)
        }
        #expect(throws: WireError.self) {
            try exchange(nodes: "cfffffffffffffffff", length: "00", good)
        }
    }
}
