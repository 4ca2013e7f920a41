// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_GET_H_
#define SHUNT_CLI_GET_H_

#include "absl/status/status.h"
#include "userspace/cli/listing.h"
#include "userspace/cli/session.h"

namespace shunt {

// What all `get` commands have in common: print once or watch; say so where
// there is nothing; fail where a NAME is not there.

// A listing made from the service ports that the options select.
absl::Status GetFromState(Session& session, const char* what,
                          Listing (*make)(const DatapathState& state));

// A listing of anything else, asked for again each second while watched.
absl::Status GetByPolling(Session& session, const char* what,
                          absl::StatusOr<Listing> (*make)(Source& source, const std::string& name));

// The same for what belongs to Services: those that -n, -A and NAME select,
// among other options.
absl::Status GetOfServices(Session& session, const char* what,
                           absl::StatusOr<Listing> (*make)(Source& source, const Options& options));

}  // namespace shunt

#endif  // SHUNT_CLI_GET_H_
