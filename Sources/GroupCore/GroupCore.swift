// SPDX-License-Identifier: Apache-2.0

// Consumer groups, as a function of what members ask and of time.
