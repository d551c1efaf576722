// SPDX-License-Identifier: Apache-2.0

// What can go wrong, by number.
//
// `ErrorCode` is the list; each has its explanation beside it, which `cordwood errors explain` prints.
// A `Fault` is a code with what happened in this case: server, client, command line and logs all
// speak in these, so a user meets the same number everywhere.
//
// The cores have small error enums of their own; whoever stands at a border turns them into faults.
