// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_SOURCES_KUBERNETES_CURL_TRANSFER_H_
#define SHUNT_SOURCES_KUBERNETES_CURL_TRANSFER_H_

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "userspace/sources/kubernetes/api_servers.h"
#include "userspace/sources/kubernetes/credentials.h"
#include "userspace/sources/kubernetes/transport.h"

namespace shunt {

// One request on its way: an easy handle with all that it points to.
class CurlTransfer {
 public:
  struct Parts {
    uint64_t id = 0;
    ServerAddress server;
    std::shared_ptr<const Credentials> credentials;
    const ClientConfig& config;
    const std::string& user_agent;
    AnswerReceiver& receiver;
    absl::Time& heard;  // set whenever something arrives
    std::function<void(const AnswerKey&)> on_head;
  };

  CurlTransfer(Parts parts, const ApiRequest& request);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* easy() const { return easy_; }
  uint64_t id() const { return parts_.id; }
  const ServerAddress& server() const { return parts_.server; }
  AnswerReceiver& receiver() const { return parts_.receiver; }
  const AnswerKey& answer() const { return answer_; }  // as far as there is one

  // Whether certificates or keys are why nobody answered.
  static bool IsTlsError(CURLcode result);
  // What became of it.
  absl::Status StatusOf(CURLcode result) const;

 private:
  void SetTarget(const ApiRequest& request);
  void SetConnection(const ApiRequest& request);
  void SetTls();
  void SetHeaders(const ApiRequest& request);
  void SetBody(const ApiRequest& request);
  void SetCallbacks();
  void AddHeader(const std::string& header);
  void OnHeader(std::string_view line);

  static size_t HeaderCallback(char* data, size_t size, size_t count, void* self);
  static size_t BodyCallback(char* data, size_t size, size_t count, void* self);
  static int SocketCallback(void* self, curl_socket_t socket, curlsocktype purpose);

  const Parts parts_;
  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  AnswerHead head_;
  AnswerKey answer_;
  absl::Status refused_;  // by the receiver
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace shunt

#endif  // SHUNT_SOURCES_KUBERNETES_CURL_TRANSFER_H_
