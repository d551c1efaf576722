// SPDX-License-Identifier: Apache-2.0

// The verbs of the command line, one file each.
//
//     arguments ─▶ Program ─▶ Verb ─▶ CordwoodClient   (produce, consume, topic, bench)
//                              │    ─▶ Agent            (dev, serve, config)
//                              │    ─▶ CommitLog        (debug: no server may run)
//                              ▼
//                           Session: Output for data, Talk for people, Input, the environment
//
// A verb is a value that was parsed from the arguments; all it touches comes with the `Session`, so
// that tests run verbs without a process. `Program` turns what a verb throws into three lines and
// an `ProgramStatus`. Data goes to standard output and nothing else does.
