// SPDX-License-Identifier: Apache-2.0
#include "userspace/planner/frontend_claims.h"

#include <algorithm>

namespace shunt {
namespace {

bool HasMoreRight(const FrontendClaim& a, const FrontendClaim& b) {
  return a.kind != b.kind ? a.kind < b.kind : *a.claimant < *b.claimant;
}

}  // namespace

bool FrontendClaims::Add(const FrontendKey& key, const FrontendClaim& claim) {
  Claims& claims = claims_[key];
  const auto place = std::lower_bound(claims.begin(), claims.end(), claim, HasMoreRight);
  const bool is_owner = place == claims.begin();
  claims.insert(place, claim);
  return is_owner;
}

bool FrontendClaims::Remove(const FrontendKey& key, const FrontendClaim& claim) {
  const auto entry = claims_.find(key);
  if (entry == claims_.end()) {
    return false;
  }
  Claims& claims = entry->second;
  const auto place = std::find(claims.begin(), claims.end(), claim);
  if (place == claims.end()) {
    return false;
  }
  const bool was_owner = place == claims.begin();
  claims.erase(place);
  if (claims.empty()) {
    claims_.erase(entry);
  }
  return was_owner;
}

FrontendClaim FrontendClaims::OwnerOf(const FrontendKey& key) const {
  const auto entry = claims_.find(key);
  return entry == claims_.end() ? FrontendClaim{} : entry->second.front();
}

absl::Span<const FrontendClaim> FrontendClaims::ClaimsTo(const FrontendKey& key) const {
  const auto entry = claims_.find(key);
  return entry == claims_.end() ? absl::Span<const FrontendClaim>() : entry->second;
}

}  // namespace shunt
