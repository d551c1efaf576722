// SPDX-License-Identifier: Apache-2.0

// The messages and stubs of the gRPC API.
//
// `Generated/` is made from proto/ by scripts/generate-protos and never edited: it holds the types
// of log.v1, cordwood.v1 and of gRPC's health and reflection, and `DescriptorSet`, which describes
// them to reflection. `Conversions/` is by hand: between messages and the types of Records, straight
// from and to the bytes of a batch where many records are at stake.
//
// Server and client both stand on this room; it knows neither.
