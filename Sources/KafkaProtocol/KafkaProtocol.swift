// SPDX-License-Identifier: Apache-2.0

// Kafka's messages as values, and their bytes.
