// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_REFLECTOR_H_
#define SHUNT_SOURCES_KUBERNETES_REFLECTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/sources/kubernetes/api_decoder.h"
#include "userspace/sources/kubernetes/backoff.h"
#include "userspace/sources/kubernetes/resource_table.h"
#include "userspace/sources/kubernetes/transport.h"

namespace shunt {

// Keeps the table of one resource as the API server has it: lists it, follows
// it, and knows what to do about each way in which either can fail. README.md has
// the table of those.
//
// It waits for nothing: it is told what arrived (AnswerReceiver) and that time
// has passed (Tick). Belongs to the thread of the transport.
class Reflector : public AnswerReceiver {
 public:
  struct Parts {
    Resource resource;
    ApiTransport& transport;
    ResourceTable& table;
    std::function<absl::Time()> now;
    std::function<double()> random;  // between 0 and 1
    bool doubts_lists = true;        // ResourceTable::Replaced::kUnlikely is looked at again
  };

  struct Status {
    bool listed = false;                      // once, since the start
    bool following = false;                   // a watch is open, and it tells what happens
    absl::Time heard = absl::InfinitePast();  // the last list, event or bookmark
    std::string error;                        // what went wrong last; "" since all is well
    uint64_t lists = 0, watches = 0;          // that were begun
    uint64_t doubted = 0;                     // lists that were too empty to be believed
  };

  explicit Reflector(Parts parts);
  ~Reflector() override;

  // Does what is due. Call it again at NextTick(), and after anything arrived.
  void Tick();
  absl::Time NextTick() const;

  // A list that is refused for good (403, 404) counts as listed, and is asked
  // for again now and then: for a Node that is not there or not ours to see.
  void CountRefusalAsListed() { refusal_is_listed_ = true; }

  const Status& status() const { return status_; }

  void OnHead(const AnswerHead& head) override;
  absl::Status OnBody(std::string_view piece) override;
  void OnEnd(const absl::Status& status) override;

 private:
  enum class Phase {
    kWaiting,    // until resume_at_
    kListing,    // LIST, perhaps in pages
    kStreaming,  // WatchList: what is there comes as events, and then what happens
    kWatching,   // what happens
  };

  // Requests.
  void Begin();
  void StartList();
  void StartWatch(bool with_initial_events);
  void Start(Phase phase, const std::string& query, absl::Duration time_limit);
  std::string Selectors() const;

  // What arrives.
  absl::Status OnFrame(std::string_view frame);
  absl::Status OnEvent(WatchEvent event);
  absl::Status OnBookmark(const WatchEvent& event);
  absl::Status Advance(const std::string& version);
  absl::Status FinishPage();
  // All that is there has been told; kUnlikely sends for it a second time.
  void FinishList(const std::string& version);
  void OnStreamEnd();

  // What fails.
  void OnRefusal(const ApiStatus& refusal);
  bool OnRefusedForm(const ApiStatus& refusal);
  void OnBroken(const absl::Status& status);
  void OnSilence();
  void Fail(std::string error, absl::Duration wait);
  void Resume(absl::Duration wait);
  absl::Time Deadline() const;

  const Parts parts_;
  Backoff backoff_;
  bool refusal_is_listed_ = false;

  Phase phase_ = Phase::kWaiting;
  absl::Time resume_at_ = absl::InfinitePast();

  // What the next request is to be.
  bool needs_list_ = true;
  bool from_scratch_ = false;  // the newest state that there is, whatever was known
  bool plain_list_ = false;    // LIST instead of WatchList, for this time
  bool without_pages_ = false;
  bool confirming_ = false;  // looks a second time, because the first was unlikely
  bool json_only_ = false;
  bool without_field_selector_ = false;
  std::string version_;  // resourceVersion up to which all is known
  std::string continue_token_;
  size_t pages_ = 0;  // of the list that is read
  absl::Time listed_at_ = absl::InfinitePast();

  // The current request.
  uint64_t request_ = 0;
  absl::Time started_, heard_;
  AnswerHead head_;
  std::unique_ptr<ApiDecoder> decoder_;
  std::unique_ptr<Framer> framer_;
  std::string body_;                  // of a list, or of a refusal
  std::optional<ApiStatus> refusal_;  // an ERROR event
  std::vector<ApiChange> changes_;    // not yet in the table

  Status status_;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_REFLECTOR_H_
