// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TESTS_UNIT_KUBERNETES_TLS_SERVER_H_
#define SHUNT_TESTS_UNIT_KUBERNETES_TLS_SERVER_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/unit/kubernetes/certificates.h"
#include "userspace/base/unique_fd.h"

namespace shunt {

// An HTTPS server (HTTP/1.1) of which the test says byte by byte what it answers.
class TlsServer {
 public:
  // One request, to be answered from a thread of its connection.
  class Exchange {
   public:
    Exchange(SSL* ssl, const std::atomic<bool>& stop, std::string head)
        : head_(std::move(head)), ssl_(ssl), stop_(stop) {}

    const std::string& head() const { return head_; }  // all lines of the request
    std::string target() const {
      const size_t begin = head_.find(' ') + 1;
      return head_.substr(begin, head_.find(' ', begin) - begin);
    }
    // What follows them, in the length that they say.
    std::string ReadBody() {
      static constexpr std::string_view kLength = "Content-Length: ";
      const size_t begin = head_.find(kLength);
      if (begin == std::string::npos) return "";
      std::string body(std::stoul(head_.substr(begin + kLength.size())), '\0');
      for (size_t got = 0; got < body.size() && !stop_;) {
        const int more = SSL_read(ssl_, body.data() + got, static_cast<int>(body.size() - got));
        if (more > 0) got += static_cast<size_t>(more);
      }
      return body;
    }
    bool Asks(std::string_view part) const { return target().find(part) != std::string::npos; }

    bool Send(std::string_view bytes) {
      return !stop_ &&
             (bytes.empty() || SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0);
    }
    void Answer(int code, const std::string& body, const std::string& type = "application/json",
                const std::string& headers = "") {
      Send(absl::StrCat("HTTP/1.1 ", code, " x\r\nContent-Type: ", type, "\r\n", headers,
                        "Content-Length: ", body.size(), "\r\n\r\n", body));
    }
    void BeginStream(const std::string& type = "application/json") {
      Send(absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: ", type,
                        "\r\nTransfer-Encoding: chunked\r\n\r\n"));
    }
    bool Chunk(const std::string& bytes) {
      char size[20];
      std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
      return Send(absl::StrCat(size, bytes, "\r\n"));
    }
    void EndStream() { Send("0\r\n\r\n"); }
    // Until the client goes away or the server ends.
    void WaitForClose() {
      char byte;
      pollfd ready = {.fd = SSL_get_fd(ssl_), .events = POLLIN, .revents = 0};
      while (!stop_) {
        if (poll(&ready, 1, 20) > 0 && SSL_read(ssl_, &byte, 1) <= 0) return;
      }
    }
    bool stopped() const { return stop_; }

   private:
    const std::string head_;
    SSL* const ssl_;
    const std::atomic<bool>& stop_;
  };
  // Returns whether the connection may be used again.
  using Handler = std::function<bool(Exchange& exchange)>;

  TlsServer(const TestCertificate& certificate, Handler handler)
      : handler_(std::move(handler)), context_(SSL_CTX_new(TLS_server_method())) {
    signal(SIGPIPE, SIG_IGN);  // of clients that went away
    Use(certificate);
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(name);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), length), 0);
    EXPECT_EQ(listen(listener_.get(), 64), 0);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&name), &length);
    port_ = ntohs(name.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~TlsServer() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    SSL_CTX_free(context_);
  }

  uint16_t port() const { return port_; }
  std::string url() const { return absl::StrCat("https://127.0.0.1:", port_); }
  int connections() const { return connections_; }

 private:
  void Use(const TestCertificate& certificate) {
    BIO* bio = BIO_new_mem_buf(certificate.certificate.data(), -1);
    X509* x509 = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO* key_bio = BIO_new_mem_buf(certificate.key.data(), -1);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
    EXPECT_EQ(SSL_CTX_use_certificate(context_, x509), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_, key), 1);
    X509_free(x509);
    EVP_PKEY_free(key);
    BIO_free(bio);
    BIO_free(key_bio);
  }

  void Accept() {
    pollfd ready = {.fd = listener_.get(), .events = POLLIN, .revents = 0};
    while (!stop_) {
      if (poll(&ready, 1, 20) <= 0) continue;
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++connections_;
      threads_.emplace_back([this, fd] { Serve(UniqueFd(fd)); });
    }
  }

  void Serve(UniqueFd fd) {
    // Who waits for a client that says nothing still notices that the server ends.
    const timeval patience = {.tv_sec = 0, .tv_usec = 50'000};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd.get());
    if (SSL_accept(ssl) == 1) {
      for (std::string head = ReadHead(ssl); !head.empty(); head = ReadHead(ssl)) {
        Exchange exchange(ssl, stop_, head);
        if (!handler_(exchange)) break;
      }
    }
    SSL_free(ssl);
  }

  std::string ReadHead(SSL* ssl) {
    std::string head;
    char byte;
    while (!stop_ && !head.ends_with("\r\n\r\n")) {
      const int got = SSL_read(ssl, &byte, 1);
      if (got == 1) {
        head.push_back(byte);
      } else if (SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ) {
        return "";
      }
    }
    return stop_ ? "" : head;
  }

  const Handler handler_;
  SSL_CTX* const context_;
  UniqueFd listener_;
  uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connections_ = 0;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace shunt

#endif  // SHUNT_TESTS_UNIT_KUBERNETES_TLS_SERVER_H_
