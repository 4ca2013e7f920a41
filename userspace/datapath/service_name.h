// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_DATAPATH_SERVICE_NAME_H_
#define SHUNT_DATAPATH_SERVICE_NAME_H_

#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "shunt/abi.h"
#include "userspace/datapath/map_store.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// Names of service ports as they stand in shunt_services.

// InvalidArgument: a part is longer than the map has room for.
absl::StatusOr<shunt_service> EncodeServiceName(const ServicePortName& name);

// Nothing: no agent of this version wrote this.
std::optional<ServicePortName> DecodeServiceName(const shunt_service& value);

// How a service port is called whose name is unknown: "?/42". Never decoded.
ServicePortName UnknownServiceName(uint32_t service_id);

// The names of all service ports, by id.
using ServiceNames = absl::flat_hash_map<uint32_t, ServicePortName>;
absl::StatusOr<ServiceNames> ReadServiceNames(const MapStore& maps);

}  // namespace shunt

#endif  // SHUNT_DATAPATH_SERVICE_NAME_H_
