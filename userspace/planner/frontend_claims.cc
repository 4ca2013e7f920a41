// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/frontend_claims.h"

#include <algorithm>

namespace shunt {
namespace {

bool IsOlder(const Claimant* a, const Claimant* b) { return *a < *b; }

}  // namespace

bool FrontendClaims::Add(const FrontendKey& key, const Claimant* claimant) {
  Claimants& claimants = claimants_[key];
  const auto place = std::lower_bound(claimants.begin(), claimants.end(), claimant, IsOlder);
  const bool is_owner = place == claimants.begin();
  claimants.insert(place, claimant);
  return is_owner;
}

bool FrontendClaims::Remove(const FrontendKey& key, const Claimant* claimant) {
  const auto entry = claimants_.find(key);
  if (entry == claimants_.end()) {
    return false;
  }
  Claimants& claimants = entry->second;
  const auto place = std::find(claimants.begin(), claimants.end(), claimant);
  if (place == claimants.end()) {
    return false;
  }
  const bool was_owner = place == claimants.begin();
  claimants.erase(place);
  if (claimants.empty()) {
    claimants_.erase(entry);
  }
  return was_owner;
}

const Claimant* FrontendClaims::OwnerOf(const FrontendKey& key) const {
  const auto entry = claimants_.find(key);
  return entry == claimants_.end() ? nullptr : entry->second.front();
}

absl::Span<const Claimant* const> FrontendClaims::ClaimantsOf(const FrontendKey& key) const {
  const auto entry = claimants_.find(key);
  return entry == claimants_.end() ? absl::Span<const Claimant* const>() : entry->second;
}

}  // namespace shunt
