// SPDX-License-Identifier: Apache-2.0

extension ErrorCode {
    /// Whether the same request can succeed later, without anything being changed in it.
    public var isRetryable: Bool {
        switch self {
        case .diskFull, .shuttingDown, .overloaded, .notLeader, .unreachable, .deadlineExceeded,
            .corruptBatch, .joinFailed:
            true
        default:
            false
        }
    }

    /// What the failure is, in a few words.
    public var summary: String {
        explanation.summary
    }

    /// What usually leads to it.
    public var cause: String {
        explanation.cause
    }

    /// What to do about it.
    public var remedy: String {
        explanation.remedy
    }

    private var explanation: (summary: String, cause: String, remedy: String) {
        switch self {
        case .invalidArgument:
            (
                "A field of the request has a value that makes no sense.",
                "A program sent a negative size, an empty list or a field that is missing.",
                "Correct the field that the message names."
            )
        case .topicNotFound:
            (
                "There is no topic of that name.",
                "The name is misspelt, or the topic was deleted or never created.",
                "See `cordwood topic list`; create it with `cordwood topic create NAME`."
            )
        case .topicExists:
            (
                "A topic of that name exists already.",
                "It was created before, perhaps by another program.",
                "Use it, choose another name, or delete it with `cordwood topic delete NAME`."
            )
        case .invalidTopicName:
            (
                "The name cannot be a topic's.",
                "Topic names have 1 to 249 characters of A-Z a-z 0-9 . _ - and are not . or ..",
                "Choose a name of these characters."
            )
        case .invalidPartitionCount:
            (
                "A topic has 1 to 1024 partitions.",
                "The number asked for is outside.",
                "Choose a number inside; one is enough for most."
            )
        case .partitionNotFound:
            (
                "The topic has no partition of that number.",
                "Partitions are numbered from 0 to their count less one.",
                "See `cordwood topic describe NAME`."
            )
        case .offsetOutOfRange:
            (
                "The log does not hold that offset.",
                "The records were removed by retention, or were not written yet.",
                "Read from an offset in the range that the message gives, or from start or end."
            )
        case .batchTooLarge:
            (
                "A record or batch is over the size limit.",
                "Its encoded size exceeds the topic's max.message.bytes or the server's limit.",
                "Send smaller batches, or raise max.message.bytes of the topic."
            )
        case .invalidBatch:
            (
                "A batch does not follow the RecordBatch v2 format.",
                "The program that encoded it has a fault, or it is not a batch.",
                "Correct the encoder; the message says which field is wrong."
            )
        case .corruptBatch:
            (
                "A batch was damaged on its way to the server.",
                "Its checksum does not match its bytes: bad memory, network or encoder.",
                "Send it again. If it happens often, test the hardware between."
            )
        case .unsupportedCompression:
            (
                "The batch is compressed in a way that is not served here.",
                "The codec is not known, or its library is not installed on the server.",
                "Use another codec, or install the library that the message names."
            )
        case .invalidSetting:
            (
                "A setting's value cannot be used.",
                "It is not of the setting's type, or outside its range.",
                "Use a value that the message allows; see docs/reference/settings.md."
            )
        case .unknownSetting:
            (
                "There is no setting of that name.",
                "It is misspelt, or belongs to another version.",
                "Use the name that the message proposes; see docs/reference/settings.md."
            )
        case .outOfOrderSequence:
            (
                "An idempotent producer's batch does not follow the one before.",
                "A batch between them was lost, or two programs use one producer id.",
                "Let the client library deal with it: it gets a new producer id or fails."
            )
        case .invalidProducerEpoch:
            (
                "A newer instance of the producer has taken its place.",
                "The producer id came with an epoch that is older than one seen before.",
                "Stop the old instance."
            )
        case .groupNotFound:
            (
                "There is no consumer group of that name.",
                "The name is misspelt, or the group has neither members nor committed offsets.",
                "See `cordwood group list`."
            )
        case .groupNotEmpty:
            (
                "The consumer group has members, which would be disturbed.",
                "Programs of the group are running.",
                "Stop the group's consumers, wait for their session timeout, and try again."
            )
        case .invalidGroup:
            (
                "The name cannot be a consumer group's.",
                "It is empty, or longer than the server allows.",
                "Choose another name."
            )
        case .memberNotFound:
            (
                "There is no member of that name.",
                "The name is misspelt, the member was forgotten, or its coordinate is not known yet.",
                "See `cordwood members list`."
            )
        case .diskFull:
            (
                "The disk is too full to accept records.",
                "Free space fell under the critical mark, or a write found no room.",
                "Make room or shorten retention; writes resume by themselves. Reads go on."
            )
        case .storageFailed:
            (
                "The disk failed to store or return bytes, so the log stopped taking records.",
                "A write or a sync returned an error. What was not acknowledged may be lost.",
                "Check the device (dmesg), then restart the server: it verifies the log."
            )
        case .dataLoss:
            (
                "Stored records are damaged.",
                "Bytes on the disk changed after they were written.",
                "Run `cordwood debug verify`, restore from a copy, or `cordwood debug repair`."
            )
        case .partitionReadOnly:
            (
                "The partition takes no records because damage was found in it.",
                "Acknowledged records are missing or damaged; sound ranges can be read.",
                "Run `cordwood debug verify`, then `cordwood debug repair` to accept the loss."
            )
        case .dataDirectoryLocked:
            (
                "Another server uses the data directory.",
                "Two servers on one directory would destroy it.",
                "Stop the other server or choose another directory with --data-dir."
            )
        case .dataDirectoryUnusable:
            (
                "The data directory cannot be used.",
                "It cannot be read or written, or holds something that is not ours.",
                "Correct what the message names: permissions, a stray file, a missing disk."
            )
        case .unsupportedFormat:
            (
                "A file was written by a newer version.",
                "The server was downgraded, or the directory copied from a newer one.",
                "Run the newer version."
            )
        case .shuttingDown:
            (
                "The server is stopping.",
                "An operator stopped it.",
                "Try again in a moment."
            )
        case .overloaded:
            (
                "The server has as much work waiting as it allows.",
                "Records come in faster than the disk takes them, or a limit was reached.",
                "Slow down and try again."
            )
        case .addressInUse:
            (
                "The address to listen on is taken.",
                "Another program, or another Cordwood, listens there.",
                "Stop it or choose another address with --listen."
            )
        case .plaintextRefused:
            (
                "Without TLS the server listens on loopback addresses only.",
                "The address can be reached from other machines.",
                "Listen on 127.0.0.1, or accept the risk with --insecure-allow-plaintext."
            )
        case .internalError:
            (
                "The server met a state that should not be.",
                "A fault in Cordwood.",
                "Report it with the log lines around it."
            )
        case .notLeader:
            (
                "The partition has another leader, or none at the moment.",
                "The leader changed while the request was under way; the records may be stored.",
                "Try again; an idempotent producer never stores them twice."
            )
        case .gossipNotRunning:
            (
                "The server takes no part in gossip.",
                "It is turned off, the server has left, or another member has its name.",
                "See `cordwood members list`, which says why; then restart the server."
            )
        case .joinFailed:
            (
                "None of the addresses could be joined.",
                "Nobody listens there, the keys differ, or the cluster is another.",
                "Check the addresses, the gossip keys and cluster.name; the message has each reason."
            )
        case .gossipNotEncrypted:
            (
                "Gossip is not encrypted, so there are no keys to change.",
                "The server was started without gossip.keys.file and gossip.keyring.",
                "Give every server a key and restart them: see docs/guides/members.md."
            )
        case .keysDiffer:
            (
                "Not every member did what was asked with a key.",
                "It has other keys, cannot write its keyring, or did not answer in time.",
                "Do it again until all have done it, and only then go on to the next step."
            )
        case .unknownKey:
            (
                "The configuration has a key that does not exist.",
                "It is misspelt, or belongs to another version.",
                "Use the key that the message proposes; see `cordwood config example`."
            )
        case .invalidValue:
            (
                "A configuration value cannot be used.",
                "It is not of the key's type, or outside its range.",
                "Use a value that the message allows; see `cordwood config example`."
            )
        case .configurationUnreadable:
            (
                "The configuration file cannot be read.",
                "It is missing, unreadable or not YAML.",
                "Check the path and the syntax at the line that the message names."
            )
        case .unreachable:
            (
                "No server answers at the address.",
                "It is not running, or a firewall or a wrong address is between.",
                "Start one with `cordwood dev`, or name its address with --server."
            )
        case .deadlineExceeded:
            (
                "The answer did not come in time.",
                "The server or the network is slow. The request may still have been carried out.",
                "Try again, or allow more time with --timeout."
            )
        case .cancelled:
            (
                "The call was cancelled.",
                "The program or the user ended it.",
                "Nothing, if that was intended."
            )
        case .closed:
            (
                "The client, producer or consumer was used after it was closed.",
                "It was kept beyond the scope that it belongs to.",
                "Use it inside its scope."
            )
        case .unexpectedAnswer:
            (
                "The server answered something that this client does not understand.",
                "Versions differ, or something else listens at the address.",
                "Check the address and the versions."
            )
        case .inputUnreadable:
            (
                "The input cannot be read.",
                "The file is missing or unreadable, or a line does not follow the format.",
                "Check the path and the format."
            )
        case .outputFailed:
            (
                "The output cannot be written.",
                "The disk is full or the reader went away.",
                "Check where the output goes."
            )
        case .invalidUsage:
            (
                "The command line cannot be understood.",
                "A command or an option is misspelt or missing, or a value is not of its kind.",
                "See `cordwood COMMAND --help`; it opens with examples."
            )
        case .notConfirmed:
            (
                "The command destroys something and was not confirmed.",
                "It asks for confirmation on a terminal, and needs --yes elsewhere.",
                "Give --yes if that is what you want."
            )
        }
    }
}
