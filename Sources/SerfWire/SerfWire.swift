// SPDX-License-Identifier: Apache-2.0

// The bytes that members of a Serf cluster send each other, and nothing of what they mean.
//
//        SwimMessage, SerfMessage, Tags, CoordinatePayload       Messages/  Serf/
//              │ encoded()                         ▲ decode
//              ▼                                   │
//        Packet   compound, compress, CRC-32      StreamBody    Framing/  Lzw/  Streams/
//              │ encode                            ▲ decode
//              ▼                                   │
//        (AES-GCM: the shell's)  EncryptedFrame    │  StreamScanner: how much of it has come
//        Label                                     │
//              ▼                                   │
//            socket ───────────────────────────────┘
//
// Everything takes bytes from anybody: a decoder gives a value or a `WireError`, never a trap, and
// compares each length with what is there before it allocates.
//
// Begin with `SwimMessage`, `Packet` and `SerfMessage`.
