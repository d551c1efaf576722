// SPDX-License-Identifier: Apache-2.0

// What stands behind the door to files in production.
//
//     PosixFileSystem ──▶ PosixFile ──▶ Descriptor ──▶ SystemCall
//                                          │
//                              DescriptorBudget, Namespace
//
// The only room that calls the operating system for files. Any number of files can be open as
// objects: their descriptors come and go under a budget, and follow renames and removals.
