// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_FAKE_TRANSPORT_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_FAKE_TRANSPORT_H_

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/sources/kubernetes/transport.h"

namespace shunt {

// An API server that the test plays, for one client with one request at a time.
class FakeTransport : public ApiTransport {
 public:
  uint64_t Start(const ApiRequest& request, AnswerReceiver& receiver) override {
    EXPECT_EQ(receiver_, nullptr) << "a request while one is answered";
    requests.push_back(request);
    receiver_ = &receiver;
    return requests.size();
  }
  void Cancel(uint64_t request) override {
    EXPECT_EQ(request, requests.size());
    receiver_ = nullptr;
    ++cancelled;
  }
  void Unauthorized() override { ++unauthorized; }

  // What the server does.
  void Head(int code, std::string type = "application/json", int64_t retry_after = 0) {
    receiver_->OnHead(
        {.code = code, .content_type = std::move(type), .retry_after_s = retry_after});
  }
  // As libcurl would, ends the request where the receiver does not want it.
  void Send(std::string_view body) {
    const absl::Status status = receiver_->OnBody(body);
    if (!status.ok()) End(status);
  }
  void End(const absl::Status& status = absl::OkStatus()) {
    AnswerReceiver* receiver = std::exchange(receiver_, nullptr);
    receiver->OnEnd(status);
  }
  void Answer(int code, std::string_view body, int64_t retry_after = 0) {
    Head(code, "application/json", retry_after);
    Send(body);
    if (receiver_ != nullptr) End();
  }

  bool open() const { return receiver_ != nullptr; }
  const std::string& target() const { return requests.back().target; }

  std::vector<ApiRequest> requests;
  int cancelled = 0;
  int unauthorized = 0;

 private:
  AnswerReceiver* receiver_ = nullptr;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_FAKE_TRANSPORT_H_
