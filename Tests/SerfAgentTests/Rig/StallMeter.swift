// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Notices when the machine lets this process wait.
///
/// Who is late is suspected, and rightly so. A scenario in which nobody may be suspected shows nothing
/// on a machine that stood still for longer than a probe has time.
final class StallMeter: Sendable {
    private static let pause = Duration.milliseconds(10)
    private static let attempts = 4

    private let longest = Mutex(Duration.zero)
    private let isOver = Atomic(false)

    private init() {
        let thread = Thread { [self] in
            let clock = ContinuousClock()
            while !isOver.load(ordering: .relaxed) {
                let before = clock.now
                Thread.sleep(forTimeInterval: 0.01)
                let late = clock.now - before - Self.pause
                longest.withLock { $0 = max($0, late) }
            }
        }
        thread.name = "stall meter"
        thread.start()
    }

    /// Gathers complaints, and gathers them again if there were some while the machine stood still.
    ///
    /// - Parameter limit: What a node may be late without being suspected.
    static func complaints(
        allowing limit: Duration, _ gather: () async throws -> [String]
    ) async throws -> [String] {
        for _ in 1..<attempts {
            let meter = StallMeter()
            defer { meter.isOver.store(true, ordering: .relaxed) }
            let complaints = try await gather()
            let stall = meter.longest.withLock { $0 }
            guard !complaints.isEmpty, stall > limit else { return complaints }
        }
        return try await gather()
    }
}
