-------------------------------- MODULE Trace --------------------------------
\* SPDX-License-Identifier: Apache-2.0
(***************************************************************************)
(* Whether a run of the simulator is one that the specification allows.    *)
(*                                                                         *)
(* Every event of the run is one input that one core was given, and what   *)
(* the replica was afterwards. An input may be several of Cordwood's       *)
(* steps: it is taken in, then come steps that nobody outside sees, until  *)
(* the replica is what the run says it was. TLC looks for such steps, one  *)
(* event behind the other. The run is allowed if the invariant Unfinished  *)
(* is violated.                                                            *)
(*                                                                         *)
(* Here messages are counted one by one: a leader goes by the answers that *)
(* it was given, not by those that were sent.                              *)
(***************************************************************************)
EXTENDS Cordwood, Events

VARIABLES
    cursor,     \* the event that is being explained
    taken,      \* whether its input was taken in
    heard       \* what each replica has heard in its term, and asked its disk to save

traceVars == <<vars, cursor, taken, heard>>

Deaf == [match |-> [j \in Server |-> 0], votes |-> {}, limit |-> 0, wanted |-> {}]

TraceInit ==
    /\ Init
    /\ cursor = 1 /\ taken = FALSE
    /\ heard = [i \in Server |-> Deaf]

\* Replica i is n now and has heard h.
Step(i, n, h, ack) ==
    LET hard == [term |-> n.term, vote |-> n.vote]
        wanted == IF n.pending THEN h.wanted \cup {hard} ELSE h.wanted
    IN  /\ Put(i, n, ack)
        /\ heard' = [heard EXCEPT ![i] = [h EXCEPT !.wanted = wanted]]
        /\ UNCHANGED crashes

\* What replica i has heard counts only in the term in which it was said.
Hearing(i, n) ==
    IF n.term = node[i].term THEN heard[i] ELSE [Deaf EXCEPT !.wanted = heard[i].wanted]

-----------------------------------------------------------------------------
\* Inputs.

Take(i, n, h) == taken' = TRUE /\ UNCHANGED cursor /\ Step(i, n, h, 0)
TakeAs(i, n) == Take(i, n, Hearing(i, n))

TakeVoteRequest(i, m) ==
    LET n == Adopted(node[i], m.term)
    IN  /\ [who |-> m.from, last |-> <<m.lastTerm, m.lastIndex>>] \in asked[m.term]
        /\ \/ TakeAs(i, node[i])
           \/ n # node[i] /\ TakeAs(i, n)

TakeVoteReply(i, m) ==
    LET n == Adopted(node[i], m.term)
        h == Hearing(i, n)
        counts == m.granted /\ m.term = n.term /\ n.role = "candidate"
    IN  /\ m.granted => <<m.term, m.from, i>> \in votes
        /\ Take(i, n, IF counts THEN [h EXCEPT !.votes = @ \cup {m.from}] ELSE h)

TakeAppend(i, m) ==
    LET from == sent[m.term]
        last == m.previous + m.count
        adopted == Adopted(node[i], m.term)
        h == Hearing(i, adopted)
        matches ==
            \/ m.previous = 0
            \/ /\ m.previous <= Len(adopted.log)
               /\ adopted.log[m.previous].term = m.previousTerm
        tells == matches /\ last >= adopted.commit
    IN  /\ m.from \in from.who
        /\ last <= Len(from.log) /\ m.commit <= from.commit
        /\ m.previousTerm = (IF m.previous = 0 THEN 0 ELSE from.log[m.previous].term)
        /\ IF m.term < node[i].term THEN TakeAs(i, node[i])
           ELSE Take(i, Taken(adopted, from.log, m.previous, m.count),
                IF tells THEN [h EXCEPT !.limit = Max(@, Min(m.commit, last))] ELSE h)

TakeAccepted(i, m) ==
    LET n == Adopted(node[i], m.term)
        h == Hearing(i, n)
        counts == n.role = "leader" /\ m.term = n.term /\ m.match <= Len(n.log)
    IN  /\ m.match <= acked[m.term][m.from]
        /\ Take(i, n, IF counts THEN [h EXCEPT !.match[m.from] = Max(@, m.match)] ELSE h)

TakeHeartbeat(i, m) ==
    LET n == Adopted(node[i], m.term)
        h == Hearing(i, n)
    IN  /\ m.from \in sent[m.term].who
        /\ m.commit <= Min(sent[m.term].commit, acked[m.term][i])
        /\ IF m.term < node[i].term THEN TakeAs(i, n)
           ELSE Take(i, Following(n), [h EXCEPT !.limit = Max(@, Min(m.commit, Len(n.log)))])

TakeSaved(i, e) ==
    LET n == node[i]
        saved == e.after.saved
    IN  \/ saved = n.saved /\ TakeAs(i, n)
        \/ /\ saved \in heard[i].wanted
           /\ Take(i, [n EXCEPT
                !.saved = saved, !.pending = saved # [term |-> n.term, vote |-> n.vote]],
                [heard[i] EXCEPT !.wanted = {later \in @ :
                    \/ later.term > saved.term
                    \/ later.term = saved.term /\ saved.vote = Nobody /\ later # saved}])

TakeStored(i, e) ==
    LET n == node[i]
        length == e.after.synced
    IN  IF length = n.synced THEN TakeAs(i, n)
        ELSE /\ length > n.synced /\ length <= Len(n.log)
             /\ TakeAs(i, [n EXCEPT !.synced = length, !.disk = length])

TakeRefused(i, e) ==
    LET n == node[i]
        length == e.length
    IN  \/ length = Len(n.log) /\ TakeAs(i, n)
        \/ /\ length >= Max(n.synced, n.commit) /\ length < Len(n.log)
           /\ TakeAs(i, Cut(IF n.role = "leader" THEN StandingDown(n) ELSE n, length))

RECURSIVE WithData(_, _)
WithData(n, entries) ==
    IF entries = <<>> THEN n
    ELSE WithData(Added(n, Data(n.term, End(n.log), Head(entries).count)), Tail(entries))

TakeAppended(i, e) ==
    LET n == node[i]
        new == SubSeq(e.add, Len(n.log) - e.keep + 1, Len(e.add))
    IN  /\ n.role = "leader" /\ e.keep = Len(n.log)
        /\ \A x \in 1..Len(new) : new[x].kind = "data"
        /\ TakeAs(i, WithData(n, new))

TakeChange(i, e) ==
    LET n == node[i]
    IN  \/ e.add = <<>> /\ TakeAs(i, n)
        \/ /\ Len(e.add) = 1 /\ MayChange(n)
           /\ TakeAs(i, Changing(n, e.add[1].conf.voters))

TakeRestart(i, e) ==
    LET n == node[i]
    IN  /\ e.length >= n.disk /\ e.length <= Len(n.log)
        /\ e.after.commit <= Min(n.commit, e.length)
        /\ e.after.saved \in {n.saved} \cup heard[i].wanted
        /\ Take(i, Restarted([n EXCEPT !.saved = e.after.saved], e.length, e.after.commit), Deaf)

TakeIn ==
    LET e == Events[cursor]
        i == e.node
        m == e.message
    IN  /\ cursor <= Len(Events) /\ ~taken
        /\ CASE e.cause = "tick" -> TakeAs(i, node[i])
             [] e.cause = "voteRequest" -> TakeVoteRequest(i, m)
             [] e.cause = "voteReply" -> TakeVoteReply(i, m)
             [] e.cause = "append" -> TakeAppend(i, m)
             [] e.cause = "accepted" -> TakeAccepted(i, m)
             [] e.cause = "heartbeat" -> TakeHeartbeat(i, m)
             [] e.cause = "message" ->
                    \/ TakeAs(i, node[i])
                    \/ \E t \in {m.term, e.after.term} :
                        t > node[i].term /\ Known(t) /\ TakeAs(i, Adopted(node[i], t))
             [] e.cause = "saved" -> TakeSaved(i, e)
             [] e.cause = "stored" -> TakeStored(i, e)
             [] e.cause = "refused" -> TakeRefused(i, e)
             [] e.cause = "appended" -> TakeAppended(i, e)
             [] e.cause = "change" -> TakeChange(i, e)
             [] e.cause = "restart" -> TakeRestart(i, e)

-----------------------------------------------------------------------------
\* What follows from an input without being told.

Inside(i, n) == UNCHANGED <<cursor, taken>> /\ Step(i, n, Hearing(i, n), 0)

Follows ==
    LET e == Events[cursor]
        i == e.node
        n == node[i]
        h == heard[i]
        index == e.after.commit
        m == e.message
    IN  /\ cursor <= Len(Events) /\ taken
        /\ \/ /\ e.cause = "voteRequest" /\ e.after.vote = m.from
              /\ n.term = m.term /\ n.vote # m.from
              /\ MayGrant(n, m.from, <<m.lastTerm, m.lastIndex>>)
              /\ Inside(i, Granted(n, m.from))
           \/ /\ e.cause \in {"tick", "message"} /\ e.after.term = n.term + 1
              /\ e.after.vote = i /\ MayCampaign(i, n)
              /\ Inside(i, Standing(n, i))
           \/ /\ e.cause \in {"tick", "message", "voteReply"}
              /\ n.role = "candidate" /\ e.after.role = "follower"
              /\ Inside(i, Following(n))
           \/ /\ e.cause \in {"tick", "accepted", "stored", "message"}
              /\ n.role = "leader" /\ e.after.role = "follower" /\ n.commit = index
              /\ Inside(i, StandingDown(n))
           \/ /\ e.cause \in {"voteReply", "saved", "tick", "message"}
              /\ n.role = "candidate" /\ e.after.role = "leader" /\ Settled(n)
              /\ Quorum(h.votes \cup {i}, Conf(n.log))
              /\ Inside(i, Leading(n))
           \/ /\ e.cause \in {"accepted", "stored", "change", "appended", "voteReply", "saved"}
              /\ \E reached \in n.commit + 1..index :
                    \* When the members change in between, there are two majorities to count.
                    /\ \/ reached = index
                       \/ /\ IsJoint(Conf(n.log)) /\ e.length > Len(n.log)
                          /\ reached >= ChangeIndex(n.log)
                    /\ MayCommit(i, n, reached, h.match)
                    /\ Inside(i, [n EXCEPT !.commit = reached])
           \/ /\ e.cause \in {"append", "heartbeat", "stored"}
              /\ MayFollow(n, index, h.limit, h.limit)
              /\ Inside(i, [n EXCEPT !.commit = index])
           \/ /\ e.length > Len(n.log) /\ MayLeave(n)
              /\ Inside(i, Leaving(n))

-----------------------------------------------------------------------------
\* The end of an event.

Reached(n, e) ==
    /\ n.term = e.after.term /\ n.vote = e.after.vote /\ n.saved = e.after.saved
    /\ n.role = e.after.role /\ n.synced = e.after.synced /\ n.commit = e.after.commit
    /\ Len(n.log) = e.length
    /\ e.keep > 0 => n.log[e.keep].term = e.keptTerm
    /\ \A x \in 1..Len(e.add) :
        LET entry == n.log[e.keep + x]
        IN  /\ entry.term = e.add[x].term /\ entry.kind = e.add[x].kind
            /\ entry.count = e.add[x].count /\ entry.conf = e.add[x].conf
    /\ e.end # -1 => End(n.log) = e.end
    /\ e.highWatermark # -1 => End(Prefix(n.log, n.commit)) = e.highWatermark

MaySend(i, n, message) ==
    LET t == message.term
    IN  CASE message.kind = "accepted" ->
                /\ t = n.term /\ n.role = "follower" /\ ~n.pending
                /\ message.to \in sent[t].who
                /\ message.match <= Min(n.verified, n.synced)
          [] message.kind = "granted" -> <<t, i, message.to>> \in votes
          [] message.kind = "voteRequest" ->
                [who |-> i, last |-> <<message.lastTerm, message.lastIndex>>] \in asked[t]
          [] message.kind = "append" ->
                /\ i \in sent[t].who /\ message.commit <= sent[t].commit
                /\ message.previous + message.count <= Len(sent[t].log)
          [] message.kind = "heartbeat" ->
                /\ i \in sent[t].who
                /\ message.commit <= Min(sent[t].commit, heard[i].match[message.to])

Finish ==
    LET e == Events[cursor]
        i == e.node
        n == node[i]
        matches == {e.sent[x].match : x \in {y \in 1..Len(e.sent) : e.sent[y].kind = "accepted"}}
        ack == IF matches = {} THEN 0 ELSE CHOOSE x \in matches : \A y \in matches : y <= x
    IN  /\ cursor <= Len(Events) /\ taken
        /\ Reached(n, e)
        /\ \A x \in 1..Len(e.sent) : MaySend(i, n, e.sent[x])
        /\ cursor' = cursor + 1 /\ taken' = FALSE
        /\ Step(i, n, heard[i], ack)
        /\ PrintT(<<"explained", cursor>>)

TraceNext == TakeIn \/ Follows \/ Finish
TraceSpec == TraceInit /\ [][TraceNext]_traceVars

Unfinished == cursor <= Len(Events)
=============================================================================
