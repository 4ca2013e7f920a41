// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/curl_transport.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace shunt {
namespace {

// Bookmarks come every minute on each stream; after that long without any byte
// the connection is tried.
constexpr absl::Duration kSilence = absl::Seconds(80);

void InitCurlOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(result);
}

// A server that is up and cannot answer: another one may. That it cannot write (a
// full database) says nothing of how it reads.
bool IsServersFault(const AnswerKey& answer) {
  const int code = answer.code;
  return code == 0 || (answer.method == "GET" && (code == 500 || code == 502 || code == 503));
}

}  // namespace

// Any answer at all is a sign of life, also that we may not ask.
class CurlTransport::Probe : public AnswerReceiver {
 public:
  explicit Probe(CurlTransport& transport) : transport_(transport) {}

  void OnHead(const AnswerHead&) override {}
  absl::Status OnBody(std::string_view) override { return absl::OkStatus(); }
  void OnEnd(const absl::Status& status) override { transport_.OnProbeEnd(status); }

 private:
  CurlTransport& transport_;
};

CurlTransport::CurlTransport(Parts parts)
    : parts_(std::move(parts)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  InitCurlOnce();
  multi_ = curl_multi_init();
}

CurlTransport::~CurlTransport() {
  for (const auto& [id, transfer] : transfers_) curl_multi_remove_handle(multi_, transfer->easy());
  transfers_.clear();
  curl_multi_cleanup(multi_);
}

void CurlTransport::Wake() { eventfd_write(wake_.get(), 1); }

void CurlTransport::Run(absl::Duration limit) {
  curl_waitfd wake = {.fd = wake_.get(), .events = CURL_WAIT_POLLIN, .revents = 0};
  if (!unsent_.empty()) limit = absl::ZeroDuration();
  const int64_t wait = std::clamp<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(limit, absl::Milliseconds(1))), 0, 600'000);
  curl_multi_poll(multi_, &wake, 1, static_cast<int>(wait), nullptr);
  eventfd_t count;
  eventfd_read(wake_.get(), &count);
  int running = 0;
  curl_multi_perform(multi_, &running);
  TakeAnswers();
}

absl::Time CurlTransport::Tick(absl::Time now) {
  TakeCredentials();
  if (transfers_.empty()) return absl::InfiniteFuture();
  if (probe_ == nullptr && now >= heard_ + kSilence) StartProbe();
  return probe_ == nullptr ? heard_ + kSilence : absl::InfiniteFuture();
}

// New credentials count for new requests; another certificate of ours, for
// which a connection was made, needs another connection.
void CurlTransport::TakeCredentials() {
  const auto credentials = parts_.credentials.Get();
  if (!credentials.ok()) return;
  const bool is_another = used_ != nullptr && (*credentials)->certificate != used_->certificate;
  used_ = *credentials;
  if (is_another) EndAll(absl::UnavailableError("the client certificate was replaced"));
}

uint64_t CurlTransport::Start(const ApiRequest& request, AnswerReceiver& receiver) {
  ++last_id_;
  if (used_ == nullptr) {
    unsent_.emplace(last_id_, &receiver);
    return last_id_;
  }
  if (transfers_.empty()) heard_ = absl::Now();
  const ServerAddress& server = parts_.servers.Current();
  CurlTransfer::Parts parts = {.id = last_id_,
                               .server = server,
                               .credentials = used_,
                               .config = parts_.credentials.config(),
                               .user_agent = parts_.user_agent,
                               .receiver = receiver,
                               .heard = heard_,
                               .on_head = parts_.on_answer};
  auto transfer = std::make_unique<CurlTransfer>(std::move(parts), request);
  curl_multi_add_handle(multi_, transfer->easy());
  transfers_.emplace(last_id_, std::move(transfer));
  return last_id_;
}

void CurlTransport::Cancel(uint64_t request) {
  unsent_.erase(request);
  const auto transfer = transfers_.find(request);
  if (transfer == transfers_.end()) return;
  curl_multi_remove_handle(multi_, transfer->second->easy());
  transfers_.erase(transfer);
}

void CurlTransport::TakeAnswers() {
  for (const auto& [id, receiver] : std::exchange(unsent_, {})) {
    const auto credentials = parts_.credentials.Get();
    receiver->OnEnd(credentials.ok() ? absl::UnavailableError("credentials came too late")
                                     : credentials.status());
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) End(message->easy_handle, message->data.result);
  }
}

void CurlTransport::End(CURL* easy, CURLcode result) {
  CurlTransfer* ended = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &ended);
  const auto node = transfers_.extract(ended->id());
  const std::unique_ptr<CurlTransfer>& transfer = node.mapped();
  curl_multi_remove_handle(multi_, easy);
  const AnswerKey& answer = transfer->answer();
  if (answer.code == 0) parts_.on_answer(answer);
  if (IsServersFault(answer)) parts_.servers.Failed(transfer->server());
  // What does not fit may be a file of ours that was replaced.
  if (CurlTransfer::IsTlsError(result)) parts_.credentials.Expire();
  transfer->receiver().OnEnd(transfer->StatusOf(result));
}

// The connections go with the multi handle: of one that is dead nobody else
// must take over.
void CurlTransport::EndAll(const absl::Status& reason) {
  const auto transfers = std::exchange(transfers_, {});
  for (const auto& [id, transfer] : transfers) curl_multi_remove_handle(multi_, transfer->easy());
  curl_multi_cleanup(multi_);
  multi_ = curl_multi_init();
  for (const auto& [id, transfer] : transfers) transfer->receiver().OnEnd(reason);
}

void CurlTransport::StartProbe() {
  probe_ = std::make_unique<Probe>(*this);
  Start({.target = "/livez", .time_limit = parts_.probe_limit}, *probe_);
}

void CurlTransport::OnProbeEnd(const absl::Status& status) {
  const std::unique_ptr<Probe> ended = std::move(probe_);
  if (status.ok() || transfers_.empty()) return;
  parts_.servers.Failed(transfers_.begin()->second->server());
  EndAll(absl::UnavailableError("the connection is dead: nothing came, nor an answer to /livez"));
}

}  // namespace shunt
