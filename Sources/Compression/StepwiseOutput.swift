// SPDX-License-Identifier: Apache-2.0

/// Room for bytes that come out of a decoder, which grows as they come.
///
/// What packed bytes claim is taken as advice: room is set aside for it only as far as their own
/// size makes it likely, and never for more than the caller's limit.
enum StepwiseOutput {
    /// How far a decoder came.
    struct Progress {
        var produced: Int
        /// All of the input is opened.
        var hasEnded: Bool
    }

    /// Room that needs no reason.
    private static let roomMin = 4 << 10
    /// How much room each packed byte makes likely: beyond, room is added as bytes come out.
    private static let inflationLikely = 64

    /// Runs a decoder until its input is opened.
    ///
    /// - Parameters:
    ///   - limit: The most bytes that may come out. One more is set aside, to see that they do.
    ///   - packedCount: The size of the input.
    ///   - claimed: What the input says that it opens to, if it does.
    ///   - step: Fills the room that it is given, or ends; where the input ends before, it throws.
    static func collect(
        limit: Int, packedCount: Int, claimed: UInt64?,
        _ step: (UnsafeMutableRawBufferPointer) throws(CompressionError) -> Progress
    ) throws(CompressionError) -> [UInt8] {
        let roomMax = min(limit, Int.max - 1) + 1
        let likely = roomMin + packedCount.multipliedSaturating(by: inflationLikely)
        let guess =
            claimed.map { Int(clamping: $0).addingSaturating(1) }
            ?? packedCount.multipliedSaturating(by: 4)
        var room = min(max(roomMin, min(guess, likely)), roomMax)
        var output: [UInt8] = []
        while true {
            let progress = try unsafe extend(&output, toRoom: room, step)
            guard output.count <= limit else { throw .overLimit(limit: limit) }
            if progress.hasEnded { return output }
            precondition(output.count == room, "a decoder fills its room or ends")
            // Doubling, so that the copying stays linear.
            room = min(roomMax, room.multipliedSaturating(by: 2))
        }
    }

    /// Moves bytes to a larger array, and has a decoder write behind them, without zeros between.
    private static func extend(
        _ output: inout [UInt8], toRoom room: Int,
        _ step: (UnsafeMutableRawBufferPointer) throws(CompressionError) -> Progress
    ) throws(CompressionError) -> Progress {
        var result = Result<Progress, CompressionError>.failure(.damaged)
        let before = output
        output = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: before)
            let free = unsafe UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[before.count..<room])
            do throws(CompressionError) {
                let progress = try unsafe step(free)
                count = before.count + progress.produced
                result = .success(progress)
            } catch {
                count = before.count
                result = .failure(error)
            }
        }
        return try result.get()
    }
}

extension Int {
    fileprivate func multipliedSaturating(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max / 2 : product
    }

    fileprivate func addingSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max / 2 : sum
    }
}
