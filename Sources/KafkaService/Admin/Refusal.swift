// SPDX-License-Identifier: Apache-2.0

internal import Faults
internal import KafkaProtocol

/// Why one row of a request is not done: its error code, and the words beside it.
struct Refusal: Error, Equatable {
    var code: KafkaErrorCode
    var message: String

    /// The most characters of a message: what names a client's own text need not repeat all of it.
    private static let messageMax = 1000

    init(_ code: KafkaErrorCode, _ message: String) {
        self.code = code
        let characters = message.unicodeScalars
        self.message =
            characters.count <= Self.messageMax
            ? message : String(String.UnicodeScalarView(characters.prefix(Self.messageMax))) + "…"
    }

    /// A fault as Kafka's clients get it.
    init(_ fault: Fault) {
        self.init(
            KafkaErrorCode(fault),
            fault.hint.map { "\(fault.message); \($0)" } ?? fault.message)
    }

    /// Carries out a call whose fault is a row's refusal.
    static func of<Value>(
        _ body: () async throws(Fault) -> Value
    ) async throws(Refusal) -> Value {
        do throws(Fault) { return try await body() } catch { throw Refusal(error) }
    }

    /// A row for a name that stands in more than one.
    static func twice(_ what: String, _ name: String) -> Refusal {
        Refusal(.invalidRequest, "the \(what) \(name) stands in this request more than once")
    }
}

extension Sequence where Element: Hashable {
    /// What comes more than once.
    var repeated: Set<Element> {
        var seen: Set<Element> = []
        return Set(filter { !seen.insert($0).inserted })
    }
}

/// Until when a client waits: rows that were not begun by then are not done.
struct Patience {
    private let end: ContinuousClock.Instant?

    /// - Parameter milliseconds: The request's own field; 0 and less set no end, since what is begun
    ///   here is done when the answer comes.
    init(milliseconds: Int32, from now: ContinuousClock.Instant = .now) {
        end = milliseconds > 0 ? now + .milliseconds(milliseconds) : nil
    }

    /// Throws once the client has stopped waiting.
    func check(at now: ContinuousClock.Instant = .now) throws(Refusal) {
        guard let end, now >= end else { return }
        throw Refusal(.requestTimedOut, "the time that the request allows was over before this row")
    }
}
