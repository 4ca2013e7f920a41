// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/node_events.h"

#include <algorithm>
#include <utility>

#include "userspace/sources/kubernetes/refusal.h"
#include "userspace/telemetry/logging.h"

namespace shunt {
namespace {

constexpr char kTarget[] = "/apis/events.k8s.io/v1/namespaces/default/events";
// Of one reason. Thousands of nodes may have the same trouble.
constexpr absl::Duration kApart = absl::Minutes(10);
constexpr absl::Duration kTimeLimit = absl::Seconds(30);
constexpr size_t kMostRefusalBytes = 64 << 10;

// Not now, but later.
bool IsPassing(int code) { return code == 0 || code == 401 || code == 429 || code >= 500; }

}  // namespace

NodeEvents::NodeEvents(Parts parts) : parts_(std::move(parts)), backoff_(parts_.random) {}

NodeEvents::~NodeEvents() {
  if (posting_) parts_.transport.Cancel(request_);
}

void NodeEvents::Record(NodeEvent event) {
  const absl::Time now = parts_.now();
  {
    absl::MutexLock lock(&mutex_);
    const auto last = recorded_.find(event.reason);
    if (last != recorded_.end() && now - last->second < kApart) return;
    recorded_[event.reason] = now;
    std::string reason = event.reason;
    waiting_.insert_or_assign(std::move(reason), Recorded{std::move(event), now});
  }
  parts_.wake();
}

void NodeEvents::Tick() {
  if (posting_ || parts_.now() < resume_at_) return;
  {
    absl::MutexLock lock(&mutex_);
    if (waiting_.empty()) return;
    posting_ = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
  }
  head_ = {};
  body_.clear();
  request_ = parts_.transport.Start(
      {.target = kTarget,
       .body = NodeEventJson(posting_->event, parts_.node_name, posting_->time),
       .accepts_protobuf = false,
       .time_limit = kTimeLimit},
      *this);
}

absl::Time NodeEvents::NextTick() const {
  return posting_ || idle() ? absl::InfiniteFuture() : resume_at_;
}

bool NodeEvents::idle() const {
  absl::MutexLock lock(&mutex_);
  return !posting_ && waiting_.empty();
}

absl::Status NodeEvents::OnBody(std::string_view piece) {
  body_.append(piece.substr(0, kMostRefusalBytes - std::min(body_.size(), kMostRefusalBytes)));
  return absl::OkStatus();
}

void NodeEvents::OnEnd(const absl::Status& status) {
  Recorded recorded = *std::exchange(posting_, std::nullopt);
  if (head_.code == 401) parts_.transport.Unauthorized();
  if (!status.ok() || IsPassing(head_.code)) {
    return TryAgain(std::move(recorded),
                    std::max(RetryAfter(ReadRefusal(head_, body_)), backoff_.Next(parts_.now())));
  }
  // 409: it has one of this reason and these ten minutes, from who ran before us.
  if (head_.code >= 300 && head_.code != 409) return Refused();
  ++status_.posted;
  logged_refusal_ = false;
}

// Also by a server without that API. Traffic does not depend on it.
void NodeEvents::Refused() {
  ++status_.refused;
  if (std::exchange(logged_refusal_, true)) return;
  LogWarning("the API server refuses Events about this node",
             {{"err", RefusalText(ReadRefusal(head_, body_))}});
}

// Unless there is a newer one of the same reason.
void NodeEvents::TryAgain(Recorded recorded, absl::Duration wait) {
  resume_at_ = parts_.now() + wait;
  absl::MutexLock lock(&mutex_);
  std::string reason = recorded.event.reason;
  waiting_.emplace(std::move(reason), std::move(recorded));
}

}  // namespace shunt
