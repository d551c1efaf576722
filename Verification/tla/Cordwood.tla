------------------------------- MODULE Cordwood -------------------------------
\* SPDX-License-Identifier: Apache-2.0
(***************************************************************************)
(* What replicas of one log may do: Raft as Sources/RaftCore has it.       *)
(*                                                                         *)
(* The model knows disks that are slower than the network, entries that    *)
(* take an index and no offset, and joint changes of members. It leaves    *)
(* out what only makes things happen earlier, later or less often: clocks, *)
(* pre-votes, leases, check-quorum, windows, hints, transfers, quiescence. *)
(* Whoever may campaign in the core may campaign here at any time, whoever *)
(* leads may stop at any time, and every message that was ever sent may    *)
(* arrive at any time, any number of times, or never.                      *)
(*                                                                         *)
(* So messages need no bag of their own. What a leader of a term has ever  *)
(* sent is any stretch of its log in that term (variable sent), what a     *)
(* follower has acknowledged is the highest place (acked), since a late    *)
(* acknowledgement of a lower place says less, and requests and grants of  *)
(* votes are sets (asked, votes).                                          *)
(***************************************************************************)
EXTENDS Integers, Sequences, FiniteSets, TLC

CONSTANTS
    Server,         \* all replicas there are
    Nobody,         \* no replica
    Voters,         \* who votes before any entry says otherwise
    Boss,           \* who leads in the state "led"
    Start,          \* "fresh": empty disks; "led": Boss has committed its first no-op on all voters
    Disk,           \* "slow": a write is safe later; "instant": at once
    Targets,        \* the sets of voters that changes may lead to
    Counts,         \* the numbers of records that a batch may have
    TermMax,        \* bounds, from here on
    LogMax,
    BatchMax,       \* entries in one message
    CrashMax,
    Extras,         \* what else may happen, for more states:
                    \*   "syncs": a sync takes time, and the log may be cut meanwhile
                    \*   "parts": a part of what could be synced or followed is
                    \*   "scraps": messages with fewer entries than there are, down to none
                    \*   "rumours": a later term is heard of in other ways than by requests and entries
                    \*   "stepdowns", "refusals": leaders step down; disks have no room
                    \*   "hints": the journal knows what was committed before the crash
    Planted         \* the planted error, or "none"

VARIABLES
    node,           \* what each replica has in memory and on its disk
    asked,          \* for each term: the requests for votes that were sent
    votes,          \* <<term, voter, candidate>>: the grants that were sent
    sent,           \* for each term: who leads, the log it has shown, the commit it has told
    acked,          \* for each term: what each replica has acknowledged
    decided,        \* the committed entries, as they were first committed
    decidedIn,      \* for each of them: the term of the leader that committed it
    crashes

vars == <<node, asked, votes, sent, acked, decided, decidedIn, crashes>>

Is(error) == Planted = error
Min(a, b) == IF a < b THEN a ELSE b
Max(a, b) == IF a > b THEN a ELSE b
Prefix(log, length) == SubSeq(log, 1, length)

-----------------------------------------------------------------------------
\* Entries. An entry is named by its index, and by the offset of its first record.

Plain == [voters |-> {}, outgoing |-> {}]
NoOp(term, base) == [term |-> term, kind |-> "noop", base |-> base, count |-> 0, conf |-> Plain]
Data(term, base, count) ==
    [term |-> term, kind |-> "data", base |-> base, count |-> count, conf |-> Plain]
Change(term, base, conf) ==
    [term |-> term, kind |-> "change", base |-> base, count |-> 0, conf |-> conf]

LastTerm(log) == IF log = <<>> THEN 0 ELSE log[Len(log)].term

\* The offset behind the last record: what the next entry begins with.
End(log) ==
    IF log = <<>> THEN 0
    ELSE IF Is("offsetsFollowIndexes") THEN Len(log)
    ELSE log[Len(log)].base + log[Len(log)].count

\* The last entry that changes members; 0 if there is none.
ChangeIndex(log) ==
    LET changes == {x \in 1..Len(log) : log[x].kind = "change"}
    IN  IF changes = {} THEN 0 ELSE CHOOSE x \in changes : \A y \in changes : y <= x

\* A configuration counts from the moment its entry is in the log, and goes with it.
Conf(log) ==
    LET x == ChangeIndex(log)
    IN  IF x = 0 THEN [voters |-> Voters, outgoing |-> {}] ELSE log[x].conf

\* The one before.
ConfBefore(log) == IF ChangeIndex(log) = 0 THEN Conf(log) ELSE Conf(Prefix(log, ChangeIndex(log) - 1))

IsJoint(conf) == conf.outgoing # {}
IsVoter(i, conf) == i \in conf.voters \/ i \in conf.outgoing

Majority(some, all) == 2 * Cardinality(some \cap all) > Cardinality(all)

Quorum(some, conf) ==
    IF Is("unionMajority") THEN Majority(some, conf.voters \cup conf.outgoing)
    ELSE /\ Majority(some, conf.voters)
         /\ IsJoint(conf) => Majority(some, conf.outgoing)

-----------------------------------------------------------------------------
\* A replica. All that it does makes another record of the one that it was.

Blank == [
    term |-> 0, vote |-> Nobody,
    saved |-> [term |-> 0, vote |-> Nobody],
    pending |-> FALSE,      \* term and vote are being saved
    request |-> <<>>,       \* the last entry's term and index, as the candidate asks with them
    role |-> "follower",
    log |-> <<>>,
    synced |-> 0,           \* what it takes to be on its disk
    disk |-> 0,             \* what is on its disk
    begun |-> 0,            \* how far the sync goes that is under way; negative if it is outdated
    verified |-> 0,         \* how far its log is known to be that of its term's leader
    first |-> 0,            \* a leader's no-op
    commit |-> 0]

\* Nothing leaves a replica while its term and vote are not safe.
Settled(n) == ~n.pending \/ Is("volatileVote")

\* Term and vote are others now, and have to be saved. What the leader of the old term has vouched
\* for means nothing in the new one, but for what is committed.
Promised(n, term, vote) ==
    IF n.term = term /\ n.vote = vote THEN n
    ELSE [n EXCEPT
        !.term = term, !.vote = vote, !.pending = TRUE,
        !.request = IF term > n.term THEN <<>> ELSE @,
        !.verified = IF term > n.term THEN Min(n.commit, Len(n.log)) ELSE @]

Following(n) == [n EXCEPT !.role = "follower", !.first = 0]

\* A message of a later term has come.
Adopted(n, term) == IF term > n.term THEN Following(Promised(n, term, Nobody)) ELSE n

Standing(n, i) ==
    [Promised(n, n.term + 1, i) EXCEPT
        !.role = "candidate", !.first = 0, !.request = <<LastTerm(n.log), Len(n.log)>>]

MayGrant(n, candidate, request) ==
    /\ n.vote \in {candidate, Nobody} \/ Is("voteTwice")
    /\ \/ request[1] > LastTerm(n.log)
       \/ request[1] = LastTerm(n.log) /\ request[2] >= Len(n.log)
       \/ Is("voteIgnoresLog")

Granted(n, candidate) == Promised(n, n.term, candidate)

Added(n, entry) == [n EXCEPT !.log = Append(@, entry), !.verified = Len(n.log) + 1]

Leading(n) ==
    [Added(n, NoOp(n.term, End(n.log))) EXCEPT !.role = "leader", !.first = Len(n.log) + 1]

StandingDown(n) == [Following(n) EXCEPT !.verified = Len(n.log)]

\* Entries from `length` on are gone. A sync that is under way says nothing of what comes instead.
Cut(n, length) ==
    IF length >= Len(n.log) THEN n
    ELSE [n EXCEPT
        !.log = Prefix(@, length), !.synced = Min(@, length), !.disk = Min(@, length),
        !.verified = Min(@, length),
        !.begun = IF Is("staleCompletionCounts") THEN IF @ > 0 THEN -@ ELSE @ ELSE 0]

\* Takes the `count` entries behind `previous` of the leader's log. What the replica has of them
\* stays, and what is behind them too, unless there is a conflict.
Taken(m, shown, previous, count) ==
    LET n == Following(m)
        last == previous + count
        matches ==
            \/ previous = 0
            \/ previous <= Len(n.log) /\ n.log[previous].term = shown[previous].term
        agrees(x) == x <= Len(n.log) /\ n.log[x].term = shown[x].term
        differing == {x \in previous + 1..last : ~agrees(x)}
        conflict ==
            IF differing # {} THEN CHOOSE x \in differing : \A y \in differing : x <= y
            ELSE IF Is("truncateOnStaleAppend") THEN last + 1 ELSE Len(n.log) + 1
        kept == Cut(n, conflict - 1)
        log == IF differing = {} THEN kept.log
               ELSE kept.log \o SubSeq(shown, Len(kept.log) + 1, last)
        vouched == IF Is("ackLastIndex") THEN Len(log) ELSE last
    IN  IF last < n.commit
        THEN [n EXCEPT !.verified = Max(@, Min(n.commit, Len(n.log)))]
        ELSE IF ~matches THEN n
        ELSE [kept EXCEPT !.log = log, !.verified = Max(@, vouched)]

\* What a follower tells its leader: what is safe, of what is the leader's.
Ready(n) == IF Is("ackBeforeSync") THEN n.verified ELSE Min(n.verified, n.synced)

\* Comes up with what is on the disk; a follower whatever it was. The log can be ahead of the
\* journal, since entries of a new term may be synced before the term itself is: in that term nobody
\* was voted for, and it has to be saved before anything is said in it.
Restarted(n, length, commit) ==
    LET log == Prefix(n.log, length)
        isAhead == LastTerm(log) > n.saved.term
    IN  [Blank EXCEPT
            !.term = Max(n.saved.term, LastTerm(log)),
            !.vote = IF isAhead /\ ~Is("restartKeepsVote") THEN Nobody ELSE n.saved.vote,
            !.pending = isAhead /\ ~Is("restartKeepsVote"),
            !.saved = n.saved, !.log = log, !.synced = length, !.disk = length,
            !.commit = commit]

-----------------------------------------------------------------------------
\* Replicas in company.

\* Voters may campaign; also one whose removal may still come to nothing, since its log may be the
\* only one that has all entries.
MayCampaign(i, n) ==
    /\ n.role # "leader"
    /\ \/ IsVoter(i, Conf(n.log))
       \/ ChangeIndex(n.log) > n.commit /\ IsVoter(i, ConfBefore(n.log))

\* A leader may commit what enough disks have, if an entry of its own term is among it.
MayCommit(i, n, index, match) ==
    LET own == IF Is("countUnsyncedSelf") THEN Len(n.log) ELSE n.synced
        having == {j \in Server : IF j = i THEN own >= index ELSE match[j] >= index}
        conf == Conf(n.log)
    IN  /\ n.role = "leader" /\ index > n.commit /\ index <= Len(n.log)
        /\ index >= n.first \/ Is("commitOlderTerm")
        /\ IF Is("removedLeaderCounts") /\ ~IsVoter(i, conf)
           THEN Quorum(having, [conf EXCEPT !.voters = @ \cup {i}])
           ELSE Quorum(having, conf)

\* A follower commits what its leader has committed, of that what is the leader's and safe.
MayFollow(n, index, told, vouched) ==
    /\ n.role # "leader" /\ index > n.commit
    /\ index <= Min(n.synced, told)
    /\ index <= vouched \/ Is("followerCommitUnverified")

MayChange(n) ==
    /\ n.role = "leader"
    /\ n.commit >= n.first \/ Is("changeBeforeNoOp") \/ Is("simpleChangeBeforeNoOp")
    /\ \/ ChangeIndex(n.log) <= n.commit /\ ~IsJoint(Conf(n.log))
       \/ Is("changeWhilePending")
       \/ Is("changeWhileLeaving") /\ ~IsJoint(Conf(n.log))

\* Members are always changed by way of a joint configuration. Two switches change one member in one
\* step (thesis 4.1), which is right after the no-op only.
InOneStep == Is("simpleChange") \/ Is("simpleChangeBeforeNoOp")

MayLeadTo(conf, target) ==
    /\ target # conf.voters
    /\ InOneStep =>
        Cardinality(target \ conf.voters) + Cardinality(conf.voters \ target) = 1

Changing(n, target) ==
    LET old == Conf(n.log)
        new == IF InOneStep THEN [voters |-> target, outgoing |-> {}]
               ELSE [voters |-> target, outgoing |-> old.voters]
    IN  Added(n, Change(n.term, End(n.log), new))

MayLeave(n) ==
    /\ n.role = "leader" /\ IsJoint(Conf(n.log)) /\ n.commit >= n.first
    /\ ChangeIndex(n.log) <= n.commit

Leaving(n) ==
    Added(n, Change(n.term, End(n.log), [voters |-> Conf(n.log).voters, outgoing |-> {}]))

\* What the others can know when replica i has become n, having acknowledged `ack`.
Put(i, made, ack) ==
    LET n == IF Disk = "slow" THEN made
             ELSE [made EXCEPT
                !.saved = [term |-> made.term, vote |-> made.vote], !.pending = FALSE,
                !.synced = Len(made.log), !.disk = Len(made.log)]
        t == n.term
        request == [who |-> i, last |-> n.request]
        isAsking == Settled(n) /\ n.request # <<>>
        isHeard == n.vote = i \/ \E other \in asked[t] : other.who = n.vote
        isLeading == n.role = "leader"
        length == Len(decided)
    IN  /\ node' = [node EXCEPT ![i] = n]
        /\ asked' = IF t > 0 /\ isAsking THEN [asked EXCEPT ![t] = @ \cup {request}] ELSE asked
        /\ votes' = IF t > 0 /\ Settled(n) /\ n.vote # Nobody /\ isHeard
                    THEN votes \cup {<<t, i, n.vote>>} ELSE votes
        /\ sent' = IF isLeading
                   THEN [sent EXCEPT ![t] =
                        [who |-> @.who \cup {i}, log |-> n.log, commit |-> Max(@.commit, n.commit)]]
                   ELSE sent
        /\ acked' = IF t > 0 /\ ack > acked[t][i] THEN [acked EXCEPT ![t][i] = ack] ELSE acked
        /\ IF n.commit > length
           THEN /\ decided' = decided \o SubSeq(n.log, length + 1, n.commit)
                /\ decidedIn' = decidedIn \o [x \in 1..(n.commit - length) |-> t]
           ELSE UNCHANGED <<decided, decidedIn>>

\* A follower who may acknowledge something does: a message that was sent need not arrive.
AckOf(i, n) ==
    LET synced == IF Disk = "slow" THEN n ELSE [n EXCEPT !.synced = Len(n.log)]
    IN  IF n.term > 0 /\ n.role = "follower" /\ (Settled(n) \/ Disk = "instant")
            /\ sent[n.term].who \ {i} # {}
        THEN Ready(synced) ELSE 0

Become(i, n) == Put(i, n, AckOf(i, n))

Match(t) ==
    IF Is("acksOfOldTermCount")
    THEN [j \in Server |->
            LET all == {acked[u][j] : u \in 1..t}
            IN  CHOOSE x \in all : \A y \in all : y <= x]
    ELSE acked[t]

-----------------------------------------------------------------------------
\* What may happen.

\* Whether somebody may have said something in term t.
Known(t) ==
    \/ asked[t] # {}
    \/ \E v \in votes : v[1] = t
    \/ \E j \in Server : node[j].saved.term = t

HearOf(i) == \E t \in node[i].term + 1..TermMax :
    /\ "rumours" \in Extras /\ Known(t)
    /\ Become(i, Adopted(node[i], t))

Campaign(i) ==
    /\ MayCampaign(i, node[i]) /\ node[i].term < TermMax
    /\ Become(i, Standing(node[i], i))

Grant(i) == \E t \in Max(1, node[i].term)..TermMax : \E request \in asked[t] :
    LET n == Adopted(node[i], t)
    IN  /\ request.who # i
        /\ MayGrant(n, request.who, request.last)
        /\ <<t, i, request.who>> \notin votes
        /\ n.vote # request.who
        /\ Become(i, Granted(n, request.who))

SaveHardState(i) ==
    LET n == node[i]
    IN  /\ n.pending
        /\ Become(i, [n EXCEPT
                !.pending = FALSE, !.saved = [term |-> n.term, vote |-> n.vote]])

Win(i) ==
    LET n == node[i]
    IN  /\ n.role = "candidate" /\ Len(n.log) < LogMax
        /\ Settled(n)
        /\ Quorum({j \in Server : <<n.term, j, i>> \in votes}, Conf(n.log))
        /\ Become(i, Leading(n))

Propose(i) == \E count \in Counts :
    LET n == node[i]
    IN  /\ n.role = "leader" /\ Len(n.log) < LogMax
        /\ Become(i, Added(n, Data(n.term, End(n.log), count)))

ProposeChange(i) == \E target \in Targets :
    LET n == node[i]
    IN  /\ MayChange(n) /\ Len(n.log) < LogMax
        /\ MayLeadTo(Conf(n.log), target)
        /\ Become(i, Changing(n, target))

Leave(i) ==
    /\ MayLeave(node[i]) /\ Len(node[i].log) < LogMax
    /\ Become(i, Leaving(node[i]))

Receive(i) == \E t \in Max(1, node[i].term)..TermMax :
    LET shown == sent[t].log
        old == node[i]
    IN  /\ sent[t].who \ {i} # {}
        /\ ~(old.role = "leader" /\ old.term = t)
        /\ \E previous \in 0..Len(shown) : \E count \in 0..Min(BatchMax, Len(shown) - previous) :
            /\ "scraps" \in Extras \/ count = Min(BatchMax, Len(shown) - previous)
            /\ LET n == Taken(Adopted(old, t), shown, previous, count)
               IN  n # old /\ Become(i, n)

Store(i) == \E length \in node[i].synced + 1..Len(node[i].log) :
    /\ "syncs" \notin Extras
    /\ length = Len(node[i].log) \/ "parts" \in Extras
    /\ Become(i, [node[i] EXCEPT !.synced = length, !.disk = length])

BeginSync(i) ==
    LET n == node[i]
    IN  /\ "syncs" \in Extras
        /\ n.begun = 0 /\ n.synced < Len(n.log)
        /\ Become(i, [n EXCEPT !.begun = Len(n.log)])

EndSync(i) ==
    LET n == node[i]
    IN  IF n.begun > 0
        THEN Become(i, [n EXCEPT
                !.begun = 0, !.synced = Max(@, n.begun), !.disk = Max(@, n.begun)])
        ELSE /\ n.begun < 0
             /\ Become(i, [n EXCEPT !.begun = 0, !.synced = Max(@, Min(-n.begun, Len(n.log)))])

Commit(i) == \E index \in node[i].commit + 1..Len(node[i].log) :
    /\ node[i].role = "leader"
    /\ MayCommit(i, node[i], index, Match(node[i].term))
    /\ Become(i, [node[i] EXCEPT !.commit = index])

FollowCommit(i) ==
    LET n == node[i]
    IN  /\ n.term > 0
        /\ \E index \in n.commit + 1..n.synced :
            /\ MayFollow(n, index, sent[n.term].commit, Max(n.verified, acked[n.term][i]))
            /\ "parts" \in Extras
               \/ ~MayFollow(n, index + 1, sent[n.term].commit, Max(n.verified, acked[n.term][i]))
            /\ Become(i, [n EXCEPT !.commit = index])

StepDown(i) ==
    /\ "stepdowns" \in Extras
    /\ node[i].role = "leader"
    /\ Become(i, StandingDown(node[i]))

\* The disk has no room for entries: they are not there, and nothing was said of them.
Refuse(i) ==
    LET n == node[i]
    IN  /\ "refusals" \in Extras
        /\ \E length \in Max(n.synced, n.commit)..Len(n.log) - 1 :
            Become(i, Cut(IF n.role = "leader" THEN StandingDown(n) ELSE n, length))

\* Power is cut: of what was not synced any part from the front may have come to the disk.
Crash(i) ==
    LET n == node[i]
    IN  /\ crashes < CrashMax
        /\ crashes' = crashes + 1
        /\ \E length \in n.disk..Len(n.log) :
           \E commit \in {0} \cup (IF "hints" \in Extras THEN {Min(n.commit, length)} ELSE {}) :
            Put(i, Restarted(n, length, commit), 0)

Next ==
    \E i \in Server :
        \/ Crash(i)
        \/ /\ UNCHANGED crashes
           /\ \/ HearOf(i) \/ Campaign(i) \/ Grant(i) \/ SaveHardState(i) \/ Win(i)
              \/ Propose(i) \/ ProposeChange(i) \/ Leave(i)
              \/ Receive(i) \/ Store(i) \/ BeginSync(i) \/ EndSync(i)
              \/ Commit(i) \/ FollowCommit(i) \/ StepDown(i) \/ Refuse(i)

Terms == 1..TermMax
Silence == [who |-> {}, log |-> <<>>, commit |-> 0]

Fresh ==
    /\ node = [i \in Server |-> Blank]
    /\ asked = [t \in Terms |-> {}]
    /\ votes = {}
    /\ sent = [t \in Terms |-> Silence]
    /\ acked = [t \in Terms |-> [i \in Server |-> 0]]
    /\ decided = <<>>
    /\ decidedIn = <<>>
    /\ crashes = 0

\* Boss leads in term 1, and all voters have its no-op.
Led ==
    LET log == <<NoOp(1, 0)>>
        member(i) == [Blank EXCEPT
            !.term = 1, !.vote = Boss, !.saved = [term |-> 1, vote |-> Boss], !.log = log,
            !.synced = 1, !.disk = 1, !.verified = 1, !.commit = 1]
    IN  /\ node = [i \in Server |->
            IF i = Boss THEN [member(i) EXCEPT
                !.role = "leader", !.first = 1, !.request = <<0, 0>>]
            ELSE IF i \in Voters THEN member(i)
            ELSE Blank]
        /\ asked = [t \in Terms |-> IF t = 1 THEN {[who |-> Boss, last |-> <<0, 0>>]} ELSE {}]
        /\ votes = {<<1, i, Boss>> : i \in Voters}
        /\ sent = [t \in Terms |->
            IF t = 1 THEN [who |-> {Boss}, log |-> log, commit |-> 1] ELSE Silence]
        /\ acked = [t \in Terms |->
            [i \in Server |-> IF t = 1 /\ i \in Voters \ {Boss} THEN 1 ELSE 0]]
        /\ decided = log
        /\ decidedIn = <<1>>
        /\ crashes = 0

Init == IF Start = "led" THEN Led ELSE Fresh
Spec == Init /\ [][Next]_vars

-----------------------------------------------------------------------------
\* What must always be true.

ElectionSafety == \A t \in Terms : Cardinality(sent[t].who) <= 1

OneVotePerTerm == \A a, b \in votes : a[1] = b[1] /\ a[2] = b[2] => a[3] = b[3]

\* Who has heard a promise relies on what the disk has.
PromisesAreSaved ==
    /\ \A v \in votes :
        LET saved == node[v[2]].saved
        IN  saved.term > v[1] \/ saved = [term |-> v[1], vote |-> v[3]]
    /\ \A i \in Server : node[i].synced <= node[i].disk

LogMatching == \A i, j \in Server :
    LET a == node[i].log
        b == node[j].log
        common == {x \in 1..Min(Len(a), Len(b)) : a[x].term = b[x].term}
    IN  \A x \in common : Prefix(a, x) = Prefix(b, x)

LeaderCompleteness == \A t \in Terms : \A x \in 1..Len(decided) :
    sent[t].who # {} /\ decidedIn[x] < t =>
        Len(sent[t].log) >= x /\ sent[t].log[x] = decided[x]

StateMachineSafety == \A i \in Server :
    LET n == node[i]
    IN  /\ n.commit <= Min(Len(n.log), Len(decided))
        /\ Prefix(n.log, n.commit) = Prefix(decided, n.commit)

Holds(log, length) == Len(log) >= length /\ Prefix(log, length) = Prefix(decided, length)

OnDisk(i) == Prefix(node[i].log, node[i].disk)

CommittedIsDurableOnMajority ==
    Majority({i \in Server : Holds(OnDisk(i), Len(decided))}, Conf(decided).voters)

\* If power is cut everywhere now, whoever can be elected has all that was committed.
AckedNeverLost == \A i \in Server :
    LET mine == OnDisk(i)
        conf == Conf(mine)
        granting == {j \in Server :
            LET yours == OnDisk(j)
            IN  \/ LastTerm(mine) > LastTerm(yours)
                \/ LastTerm(mine) = LastTerm(yours) /\ Len(mine) >= Len(yours)}
    IN  IsVoter(i, conf) /\ Quorum(granting, conf) => Holds(mine, Len(decided))

\* The records of a log are numbered from 0 without gaps, and others take no number. That equal
\* indexes have equal offsets on all logs follows from LogMatching: an entry carries both.
OffsetsAgree == \A i \in Server :
    LET log == node[i].log
    IN  \A x \in 1..Len(log) :
        /\ log[x].base = IF x = 1 THEN 0 ELSE log[x - 1].base + log[x - 1].count
        /\ (log[x].kind = "data") = (log[x].count > 0)

\* Of two steps: nothing committed is forgotten but by a crash.
CommitNeverFalls ==
    [][\A i \in Server : crashes' = crashes => node'[i].commit >= node[i].commit]_vars

Alike == Permutations(Server)
AlikeButBoss == Permutations(Server \ {Boss})
=============================================================================
