// SPDX-License-Identifier: Apache-2.0

// The facts about topics, and who is in the cluster, as functions of events.
//
// `ClusterState` is what is true after a sequence of `ClusterEvent`s, which the metadata log keeps;
// `TopicSettings` knows each setting's name, range and default; `TopicName` knows what may be one.
// `ServerDirectory` is who is there after a sequence of `MemberEvent`s, which gossip tells and
// nobody keeps.
//
// Nothing here does anything: whoever applies an event of topics has made it durable before.
