// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SERVICE_NAME_H_
#define SHUNT_DATAPATH_SERVICE_NAME_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "shunt/abi.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// A service port's name as it stands in shunt_services. Pure.

// InvalidArgument: a part is longer than the map has room for.
absl::StatusOr<shunt_service> EncodeServiceName(const ServicePortName& name);

// Nothing: no agent of this version wrote this.
std::optional<ServicePortName> DecodeServiceName(const shunt_service& value);

// How a service port is called whose name is unknown: "?/42". Never decoded.
ServicePortName UnknownServiceName(uint32_t service_id);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SERVICE_NAME_H_
