// SPDX-License-Identifier: Apache-2.0

// A server inside a test's process, for those who test programs that use Cordwood.
//
// `withCordwood` starts what `cordwood serve` starts, on a port of its own, in memory or in a
// temporary folder, hands over a `CordwoodServer` with a connected client, and leaves nothing behind.
