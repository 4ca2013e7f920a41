// SPDX-License-Identifier: Apache-2.0
#include "userspace/datapath/service_name.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "userspace/base/status.h"

namespace shunt {
namespace {

// No Kubernetes name has a question mark.
constexpr char kUnknownNamespace[] = "?";

template <size_t N>
absl::Status Encode(const char* what, const std::string& text, char (&field)[N]) {
  if (text.size() >= N) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " \"", text, "\" is longer than ", N - 1, " characters"));
  }
  std::copy(text.begin(), text.end(), field);
  return absl::OkStatus();
}

template <size_t N>
std::string Decode(const char (&field)[N]) {
  return std::string(field, strnlen(field, N));
}

}  // namespace

absl::StatusOr<shunt_service> EncodeServiceName(const ServicePortName& name) {
  shunt_service value{.protocol = name.protocol};
  SHUNT_RETURN_IF_ERROR(Encode("namespace", name.name_space, value.name_space));
  SHUNT_RETURN_IF_ERROR(Encode("name", name.name, value.name));
  SHUNT_RETURN_IF_ERROR(Encode("port name", name.port, value.port_name));
  return value;
}

std::optional<ServicePortName> DecodeServiceName(const shunt_service& value) {
  ServicePortName name = {.name_space = Decode(value.name_space),
                          .name = Decode(value.name),
                          .port = Decode(value.port_name),
                          .protocol = value.protocol};
  if (name.name_space.empty() || name.name.empty()) return std::nullopt;
  if (name.name_space == kUnknownNamespace) return std::nullopt;
  // Catches a missing NUL, bytes behind it and padding that is not zero.
  const absl::StatusOr<shunt_service> again = EncodeServiceName(name);
  if (!again.ok() || std::memcmp(&*again, &value, sizeof(value)) != 0) return std::nullopt;
  return name;
}

ServicePortName UnknownServiceName(uint32_t service_id) {
  return {.name_space = kUnknownNamespace, .name = absl::StrCat(service_id)};
}

absl::StatusOr<ServiceNames> ReadServiceNames(const MapStore& maps) {
  SHUNT_ASSIGN_OR_RETURN(const auto services, maps.Services());
  ServiceNames names;
  names.reserve(services.size());
  for (const auto& [id, value] : services) {
    names.emplace(id, DecodeServiceName(value).value_or(UnknownServiceName(id)));
  }
  return names;
}

}  // namespace shunt
