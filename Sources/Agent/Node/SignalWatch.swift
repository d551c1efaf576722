// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Glibc

/// Calls a handler for signals instead of what they would do to the process.
final class SignalWatch {
    private let sources: [any DispatchSourceSignal]

    /// A watch for these signals.
    ///
    /// - Parameters:
    ///   - numbers: The signals' numbers.
    ///   - handler: Called with a signal's number, on a queue of its own.
    init(_ numbers: [Int32], _ handler: @escaping @Sendable (Int32) -> Void) {
        let queue = DispatchQueue(label: "cordwood.signals")
        sources = numbers.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handler(number) }
            source.resume()
            return source
        }
    }

    /// Stops calling the handler.
    func cancel() {
        for source in sources { source.cancel() }
    }
}
