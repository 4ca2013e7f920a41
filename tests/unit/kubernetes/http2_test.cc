// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "tests/support/http_client.h"
#include "tests/unit/kubernetes/source_fixture.h"

namespace shunt {
namespace {

using testing::WaitFor;

// nghttpx, which speaks HTTP/2 and passes on to a TlsServer.
class Http2Front {
 public:
  Http2Front(const TestCertificate& certificate, const TlsServer& backend) : port_(FreePort()) {
    directory_.Write("tls.crt", certificate.certificate);
    directory_.Write("tls.key", certificate.key);
    std::vector<std::string> arguments = {
        "nghttpx",
        "--conf=/dev/null",
        "--workers=1",
        "--insecure",
        "--errorlog-file=/dev/null",
        absl::StrCat("--frontend=127.0.0.1,", port_),
        absl::StrCat("--backend=127.0.0.1,", backend.port(), ";;proto=http/1.1;tls"),
        (directory_ / "tls.key").string(),
        (directory_ / "tls.crt").string()};
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(posix_spawnp(&pid_, "nghttpx", nullptr, nullptr, pointers.data(), environ), 0);
    EXPECT_TRUE(WaitFor([&] { return ConnectTo(port_).ok(); }));
  }
  ~Http2Front() { End(); }

  std::string url() const { return absl::StrCat("https://127.0.0.1:", port_); }
  // Says GOAWAY, takes nobody new, and goes on with the streams that are open.
  void SayGoAway() const { kill(pid_, SIGQUIT); }
  bool TakesNewConnections() const { return ConnectTo(port_).ok(); }
  void End() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  // Connections that clients have to it at the moment.
  int Connections() const {
    std::ifstream table("/proc/self/net/tcp");
    const std::string remote = absl::StrFormat("0100007F:%04X 01 ", port_);  // established
    int count = 0;
    for (std::string line; std::getline(table, line);) count += absl::StrContains(line, remote);
    return count;
  }

 private:
  TemporaryDirectory directory_;
  const uint16_t port_;
  pid_t pid_ = -1;
};

class Http2Test : public KubernetesSourceTest {
 protected:
  const TestCertificate certificate_ = authority_.Issue("IP:127.0.0.1");
};

TEST_F(Http2Test, AllStreamsShareOneConnection) {
  Http2Front front(certificate_, *server_);
  Start(front.url());
  ASSERT_TRUE(WaitFor([&] { return store_.synced(); }));
  EXPECT_TRUE(WaitFor([&] { return front.Connections() == 1; }));
  cluster_.Happens("services", "ADDED", ServiceOf("api"));
  EXPECT_TRUE(WaitFor([&] { return Knows("api"); }));
}

TEST_F(Http2Test, StreamsGoOnAfterAGoAwayAndThenElsewhereWithoutAList) {
  Http2Front first(certificate_, *server_), second(certificate_, *server_);
  Start(first.url(), "token: one", {first.url(), second.url()});
  ASSERT_TRUE(WaitFor([&] { return store_.synced(); }));
  first.SayGoAway();
  ASSERT_TRUE(WaitFor([&] { return !first.TakesNewConnections(); }));
  cluster_.Happens("services", "ADDED", ServiceOf("api"));
  EXPECT_TRUE(WaitFor([&] { return Knows("api"); }));

  first.End();
  // Again and again: the stream that broke may have taken some of them along.
  EXPECT_TRUE(WaitFor([&] {
    cluster_.Happens("services", "ADDED", ServiceOf("later"));
    return Knows("later");
  }));
  EXPECT_TRUE(WaitFor([&] { return source_->stats().server == second.url(); }));
  for (const auto& progress : source_->stats().progress) EXPECT_EQ(progress.status.lists, 1u);
}

}  // namespace
}  // namespace shunt
