// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_ENVELOPE_H_
#define SHUNT_SOURCES_KUBERNETES_ENVELOPE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace shunt {

// An object in application/vnd.kubernetes.protobuf: "k8s\0", then what it is,
// then its message.
struct Envelope {
  std::string api_version;
  std::string kind;
  std::string message;  // serialized
};

absl::StatusOr<Envelope> OpenEnvelope(std::string_view bytes);

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_ENVELOPE_H_
