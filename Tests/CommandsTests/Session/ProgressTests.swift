// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Commands

@Suite("Progress")
struct ProgressTests {
    @Test("a bar shows the part that is done, the rate and the time left")
    func bar() {
        let line = ProgressLine(
            done: 250_000_000, total: 1_000_000_000, unit: .bytes, elapsed: .seconds(2))
        #expect(
            line.text(width: 100)
                == "███████░░░░░░░░░░░░░░░░░░░░░░░  25%  250 MB of 1.0 GB  125 MB/s  6.0 s left")
    }

    @Test("a line never has more columns than there are", arguments: 0..<90)
    func width(width: Int) {
        for total in [nil, 5_000_000] {
            let line = ProgressLine(
                done: 1_234_567, total: total, unit: .records, elapsed: .seconds(3))
            #expect(line.text(width: width).count <= width)
        }
    }

    @Test("more than all is not more than whole")
    func growing() {
        let line = ProgressLine(done: 30, total: 10, unit: .bytes, elapsed: .seconds(2))
        #expect(line.text(width: 80).contains("100%"))
    }

    @Test("progress is drawn on terminals only, and is wiped before anything is said")
    func talk() {
        func shown(isTerminal: Bool) -> String {
            let text = Mutex("")
            let talk = Talk(isTerminal: isTerminal, isColoured: false) { piece in
                text.withLock { $0 += piece }
            }
            talk.show(ProgressLine(done: 1, total: nil, unit: .bytes, elapsed: .zero))
            talk.show(ProgressLine(done: 2, total: nil, unit: .bytes, elapsed: .zero))
            talk.say("done")
            return text.withLock { $0 }
        }
        #expect(shown(isTerminal: false) == "done\n")
        #expect(shown(isTerminal: true) == "\r1 B\u{1b}[K\r\u{1b}[Kdone\n")
    }
}
