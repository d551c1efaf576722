// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@testable import SerfCore

@Suite struct NamedTableTests {
    @Test("a table is a dictionary, whatever was done to it")
    func model() {
        var random = SplitMix64(seed: 3)
        var table = NamedTable<Int>()
        var model: [String: Int] = [:]
        for step in 0..<2000 {
            let name = "n\(Int.random(in: 0..<40, using: &random))"
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                table[name] = step
                model[name] = step
            case 1:
                table[name] = nil
                model[name] = nil
            default:
                let before = table.change(name) { value in
                    defer { value += 1 }
                    return value
                }
                #expect(before == model[name])
                model[name]? += 1
            }
            table.checkInvariants()
            #expect(table.count == model.count)
        }
        for (name, value) in model { #expect(table[name] == value) }
    }
}
