// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite("SplitMix64")
struct SplitMixTests {
    @Test("the sequence of seed 1234567 is that of the published generator")
    func published() {
        var random = SplitMix64(seed: 1_234_567)
        let first = (0..<5).map { _ in random.next() }
        #expect(
            first == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("equal seeds give equal sequences, and others give others")
    func seeds() {
        var one = SplitMix64(seed: 5)
        var same = SplitMix64(seed: 5)
        var other = SplitMix64(seed: 6)
        let sequence = (0..<100).map { _ in one.next() }
        #expect(sequence == (0..<100).map { _ in same.next() })
        #expect(sequence != (0..<100).map { _ in other.next() })
    }
}
