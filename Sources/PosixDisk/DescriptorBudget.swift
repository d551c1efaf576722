// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Keeps the number of open descriptors near a limit.
///
/// Those that may be closed stand in a ring with a hand (the second-chance rule: one used since the
/// hand last came by is passed over once); written and nameless ones stand apart, so the hand never
/// walks over them. Each step costs O(1), amortised. Only when all are pinned or in use are more
/// than the limit open.
final class DescriptorBudget: Sendable {
    private struct State {
        var ring: [Descriptor] = []
        var hand = 0
        var pinned: [ObjectIdentifier: Descriptor] = [:]

        var count: Int { ring.count + pinned.count }
    }

    let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    var openCount: Int { state.withLock { $0.count } }

    /// Puts a descriptor where its state says it belongs, and closes others if there are too many.
    func place(_ descriptor: Descriptor) {
        closeAll(
            state.withLock { state in
                Self.place(descriptor, &state)
                return evict(state.count - limit, &state)
            })
    }

    /// Closes some idle descriptors, because the system has no more.
    func makeRoom() {
        closeAll(state.withLock { evict(min(16, $0.count), &$0) })
    }

    /// Forgets a descriptor for good and closes it.
    func discard(_ descriptor: Descriptor) {
        let number = state.withLock { state in
            Self.unplace(descriptor, &state)
            return descriptor.state.withLock { descriptor in
                defer { descriptor.number = -1 }
                return descriptor.number
            }
        }
        if number >= 0 { SystemCall.close(number) }
    }

    /// The open descriptors with unsynced writes on a device, and what each had written.
    func dirty(on device: UInt64) -> [(descriptor: Descriptor, writes: UInt64)] {
        state.withLock { state in
            state.pinned.values.compactMap { descriptor in
                descriptor.state.withLock { state in
                    guard state.identity?.device == device, state.isDirty else { return nil }
                    return (descriptor, state.writes)
                }
            }
        }
    }

    private static func place(_ descriptor: Descriptor, _ state: inout State) {
        let (isOpen, isPinned, place) = descriptor.state.withLock {
            ($0.number >= 0, $0.isPinned || $0.isDirty, $0.place)
        }
        switch place {
        case .nowhere where !isOpen: return
        case .pinned where isOpen && isPinned: return
        case .ring where isOpen && !isPinned: return
        default: break
        }
        unplace(descriptor, &state)
        guard isOpen else { return }
        let next: Descriptor.Place
        if isPinned {
            state.pinned[ObjectIdentifier(descriptor)] = descriptor
            next = .pinned
        } else {
            state.ring.append(descriptor)
            next = .ring(state.ring.count - 1)
        }
        descriptor.state.withLock { $0.place = next }
    }

    private static func unplace(_ descriptor: Descriptor, _ state: inout State) {
        let place = descriptor.state.withLock { descriptor in
            defer { descriptor.place = .nowhere }
            return descriptor.place
        }
        switch place {
        case .nowhere: return
        case .pinned: state.pinned[ObjectIdentifier(descriptor)] = nil
        case .ring(let slot):
            let last = state.ring.removeLast()
            guard last !== descriptor else { return }
            state.ring[slot] = last
            last.state.withLock { $0.place = .ring(slot) }
        }
    }

    /// Takes up to `count` idle descriptors out of the ring; their numbers, to be closed.
    private func evict(_ count: Int, _ state: inout State) -> [Int32] {
        var numbers: [Int32] = []
        // Two rounds: the first may do no more than take away every second chance.
        var steps = count > 0 ? state.ring.count * 2 : 0
        while numbers.count < count, steps > 0, !state.ring.isEmpty {
            steps -= 1
            if state.hand >= state.ring.count { state.hand = 0 }
            let descriptor = state.ring[state.hand]
            let number: Int32? = descriptor.state.withLock { descriptor in
                guard descriptor.isIdle, !descriptor.isReferenced else {
                    descriptor.isReferenced = false
                    return nil
                }
                defer { descriptor.number = -1 }
                return descriptor.number
            }
            if let number {
                numbers.append(number)
                Self.unplace(descriptor, &state)
            } else {
                state.hand += 1
            }
        }
        return numbers
    }

    private func closeAll(_ numbers: [Int32]) {
        for number in numbers { SystemCall.close(number) }
    }
}
