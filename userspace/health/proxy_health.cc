// SPDX-License-Identifier: Apache-2.0
#include "userspace/health/proxy_health.h"

#include "absl/strings/str_cat.h"

namespace shunt {
namespace {

// RFC 3339 as Go writes it: as many digits as there are.
std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

const char* BoolText(bool value) { return value ? "true" : "false"; }

HttpResponse Json(int code, std::string body) {
  return {.code = code,
          .headers = {{"Content-Type", "application/json"}, {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(body)};
}

}  // namespace

void ProxyHealth::Queued(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (last_updated_ && !oldest_queued_) oldest_queued_ = now;
}

void ProxyHealth::Updated(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  oldest_queued_.reset();
  last_updated_ = now;
}

void ProxyHealth::SetNodeEligible(bool eligible) {
  absl::MutexLock lock(&mutex_);
  node_eligible_ = eligible;
}

void ProxyHealth::SetTimeout(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  timeout_ = timeout;
}

bool ProxyHealth::HealthyAt(absl::Time now) const {
  return !oldest_queued_ || now - *oldest_queued_ < timeout_;
}

bool ProxyHealth::healthy(absl::Time now) const {
  absl::ReaderMutexLock lock(&mutex_);
  return HealthyAt(now);
}

bool ProxyHealth::serves_outside(absl::Time now) const { return serves_outside_ && healthy(now); }

HttpResponse ProxyHealth::Healthz(absl::Time now) const {
  absl::ReaderMutexLock lock(&mutex_);
  const bool eligible = node_eligible_ && serves_outside_;
  return Json(eligible && HealthyAt(now) ? 200 : 503, Body(now, eligible));
}

HttpResponse ProxyHealth::Livez(absl::Time now) const {
  absl::ReaderMutexLock lock(&mutex_);
  return Json(HealthyAt(now) ? 200 : 503, Body(now, std::nullopt));
}

std::string ProxyHealth::Body(absl::Time now, std::optional<bool> eligible) const {
  const bool healthy = HealthyAt(now);
  // In good health the time is now, as it was when kube-proxy wrote everything
  // anew every 30 s; probes rely on it.
  std::string body = absl::StrCat(R"({"lastUpdated":")", TimeText(healthy ? now : *last_updated_),
                                  R"(","currentTime":")", TimeText(now), "\"");
  if (eligible) absl::StrAppend(&body, ",\"nodeEligible\":", BoolText(*eligible));
  absl::StrAppend(&body, ",\"healthy\":", BoolText(healthy));
  if (last_updated_) {
    const std::string status = absl::StrCat(R"({"lastUpdated":")", TimeText(*last_updated_),
                                            R"(","healthy":)", BoolText(healthy), "}");
    absl::StrAppend(&body, R"(,"status":{"IPv4":)", status, R"(,"IPv6":)", status, "}");
  }
  return absl::StrCat(body, "}");
}

}  // namespace shunt
