// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_MANIFESTS_FILE_READER_H_
#define SHUNT_SOURCES_MANIFESTS_FILE_READER_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace shunt {

// The largest manifest that is read. Ten thousand Services with a hundred
// thousand endpoints are 40 MB.
inline constexpr size_t kMaxManifestBytes = 64 << 20;

// The whole of a regular file, through symbolic links. Waits for nobody: a pipe
// or a device is refused. NotFound: there is no such file, or a link leads
// nowhere.
absl::StatusOr<std::string> ReadManifestFile(const std::string& path,
                                             size_t max_bytes = kMaxManifestBytes);

}  // namespace shunt

#endif  // SHUNT_SOURCES_MANIFESTS_FILE_READER_H_
