// SPDX-License-Identifier: Apache-2.0

internal import BrokerRuntime
internal import Faults
internal import Records

extension Partition {
    func recordWithMaxTimestamp() async throws(Fault) -> (offset: Offset, timestamp: Timestamp)? {
        nil
    }
    func term(at offset: Offset) async throws(Fault) -> Term? { term }
    func endOffset(ofTerm term: Term) async throws(Fault) -> (term: Term, offset: Offset)? {
        (self.term, try bounds.upperBound)
    }
}
