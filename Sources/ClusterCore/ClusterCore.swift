// SPDX-License-Identifier: Apache-2.0

// The facts about topics, as a function of events.
//
// `ClusterState` is what is true after a sequence of `ClusterEvent`s, which the metadata log keeps;
// `TopicSettings` knows each setting's name, range and default; `TopicName` knows what may be one.
//
// Nothing here does anything: whoever applies an event has made it durable before.
