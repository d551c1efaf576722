// SPDX-License-Identifier: Apache-2.0

public import SerfWire

/// Two nodes tell each other all that they know: how a node joins, and how views that gossip has
/// missed become equal again.
extension Memberlist {
    /// Exchanges all records with a node, which need not be known.
    ///
    /// - Parameters:
    ///   - isJoin: Whether we are new to it: it is told to the layers above on both sides.
    /// - Returns: The stream; how it ends comes out of ``takePushPullOutcomes()``, maybe at once.
    @discardableResult
    public mutating func pushPull(
        with endpoint: Endpoint, isJoin: Bool, at now: Moment,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) -> StreamID {
        advance(to: now)
        return exchange(
            with: endpoint, isJoin: isJoin, isAsked: true, delegate: &delegate, into: &effects)
    }

    mutating func pushPullWithRandomNode(
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        let own = name
        let chosen = table.sample(1, using: &random) { $0.state == .alive && $0.name != own }
        guard let node = chosen.first else { return }
        _ = exchange(
            with: node.endpoint, isJoin: false, isAsked: false, delegate: &delegate,
            into: &effects)
    }

    /// Large clusters exchange more rarely: the table that is sent grows with them.
    var pushPullIntervalScaled: Duration {
        let factor = table.count <= 32 ? 1 : Logarithm.binaryCeiling(table.count) - 5 + 1
        return settings.pushPullInterval * factor
    }

    private mutating func exchange(
        with endpoint: Endpoint, isJoin: Bool, isAsked: Bool,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) -> StreamID {
        guard pushPullsInFlight < settings.exchangesMax else {
            lastStream += 1
            let stream = StreamID(rawValue: 2 * lastStream - 1)
            effects.append(.observe(.overloaded))
            conclude(
                stream, with: endpoint, isAsked: isAsked, .tooManyExchanges, into: &effects)
            return stream
        }
        pushPullsInFlight += 1
        return openStream(
            to: endpoint, request: .pushPull(ownState(isJoin: isJoin, delegate: delegate)),
            timeout: settings.streamTimeout,
            for: .pushPull(with: endpoint, isJoin: isJoin, isAsked: isAsked), into: &effects)
    }

    /// The other side of it: we answer first, as what we merge may be refused or be large.
    mutating func accept(
        _ theirs: PushPull, on stream: StreamID, from source: Endpoint,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) {
        let ours = SwimMessage.pushPull(ownState(isJoin: theirs.isJoin, delegate: delegate))
        effects.append(.reply(stream, StreamBody.encode(ours, compress: settings.compress)))
        guard
            let reason = merge(
                theirs, from: source, isJoin: theirs.isJoin, delegate: &delegate, into: &effects)
        else { return }
        effects.append(
            .observe(
                .pushPullFailed(JoinFailure(endpoint: source, reason: .refused(reason)))))
    }

    /// Merges an answer.
    ///
    /// Returns what is wrong with it, or `nil`.
    mutating func finish(
        _ answer: SwimMessage, with endpoint: Endpoint, isJoin: Bool,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) -> JoinFailure.Reason? {
        guard case .pushPull(let theirs) = answer else { return .unexpectedAnswer }
        let reason = merge(
            theirs, from: endpoint, isJoin: isJoin, delegate: &delegate, into: &effects)
        return reason.map { .refused($0) }
    }

    mutating func conclude(
        _ stream: StreamID, with endpoint: Endpoint, isAsked: Bool,
        _ reason: JoinFailure.Reason?, into effects: inout [SwimEffect]
    ) {
        let failure = reason.map { JoinFailure(endpoint: endpoint, reason: $0) }
        if let failure { effects.append(.observe(.pushPullFailed(failure))) }
        guard isAsked else { return }
        outcomes.append(PushPullOutcome(stream: stream, endpoint: endpoint, failure: failure))
    }

    /// A stream that we had opened is of no use any more.
    mutating func fail(
        _ stream: StreamID, _ reason: StreamFailure, into effects: inout [SwimEffect]
    ) {
        switch exchanges.removeValue(forKey: stream) {
        case nil: break
        case .probe: probe?.stream = nil
        case .pushPull(let endpoint, _, let isAsked):
            pushPullsInFlight -= 1
            conclude(stream, with: endpoint, isAsked: isAsked, .stream(reason), into: &effects)
        }
    }

    mutating func openStream(
        to endpoint: Endpoint, request: SwimMessage, timeout: Duration, for exchange: Exchange,
        into effects: inout [SwimEffect]
    ) -> StreamID {
        lastStream += 1
        let stream = StreamID(rawValue: 2 * lastStream - 1)
        exchanges[stream] = exchange
        effects.append(
            .open(
                stream, to: endpoint,
                request: StreamBody.encode(request, compress: settings.compress),
                timeout: timeout))
        return stream
    }

    private func ownState(isJoin: Bool, delegate: some MemberlistDelegate) -> PushPull {
        PushPull(
            isJoin: isJoin,
            nodes: table.records.map { record in
                let node = record.node
                return NodeState(
                    name: node.name, endpoint: node.endpoint, meta: node.meta,
                    incarnation: node.incarnation, state: node.state, versions: node.versions)
            }, userState: delegate.pushPullState(isJoin: isJoin))
    }

    /// Takes over what a peer knows.
    ///
    /// Returns why not, or `nil`.
    private mutating func merge(
        _ theirs: PushPull, from source: Endpoint, isJoin: Bool,
        delegate: inout some MemberlistDelegate, into effects: inout [SwimEffect]
    ) -> String? {
        if theirs.unreadable > 0 {
            counters.unreadable += UInt64(theirs.unreadable)
            let error = WireError.malformed("\(theirs.unreadable) records of a push/pull")
            effects.append(.observe(.malformed(from: source, error)))
        }
        if let reason = versionRefusal(of: theirs.nodes)
            ?? delegate.refusal(ofMerging: theirs.nodes)
        {
            return reason
        }
        for node in theirs.nodes { merge(node, delegate: &delegate, into: &effects) }
        if !theirs.userState.isEmpty {
            delegate.merge(
                pushPullState: theirs.userState, isJoin: isJoin, at: now, into: &effects)
        }
        return nil
    }

    private mutating func merge(
        _ node: NodeState, delegate: inout some MemberlistDelegate,
        into effects: inout [SwimEffect]
    ) {
        switch node.state {
        case .alive:
            let alive = Alive(
                incarnation: node.incarnation, node: node.name, endpoint: node.endpoint,
                meta: node.meta, versions: node.versions)
            apply(alive: alive, delegate: &delegate, into: &effects)
        case .left:
            let dead = Dead(incarnation: node.incarnation, node: node.name, from: node.name)
            apply(dead: dead, delegate: &delegate, into: &effects)
        case .suspect, .dead:
            // The dead, too, may refute before we believe it.
            let suspect = Suspect(incarnation: node.incarnation, node: node.name, from: name)
            apply(suspect: suspect, delegate: &delegate, into: &effects)
        }
    }

    private func versionRefusal(of theirs: [NodeState]) -> String? {
        var check = VersionCheck()
        for node in theirs where node.state == .alive { check.narrow(to: node.versions) }
        for record in table.records where record.node.state == .alive {
            check.narrow(to: record.node.versions)
        }
        for node in theirs {
            if let reason = check.refusal(of: node.name, node.versions) { return reason }
        }
        for record in table.records {
            if let reason = check.refusal(of: record.node.name, record.node.versions) {
                return reason
            }
        }
        return nil
    }
}
