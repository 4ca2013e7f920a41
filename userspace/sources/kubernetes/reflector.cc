// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/reflector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "userspace/base/quote.h"
#include "userspace/base/status.h"
#include "userspace/sources/kubernetes/refusal.h"
#include "userspace/sources/kubernetes/resource_version.h"
#include "userspace/sources/kubernetes/url.h"

namespace shunt {
namespace {

// The server ends a watch after a time that the client chooses: five to ten
// minutes, as client-go does, so that load moves to servers that came back.
constexpr absl::Duration kShortestWatch = absl::Minutes(5);
// What it may be late.
constexpr absl::Duration kPatienceAfterEnd = absl::Seconds(30);
// Bookmarks come every minute. A watch at a version that the server does not know
// yet (its database is a restored backup) is accepted and stays silent.
constexpr absl::Duration kSilentWatch = absl::Seconds(150);
// Of a list, or of what a WatchList begins with.
constexpr absl::Duration kSilentList = absl::Seconds(60);
// A watch that ends sooner failed, whatever it says.
constexpr absl::Duration kVeryShortWatch = absl::Seconds(1);

// One that was open for so long shows that the server is back, and its next outage is
// a new one. client-go goes on with the long waits until nothing has failed for two
// minutes, and so after two restarts of a server is half a minute late. A server
// that ends each watch after this time is asked less often than once in it.
constexpr absl::Duration kGoodWatch = absl::Seconds(30);

// A watch that is expired is followed by a list at once, unless there was one
// just now.
constexpr absl::Duration kListsApart = absl::Seconds(30);

constexpr int kPageSize = 500;
// More than any cluster has: a list that never ends must not fill the memory.
constexpr size_t kMostObjects = 2'000'000;
constexpr size_t kMostPages = kMostObjects / kPageSize;
constexpr size_t kMostListBytes = 512 << 20;
constexpr size_t kMostRefusalBytes = 1 << 20;

}  // namespace

Reflector::Reflector(Parts parts) : parts_(std::move(parts)), backoff_(parts_.random) {}

Reflector::~Reflector() {
  if (phase_ != Phase::kWaiting) parts_.transport.Cancel(request_);
}

void Reflector::Tick() {
  const absl::Time now = parts_.now();
  if (now < NextTick()) return;
  if (phase_ == Phase::kWaiting) {
    Begin();
  } else {
    OnSilence();
  }
}

absl::Time Reflector::NextTick() const {
  return phase_ == Phase::kWaiting ? resume_at_ : Deadline();
}

absl::Time Reflector::Deadline() const {
  return heard_ + (phase_ == Phase::kWatching ? kSilentWatch : kSilentList);
}

void Reflector::Begin() {
  if (!needs_list_) {
    StartWatch(false);
  } else if (plain_list_) {
    StartList();
  } else {
    StartWatch(true);
  }
}

std::string Reflector::Selectors() const {
  const Resource& resource = parts_.resource;
  std::string query;
  if (!resource.label_selector.empty()) {
    absl::StrAppend(&query, "&labelSelector=", UrlEncoded(resource.label_selector));
  }
  if (!resource.field_selector.empty() && !without_field_selector_) {
    absl::StrAppend(&query, "&fieldSelector=", UrlEncoded(resource.field_selector));
  }
  return query;
}

void Reflector::StartList() {
  // From the server's cache the first time, and then never older than what is
  // known; only the newest state of all is worth pages (the cache has none).
  std::string query;
  if (!from_scratch_) {
    query = absl::StrCat("resourceVersion=", version_.empty() ? "0" : UrlEncoded(version_));
  } else if (!without_pages_) {
    query = absl::StrCat("limit=", kPageSize);
  }
  if (!continue_token_.empty()) absl::StrAppend(&query, "&continue=", UrlEncoded(continue_token_));
  Start(Phase::kListing, query, absl::InfiniteDuration());
}

void Reflector::StartWatch(bool with_initial_events) {
  const absl::Duration length = kShortestWatch * (1 + parts_.random());
  std::string query = absl::StrCat("watch=1&allowWatchBookmarks=true&timeoutSeconds=",
                                   absl::ToInt64Seconds(length));
  if (with_initial_events) {
    absl::StrAppend(&query, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  }
  if (!version_.empty() && !(with_initial_events && from_scratch_)) {
    absl::StrAppend(&query, "&resourceVersion=", UrlEncoded(version_));
  }
  ++status_.watches;
  Start(with_initial_events ? Phase::kStreaming : Phase::kWatching, query,
        length + kPatienceAfterEnd);
}

void Reflector::Start(Phase phase, const std::string& query, absl::Duration time_limit) {
  if (needs_list_ && continue_token_.empty()) {
    ++status_.lists;
    changes_.clear();
    pages_ = 0;
  }
  phase_ = phase;
  started_ = heard_ = parts_.now();
  head_ = {};
  decoder_ = nullptr;
  framer_ = nullptr;
  body_.clear();
  refusal_.reset();
  request_ =
      parts_.transport.Start({.target = absl::StrCat(parts_.resource.path, "?", query, Selectors()),
                              .accepts_protobuf = !json_only_,
                              .time_limit = time_limit},
                             *this);
}

void Reflector::OnHead(const AnswerHead& head) {
  head_ = head;
  heard_ = parts_.now();
  if (phase_ != Phase::kWatching || head.code != 200) return;
  status_.following = true;
  status_.error.clear();
}

absl::Status Reflector::OnBody(std::string_view piece) {
  if (head_.code != 200) {
    body_.append(piece.substr(0, kMostRefusalBytes - std::min(body_.size(), kMostRefusalBytes)));
    return absl::OkStatus();
  }
  if (decoder_ == nullptr) {
    SHUNT_ASSIGN_OR_RETURN(decoder_, ApiDecoder::For(head_.content_type, parts_.resource));
    framer_ = decoder_->NewFramer();
  }
  if (phase_ == Phase::kListing) {
    heard_ = parts_.now();
    if (body_.size() + piece.size() > kMostListBytes) {
      return absl::ResourceExhaustedError("a list larger than 512 MiB");
    }
    body_.append(piece);
    return absl::OkStatus();
  }
  const absl::Status status =
      framer_->Feed(piece, [this](std::string_view frame) { return OnFrame(frame); });
  // What came before the error counts.
  if (phase_ == Phase::kWatching) parts_.table.Update(std::exchange(changes_, {}));
  return status;
}

absl::Status Reflector::OnFrame(std::string_view frame) {
  SHUNT_ASSIGN_OR_RETURN(WatchEvent event, decoder_->DecodeEvent(frame));
  return OnEvent(std::move(event));
}

absl::Status Reflector::OnEvent(WatchEvent event) {
  heard_ = status_.heard = parts_.now();
  if (event.type == WatchEvent::Type::kError) {
    refusal_ = std::move(event.status);
    return absl::AbortedError("the server ended the watch");
  }
  if (event.type == WatchEvent::Type::kBookmark) return OnBookmark(event);
  if (phase_ == Phase::kWatching) {
    SHUNT_RETURN_IF_ERROR(Advance(event.object.resource_version));
  }
  if (changes_.size() > kMostObjects) return absl::ResourceExhaustedError("events without end");
  changes_.push_back(
      {.object = std::move(event.object), .is_deleted = event.type == WatchEvent::Type::kDeleted});
  return absl::OkStatus();
}

absl::Status Reflector::OnBookmark(const WatchEvent& event) {
  const std::string& version = event.object.resource_version;
  if (phase_ == Phase::kWatching) return Advance(version);
  if (event.ends_initial_events) {
    if (version.empty()) return absl::DataLossError("a bookmark without a resourceVersion");
    FinishList(version);
    if (needs_list_) return absl::AbortedError(status_.error);  // a second look
    phase_ = Phase::kWatching;
  }
  return absl::OkStatus();
}

// A watch only goes forward. One that does not is of a server that knows less than we
// do, or whose history is another one: a list tells which.
absl::Status Reflector::Advance(const std::string& version) {
  if (version.empty()) return absl::OkStatus();
  if (IsOlder(version, version_)) {
    return absl::DataLossError(absl::StrCat("a watch went back in time, from ", Quoted(version_),
                                            " to ", Quoted(version)));
  }
  version_ = version;
  return absl::OkStatus();
}

void Reflector::OnEnd(const absl::Status& status) {
  status_.following = false;
  if (phase_ == Phase::kWatching && head_.code == 200 && parts_.now() - started_ >= kGoodWatch) {
    backoff_.Forget();
  }
  if (refusal_) return OnRefusal(*refusal_);
  if (head_.code != 0 && head_.code != 200) return OnRefusal(ReadRefusal(head_, body_));
  if (confirming_ && absl::IsAborted(status)) return Resume(absl::ZeroDuration());
  if (!status.ok()) return OnBroken(status);
  if (phase_ != Phase::kListing) return OnStreamEnd();
  if (absl::Status page = FinishPage(); !page.ok()) OnBroken(page);
}

absl::Status Reflector::FinishPage() {
  if (decoder_ == nullptr) return absl::DataLossError("an empty answer");
  SHUNT_ASSIGN_OR_RETURN(const ListMeta meta, decoder_->DecodeList(body_, [this](ApiObject object) {
    changes_.push_back({.object = std::move(object)});
  }));
  body_ = {};
  if (meta.resource_version.empty()) return absl::DataLossError("a list without resourceVersion");
  if (!meta.continue_token.empty() &&
      (meta.continue_token == continue_token_ || ++pages_ > kMostPages)) {
    return absl::DataLossError("a list without end");
  }
  continue_token_ = meta.continue_token;
  if (continue_token_.empty()) FinishList(meta.resource_version);
  Resume(absl::ZeroDuration());
  return absl::OkStatus();
}

void Reflector::FinishList(const std::string& version) {
  status_.heard = parts_.now();
  if (!from_scratch_ && IsOlder(version, version_)) {
    // Of a server that is behind. The newest state may be older, too: then it was
    // restored, and counts.
    status_.error = absl::StrCat("a list of version ", Quoted(version), ", older than what is ",
                                 "known (", Quoted(version_), "); asking for the newest");
    changes_.clear();
    from_scratch_ = plain_list_ = true;
    return;
  }
  if (parts_.table.Replace(std::exchange(changes_, {}), confirming_ || !parts_.doubts_lists) ==
      ResourceTable::Replaced::kUnlikely) {
    ++status_.doubted;
    status_.error = "more than half of the objects are gone at once; looking a second time";
    confirming_ = from_scratch_ = plain_list_ = true;
    return;
  }
  version_ = version;
  listed_at_ = parts_.now();
  needs_list_ = from_scratch_ = plain_list_ = without_pages_ = confirming_ = false;
  status_.listed = true;
  status_.following = phase_ == Phase::kStreaming;
  status_.error.clear();
}

void Reflector::OnStreamEnd() {
  if (!framer_ || framer_->AtBoundary()) {
    if (phase_ == Phase::kStreaming) {
      return OnBroken(absl::UnavailableError("it ended before it had told what is there"));
    }
    if (parts_.now() - started_ >= kVeryShortWatch) return Resume(absl::ZeroDuration());
    return Fail("a watch ended within a second", backoff_.Next(parts_.now()));
  }
  OnBroken(absl::UnavailableError("it ended within an event"));
}

void Reflector::OnRefusal(const ApiStatus& refusal) {
  const std::string error = RefusalText(refusal);
  const absl::Duration wait = std::max(RetryAfter(refusal), backoff_.Next(parts_.now()));
  if (refusal.IsExpired() || refusal.version_too_large) {
    // What is known may still be asked for; if that is refused too, all. Pages
    // that expire while they are read are too many.
    const bool at_once =
        !needs_list_ && refusal.IsExpired() && parts_.now() - listed_at_ > kListsApart;
    if (needs_list_ || refusal.version_too_large) from_scratch_ = true;
    if (!continue_token_.empty()) without_pages_ = true;
    needs_list_ = true;
    continue_token_.clear();
    return Fail(error, at_once ? absl::ZeroDuration() : wait);
  }
  if (refusal.code == 429) return Fail(error, wait);
  if (refusal.code == 401) {
    parts_.transport.Unauthorized();
    return Fail(error, wait);
  }
  if (OnRefusedForm(refusal)) return;
  if (refusal.code == 403 || refusal.code == 404) {
    if (refusal_is_listed_) status_.listed = true;
    // A server that starts forbids everything until it has read who may do what.
    return Fail(error, wait);
  }
  continue_token_.clear();
  Fail(error, wait);
}

// Whether it was how we asked, and the next request asks in another way.
bool Reflector::OnRefusedForm(const ApiStatus& refusal) {
  if (!json_only_ && (refusal.code == 406 || refusal.code == 415)) {
    json_only_ = true;
  } else if (phase_ == Phase::kStreaming && refusal.code != 403 && refusal.code != 404) {
    plain_list_ = true;
  } else if (refusal.code == 400 && !without_field_selector_ &&
             !parts_.resource.field_selector.empty() && parts_.resource.kind != Kind::kNode) {
    without_field_selector_ = true;  // the decoder and the planner leave out the same
  } else {
    return false;
  }
  Resume(absl::ZeroDuration());
  return true;
}

void Reflector::OnBroken(const absl::Status& status) {
  if (phase_ == Phase::kStreaming && head_.code != 0) plain_list_ = true;
  // What cannot be read would come again from the same version.
  if (absl::IsDataLoss(status) || absl::IsResourceExhausted(status)) needs_list_ = true;
  continue_token_.clear();
  Fail(std::string(status.message()), backoff_.Next(parts_.now()));
}

void Reflector::OnSilence() {
  parts_.transport.Cancel(request_);
  status_.following = false;
  if (phase_ == Phase::kWatching) {
    needs_list_ = true;  // from version_: a server that does not have it says so
    return Fail("a watch without a sign of life", absl::ZeroDuration());
  }
  if (phase_ == Phase::kStreaming) plain_list_ = true;
  continue_token_.clear();
  Fail("no answer", backoff_.Next(parts_.now()));
}

void Reflector::Fail(std::string error, absl::Duration wait) {
  // That WatchList was no good does not mean that LIST is any better.
  if (phase_ == Phase::kListing && !confirming_) plain_list_ = false;
  status_.error = std::move(error);
  Resume(wait);
}

void Reflector::Resume(absl::Duration wait) {
  phase_ = Phase::kWaiting;
  resume_at_ = parts_.now() + wait;
}

}  // namespace shunt
