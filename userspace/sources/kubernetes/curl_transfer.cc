// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/curl_transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "userspace/base/absl_view.h"

namespace shunt {
namespace {

// Until TCP and TLS are through.
constexpr long kConnectTimeoutMs = 10'000;
// What was sent and not acknowledged for so long ends the connection.
constexpr unsigned kUserTimeoutMs = 30'000;
constexpr long kKeepIdleSeconds = 15;
constexpr long kKeepIntervalSeconds = 5;

template <typename T>
void Set(CURL* easy, CURLoption option, T value) {
  curl_easy_setopt(easy, option, value);
}

// The text outlives the transfer.
void SetBlob(CURL* easy, CURLoption option, const std::string& text) {
  if (text.empty()) return;
  curl_blob blob = {
      .data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

CurlTransfer::CurlTransfer(Parts parts, const ApiRequest& request)
    : parts_(std::move(parts)),
      easy_(curl_easy_init()),
      answer_{.host = parts_.server.url.HostAndPort(), .method = request.Method()} {
  SetTarget(request);
  SetConnection(request);
  SetTls();
  SetBody(request);
  SetHeaders(request);
  SetCallbacks();
}

CurlTransfer::~CurlTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
}

void CurlTransfer::SetTarget(const ApiRequest& request) {
  const ServerUrl& dialled = parts_.server.url;
  ServerUrl named = dialled;
  if (!parts_.server.tls_name.empty()) named.host = parts_.server.tls_name;
  Set(easy_, CURLOPT_URL, absl::StrCat(named.ToString(), request.target).c_str());
  // There is no option for the name in the certificate: the URL has it, and the
  // connection goes elsewhere.
  if (named.host == dialled.host) return;
  connect_to_ = curl_slist_append(nullptr, absl::StrCat("::", dialled.HostAndPort()).c_str());
  Set(easy_, CURLOPT_CONNECT_TO, connect_to_);
}

void CurlTransfer::SetConnection(const ApiRequest& request) {
  Set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  Set(easy_, CURLOPT_PIPEWAIT, 1L);  // one connection for all, also when all begin at once
  Set(easy_, CURLOPT_NOSIGNAL, 1L);
  Set(easy_, CURLOPT_PROTOCOLS_STR, "https");
  Set(easy_, CURLOPT_FOLLOWLOCATION, 0L);  // credentials go nowhere else
  Set(easy_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  if (request.time_limit != absl::InfiniteDuration()) {
    Set(easy_, CURLOPT_TIMEOUT_MS,
        static_cast<long>(absl::ToInt64Milliseconds(request.time_limit)));
  }
  Set(easy_, CURLOPT_DNS_CACHE_TIMEOUT, 0L);  // a name may lead elsewhere after a failover
  Set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  Set(easy_, CURLOPT_TCP_KEEPIDLE, kKeepIdleSeconds);
  Set(easy_, CURLOPT_TCP_KEEPINTVL, kKeepIntervalSeconds);
  Set(easy_, CURLOPT_SOCKOPTFUNCTION, &SocketCallback);
  Set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  const ClientConfig& config = parts_.config;
  if (!config.proxy_url.empty()) Set(easy_, CURLOPT_PROXY, config.proxy_url.c_str());
  if (!config.disable_compression) Set(easy_, CURLOPT_ACCEPT_ENCODING, "gzip");
}

void CurlTransfer::SetTls() {
  const Credentials& credentials = *parts_.credentials;
  Set(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  Set(easy_, CURLOPT_CA_CACHE_TIMEOUT, 0L);  // else a new authority is ignored for a day
  SetBlob(easy_, CURLOPT_CAINFO_BLOB, credentials.authority);
  SetBlob(easy_, CURLOPT_SSLCERT_BLOB, credentials.certificate);
  SetBlob(easy_, CURLOPT_SSLKEY_BLOB, credentials.key);
}

void CurlTransfer::SetBody(const ApiRequest& request) {
  if (request.body.empty()) return;
  Set(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
  Set(easy_, CURLOPT_COPYPOSTFIELDS, request.body.data());
  AddHeader("Content-Type: application/json");
  AddHeader("Expect:");  // no question before it is sent
}

void CurlTransfer::SetHeaders(const ApiRequest& request) {
  AddHeader(request.accepts_protobuf
                ? "Accept: application/vnd.kubernetes.protobuf, application/json"
                : "Accept: application/json");
  const ClientConfig& config = parts_.config;
  if (!parts_.credentials->token.empty()) {
    AddHeader(absl::StrCat("Authorization: Bearer ", parts_.credentials->token));
  } else if (!config.username.empty()) {
    Set(easy_, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    Set(easy_, CURLOPT_USERNAME, config.username.c_str());
    Set(easy_, CURLOPT_PASSWORD, config.password.c_str());
  }
  for (const std::string& header : config.impersonation) AddHeader(header);
  Set(easy_, CURLOPT_USERAGENT, parts_.user_agent.c_str());
  Set(easy_, CURLOPT_HTTPHEADER, headers_);
}

void CurlTransfer::AddHeader(const std::string& header) {
  headers_ = curl_slist_append(headers_, header.c_str());
}

void CurlTransfer::SetCallbacks() {
  Set(easy_, CURLOPT_PRIVATE, this);
  Set(easy_, CURLOPT_ERRORBUFFER, error_);
  Set(easy_, CURLOPT_HEADERFUNCTION, &HeaderCallback);
  Set(easy_, CURLOPT_HEADERDATA, this);
  Set(easy_, CURLOPT_WRITEFUNCTION, &BodyCallback);
  Set(easy_, CURLOPT_WRITEDATA, this);
}

absl::Status CurlTransfer::StatusOf(CURLcode result) const {
  if (!refused_.ok()) return refused_;
  if (result == CURLE_OK) return absl::OkStatus();
  const char* why = error_[0] != '\0' ? error_ : curl_easy_strerror(result);
  return absl::UnavailableError(
      absl::StrCat(parts_.server.url.ToString(), ": ", IsTlsError(result) ? "TLS: " : "", why));
}

bool CurlTransfer::IsTlsError(CURLcode result) {
  return result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CONNECT_ERROR ||
         result == CURLE_SSL_CERTPROBLEM;
}

size_t CurlTransfer::HeaderCallback(char* data, size_t size, size_t count, void* self) {
  static_cast<CurlTransfer*>(self)->OnHeader({data, size * count});
  return size * count;
}

void CurlTransfer::OnHeader(std::string_view line) {
  parts_.heard = absl::Now();
  const absl::string_view text = absl::StripAsciiWhitespace(Absl(line));
  if (absl::StartsWith(text, "HTTP/")) {
    head_ = {};
    return;
  }
  if (text.empty()) {  // the last one
    long code = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &code);
    if (code < 200 || head_.code != 0) return;  // there is more to come; trailers
    head_.code = static_cast<int>(code);
    answer_.code = head_.code;
    parts_.on_head(answer_);
    parts_.receiver.OnHead(head_);
    return;
  }
  const size_t colon = std::min(text.find(':'), text.size() - 1);
  const absl::string_view name = text.substr(0, colon);
  const absl::string_view value = absl::StripAsciiWhitespace(text.substr(colon + 1));
  if (absl::EqualsIgnoreCase(name, "content-type")) head_.content_type = std::string(value);
  if (absl::EqualsIgnoreCase(name, "retry-after") &&
      !absl::SimpleAtoi(value, &head_.retry_after_s)) {
    head_.retry_after_s = 0;  // a date, or nothing that anybody knows
  }
}

size_t CurlTransfer::BodyCallback(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  transfer.parts_.heard = absl::Now();
  transfer.refused_ = transfer.parts_.receiver.OnBody({data, size * count});
  return transfer.refused_.ok() ? size * count : 0;
}

int CurlTransfer::SocketCallback(void*, curl_socket_t socket, curlsocktype) {
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof(kUserTimeoutMs));
  return CURL_SOCKOPT_OK;
}

}  // namespace shunt
