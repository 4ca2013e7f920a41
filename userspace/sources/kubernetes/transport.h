// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_TRANSPORT_H_
#define SHUNT_SOURCES_KUBERNETES_TRANSPORT_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace shunt {

// A request to whichever API server is asked at the moment.
struct ApiRequest {
  std::string target;                                    // "/api/v1/services?watch=1"
  std::string body;                                      // JSON to POST; "" for a GET
  bool accepts_protobuf = true;                          // else JSON only
  absl::Duration time_limit = absl::InfiniteDuration();  // for the whole answer

  std::string_view Method() const { return body.empty() ? "GET" : "POST"; }
};

struct AnswerHead {
  int code = 0;  // HTTP's
  std::string content_type;
  int64_t retry_after_s = 0;  // 0: it does not say
};

// By what answers are counted.
struct AnswerKey {
  std::string host;
  std::string_view method;
  int code = 0;  // 0: nobody answered

  friend auto operator<=>(const AnswerKey&, const AnswerKey&) = default;
};

// Who wants an answer. All calls come from the thread of the transport.
class AnswerReceiver {
 public:
  virtual ~AnswerReceiver() = default;

  virtual void OnHead(const AnswerHead& head) = 0;
  // An error ends the answer.
  virtual absl::Status OnBody(std::string_view piece) = 0;
  // The last call: the answer is complete, or why it is not (Unavailable where
  // nobody answered at all, or what OnBody() returned).
  virtual void OnEnd(const absl::Status& status) = 0;
};

// How requests reach the API server: a seam, so that what is decided by time and
// by answers can be tested without either. Belongs to one thread.
class ApiTransport {
 public:
  virtual ~ApiTransport() = default;

  // The receiver outlives the request. No call of it comes from within.
  virtual uint64_t Start(const ApiRequest& request, AnswerReceiver& receiver) = 0;
  // After it the receiver hears no more. Not from within a call of a receiver.
  virtual void Cancel(uint64_t request) = 0;
  // Our credentials were refused: the next request ought to have fresh ones.
  virtual void Unauthorized() = 0;
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_TRANSPORT_H_
