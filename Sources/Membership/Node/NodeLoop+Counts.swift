// SPDX-License-Identifier: Apache-2.0

internal import CoreMetrics
internal import SerfCore
internal import SerfWire
internal import SwimCore

extension NodeLoop {
    /// Something was not taken or not sent.
    func drop(_ reason: DropReason, peer: Endpoint?) {
        counts.dropped[reason, default: 0] += 1
        metrics.drop(reason)
        log.dropped(reason, peer: peer)
    }

    /// Whether a test wants this to be lost.
    func filters(
        _ direction: PacketFilter.Direction, _ peer: Endpoint, _ bytes: [UInt8], isStream: Bool
    ) -> Bool {
        guard let filter = settings.filter else { return false }
        let packet = PacketFilter.Packet(
            direction: direction, peer: peer, isStream: isStream, bytes: bytes)
        guard filter.drops(packet) else { return false }
        drop(.filtered, peer: peer)
        return true
    }

    func count(_ observation: SwimObservation) {
        switch observation {
        case .probeSent: metrics.probes.increment()
        case .probeFailed: metrics.probeFailures.increment()
        case .probeByStream: metrics.probesByStream.increment()
        case .suspected: metrics.suspicions.increment()
        case .refuted: metrics.refutations.increment()
        case .healthChanged(let score): metrics.healthScore.record(score)
        case .malformed: countMalformed()
        case .queueOverflow(let count): metrics.queueOverflows.increment(by: count)
        case .suspicionConfirmed, .refused, .conflict, .overloaded, .pushPullFailed: break
        }
    }

    func count(_ observation: SerfObservation) {
        switch observation {
        case .malformed, .misplaced: countMalformed()
        case .queueOverflow(_, let dropped): metrics.queueOverflows.increment(by: dropped)
        case .leaveRefuted: metrics.refutations.increment()
        default: break
        }
    }

    private func countMalformed() {
        counts.dropped[.malformed, default: 0] += 1
        metrics.drop(.malformed)
    }
}
