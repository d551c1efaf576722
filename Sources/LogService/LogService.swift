// SPDX-License-Identifier: Apache-2.0

// The gRPC side of a server.
//
//     grpc-swift ──▶ BookLogService       log.v1.Log               ─┐
//                    LogServiceProvider   cordwood.v1.LogService    ├─▶ Broker ─▶ Partition
//                    TopicServiceProvider cordwood.v1.TopicService ─┘      └────▶ GroupCoordinator
//                    GroupServiceProvider cordwood.v1.GroupService ────────────────────┘
//                    MemberServiceProvider cordwood.v1.MemberService ─▶ ServerRegistry, ServerGossip
//                    HealthService        grpc.health.v1.Health
//                    ReflectionService    grpc.reflection.v1(alpha)
//
// A call validates its request, calls the broker and translates what comes back; every failure is
// a Fault until `Fault.rpcError` gives it its status. Streams run inside `CallScope`, which ends
// them when the caller cancels, the deadline passes or the server drains.
