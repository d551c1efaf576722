// SPDX-License-Identifier: Apache-2.0

#include "ccodecs.h"

#include <dlfcn.h>

bool cordwood_codec_library(
    const char *library, const char *const names[], void *functions[], size_t count
) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return false;
    for (size_t i = 0; i < count; i++) {
        functions[i] = dlsym(handle, names[i]);
        if (!functions[i]) {
            dlclose(handle);
            return false;
        }
    }
    // Never closed again: the functions are used for as long as the process lives.
    return true;
}
