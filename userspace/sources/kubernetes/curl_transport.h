// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_CURL_TRANSPORT_H_
#define SHUNT_SOURCES_KUBERNETES_CURL_TRANSPORT_H_

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "userspace/base/unique_fd.h"
#include "userspace/sources/kubernetes/api_servers.h"
#include "userspace/sources/kubernetes/credentials.h"
#include "userspace/sources/kubernetes/curl_transfer.h"
#include "userspace/sources/kubernetes/transport.h"

namespace shunt {

// Requests to the current API server with libcurl's multi interface: HTTP/2, all
// streams over one connection, TLS always verified. Belongs to one thread, but for
// Wake().
//
// libcurl's own keep-alive does nothing for a multi handle and waits for no
// answer, so a connection on which nothing came for a while is tried with a
// request, and closed when that is not answered.
class CurlTransport : public ApiTransport {
 public:
  struct Parts {
    ApiServers& servers;
    CredentialStore& credentials;
    std::string user_agent;
    std::function<void(const AnswerKey&)> on_answer;  // one began, or will not come
    absl::Duration probe_limit = absl::Seconds(10);   // to answer, when a connection was silent
  };

  explicit CurlTransport(Parts parts);
  ~CurlTransport() override;

  // Waits until something arrived, somebody woke it or `limit` has passed, and
  // tells the receivers.
  void Run(absl::Duration limit);
  // From any thread.
  void Wake();
  // Does what is due at `now`; call it again at the time that it returns.
  absl::Time Tick(absl::Time now);

  uint64_t Start(const ApiRequest& request, AnswerReceiver& receiver) override;
  void Cancel(uint64_t request) override;
  void Unauthorized() override { parts_.credentials.Expire(); }

 private:
  class Probe;

  void TakeCredentials();
  void TakeAnswers();
  void End(CURL* easy, CURLcode result);
  void EndAll(const absl::Status& reason);
  void StartProbe();
  void OnProbeEnd(const absl::Status& status);

  const Parts parts_;
  const UniqueFd wake_;
  CURLM* multi_ = nullptr;
  std::map<uint64_t, std::unique_ptr<CurlTransfer>> transfers_;
  std::map<uint64_t, AnswerReceiver*> unsent_;  // for want of credentials
  std::shared_ptr<const Credentials> used_;     // null: there are none yet
  uint64_t last_id_ = 0;
  absl::Time heard_ = absl::InfinitePast();  // anything, on any stream

  std::unique_ptr<Probe> probe_;  // while one runs
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_CURL_TRANSPORT_H_
