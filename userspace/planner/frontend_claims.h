// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_PLANNER_FRONTEND_CLAIMS_H_
#define SHUNT_PLANNER_FRONTEND_CLAIMS_H_

#include <compare>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "userspace/model/object.h"
#include "userspace/state/datapath_state.h"

namespace shunt {

// A Service that wants frontends. The smaller one has the older right: by
// creation time (none is older than any), then by name.
struct Claimant {
  absl::Time created = absl::InfinitePast();
  NamespacedName service;

  friend auto operator<=>(const Claimant& a, const Claimant& b) {
    return a.created < b.created   ? std::strong_ordering::less
           : b.created < a.created ? std::strong_ordering::greater
                                   : a.service <=> b.service;
  }
  friend bool operator==(const Claimant&, const Claimant&) = default;
};

// That a Service wants a frontend, and as what. The smaller one has the right:
// by kind, then by claimant.
struct FrontendClaim {
  shunt_frontend_kind kind = SHUNT_CLUSTER_IP;
  const Claimant* claimant = nullptr;  // null: nobody

  friend bool operator==(const FrontendClaim&, const FrontendClaim&) = default;
};

// Who wants which frontend, and who has it: of several the one with the oldest
// right, whatever the order of their coming. A Service claims a frontend once.
// Keeps pointers to claimants, which stay unchanged while they claim something.
// Used by one thread.
class FrontendClaims {
 public:
  // Both return whether the frontend has another owner than before.
  bool Add(const FrontendKey& key, const FrontendClaim& claim);
  bool Remove(const FrontendKey& key, const FrontendClaim& claim);

  FrontendClaim OwnerOf(const FrontendKey& key) const;
  // All who want it, the owner first. Valid until the next change.
  absl::Span<const FrontendClaim> ClaimsTo(const FrontendKey& key) const;

 private:
  // Nearly always there is one.
  using Claims = absl::InlinedVector<FrontendClaim, 1>;

  absl::flat_hash_map<FrontendKey, Claims> claims_;
};

}  // namespace shunt

#endif  // SHUNT_PLANNER_FRONTEND_CLAIMS_H_
