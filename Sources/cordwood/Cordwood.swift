// SPDX-License-Identifier: Apache-2.0

import Commands

@main
struct Cordwood {
    static func main() async { await Program.main() }
}
