// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_WATCH_H_
#define SHUNT_CLI_WATCH_H_

#include <ostream>
#include <string>

#include "absl/container/btree_map.h"
#include "userspace/cli/listing.h"

namespace shunt {

// Prints a listing that changes as `kubectl get --watch` does: all objects
// first, then each that is new, different or gone (as it was last). With
// --output-watch-events it says which of the three.
class WatchPrinter {
 public:
  WatchPrinter(const Options& options, std::ostream& out) : options_(options), out_(out) {}

  // Shows what became different since the last call.
  void Update(const Listing& listing);

 private:
  void PrintFirst(const Listing& listing);
  void Print(const Listing& listing, const char* event, const Json& object);
  Table::Cells WithEvent(const char* event, Table::Cells cells) const;

  const Options& options_;
  std::ostream& out_;
  Table table_;
  bool first_ = true;
  absl::btree_map<std::string, Json> seen_;  // by identity
};

}  // namespace shunt

#endif  // SHUNT_CLI_WATCH_H_
