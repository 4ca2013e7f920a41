// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_NODE_EVENTS_H_
#define SHUNT_SOURCES_KUBERNETES_NODE_EVENTS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "userspace/sources/kubernetes/backoff.h"
#include "userspace/sources/kubernetes/node_event.h"
#include "userspace/sources/kubernetes/transport.h"

namespace shunt {

// Tells the API server what happens on this node: one Event for each reason in
// ten minutes. A server that is away is told later; one that does not want to know
// is not asked again. Whoever records waits for nothing.
//
// Belongs to the thread of the transport, but for Record().
class NodeEvents : public AnswerReceiver {
 public:
  struct Parts {
    std::string node_name;
    ApiTransport& transport;
    std::function<absl::Time()> now;  // from any thread
    std::function<double()> random;   // between 0 and 1
    std::function<void()> wake;       // called by Record(): there is something to do
  };

  struct Status {
    uint64_t posted = 0;   // that the server has
    uint64_t refused = 0;  // that it did not want
  };

  explicit NodeEvents(Parts parts);
  ~NodeEvents() override;

  // From any thread.
  void Record(NodeEvent event) ABSL_LOCKS_EXCLUDED(mutex_);

  // Does what is due. Call it again at NextTick(), and after anything arrived.
  void Tick() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Time NextTick() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Nothing is left to be told.
  bool idle() const ABSL_LOCKS_EXCLUDED(mutex_);
  const Status& status() const { return status_; }

  void OnHead(const AnswerHead& head) override { head_ = head; }
  absl::Status OnBody(std::string_view piece) override;
  void OnEnd(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Recorded {
    NodeEvent event;
    absl::Time time;
  };

  void Refused();
  void TryAgain(Recorded recorded, absl::Duration wait) ABSL_LOCKS_EXCLUDED(mutex_);

  const Parts parts_;
  Backoff backoff_;
  absl::Time resume_at_ = absl::InfinitePast();
  bool logged_refusal_ = false;
  Status status_;

  // The current request.
  std::optional<Recorded> posting_;
  uint64_t request_ = 0;
  AnswerHead head_;
  std::string body_;

  mutable absl::Mutex mutex_;
  std::map<std::string, absl::Time> recorded_ ABSL_GUARDED_BY(mutex_);  // last, by reason
  std::map<std::string, Recorded> waiting_ ABSL_GUARDED_BY(mutex_);     // by reason: bounded
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_NODE_EVENTS_H_
