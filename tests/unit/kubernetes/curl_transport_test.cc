// SPDX-License-Identifier: Apache-2.0
#include "userspace/sources/kubernetes/curl_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "absl/time/clock.h"
#include "tests/unit/kubernetes/tls_server.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What came of a request.
struct Answer : AnswerReceiver {
  void OnHead(const AnswerHead& got) override { head = got; }
  absl::Status OnBody(std::string_view piece) override {
    body.append(piece);
    return refuse;
  }
  void OnEnd(const absl::Status& status) override { end = status; }

  AnswerHead head;
  std::string body;
  absl::Status refuse;
  std::optional<absl::Status> end;
};

class CurlTransportTest : public ::testing::Test {
 protected:
  // To servers of which the certificates are signed by authority_.
  void Open(std::vector<ServerAddress> servers, ClientConfig config = {}) {
    if (config.authority.empty()) config.authority.data = authority_.pem();
    servers_.emplace(ApiServers::Config{.written = std::move(servers)});
    credentials_.emplace(std::move(config), [] {});
    transport_.emplace(CurlTransport::Parts{.servers = *servers_,
                                            .credentials = *credentials_,
                                            .user_agent = "test",
                                            .on_answer = [](const AnswerKey&) {},
                                            .probe_limit = absl::Milliseconds(300)});
    Tick(absl::Now());
  }
  void Tick(absl::Time now) {
    credentials_->Tick(now);
    transport_->Tick(now);
  }
  bool RunUntil(absl::FunctionRef<bool()> condition) {
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    while (!condition() && absl::Now() < limit) transport_->Run(absl::Milliseconds(100));
    return condition();
  }
  void Get(Answer& answer, ApiRequest request = {.target = "/x"}) {
    transport_->Start(request, answer);
    ASSERT_TRUE(RunUntil([&] { return answer.end.has_value(); }));
  }
  static ServerAddress At(const TlsServer& server, const std::string& tls_name = "") {
    return {.url = *ServerUrl::Parse(server.url()), .tls_name = tls_name};
  }

  TestAuthority authority_;
  const TestCertificate certificate_ = authority_.Issue("IP:127.0.0.1");
  std::optional<ApiServers> servers_;
  std::optional<CredentialStore> credentials_;
  std::optional<CurlTransport> transport_;
};

bool Hello(TlsServer::Exchange& exchange) {
  exchange.Answer(200, "hello", "text/plain", "Retry-After: 7\r\n");
  return true;
}

TEST_F(CurlTransportTest, GetsAnAnswerWithWhatTheHeadSays) {
  TlsServer server(certificate_, Hello);
  Open({At(server)});
  Answer answer;
  Get(answer);
  EXPECT_TRUE(answer.end->ok()) << *answer.end;
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.head.code, 200);
  EXPECT_EQ(answer.head.content_type, "text/plain");
  EXPECT_EQ(answer.head.retry_after_s, 7);
}

TEST_F(CurlTransportTest, SaysWhoItIsAndWhatItReads) {
  std::string head;
  TlsServer server(certificate_, [&](TlsServer::Exchange& exchange) {
    head = exchange.head();
    return Hello(exchange);
  });
  Open({At(server)}, {.token = "abc", .impersonation = {"Impersonate-User: jane"}});
  Answer answer;
  Get(answer, {.target = "/x?a=b"});
  EXPECT_THAT(head, HasSubstr("GET /x?a=b "));
  EXPECT_THAT(head, HasSubstr("Accept: application/vnd.kubernetes.protobuf, application/json\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization: Bearer abc\r\n"));
  EXPECT_THAT(head, HasSubstr("Impersonate-User: jane\r\n"));
  EXPECT_THAT(head, HasSubstr("User-Agent: test\r\n"));
}

TEST_F(CurlTransportTest, PostsWhatIsLongerThanOneServerReadsUnasked) {
  std::string head, body;
  TlsServer server(certificate_, [&](TlsServer::Exchange& exchange) {
    head = exchange.head();
    body = exchange.ReadBody();
    return Hello(exchange);
  });
  Open({At(server)});
  Answer answer;
  const std::string sent = "\"" + std::string(5000, 'x') + "\"";
  Get(answer, {.target = "/x", .body = sent, .accepts_protobuf = false});
  EXPECT_TRUE(answer.end->ok()) << *answer.end;
  EXPECT_THAT(head, HasSubstr("POST /x "));
  EXPECT_THAT(head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_EQ(body, sent);
}

TEST_F(CurlTransportTest, TalksToNobodyWhoseCertificateIsAnothersNorUnderAnotherName) {
  const TlsServer stranger(TestAuthority().Issue("IP:127.0.0.1"), Hello);
  const TlsServer other_name(authority_.Issue("DNS:somebody.else"), Hello);
  for (const TlsServer* server : {&stranger, &other_name}) {
    Open({At(*server)}, {.token = "s3cr3t"});
    Answer answer;
    Get(answer);
    EXPECT_EQ(answer.end->code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(answer.end->message(), HasSubstr(server->url()));
    EXPECT_THAT(answer.end->message(), Not(HasSubstr("s3cr3t")));
    EXPECT_EQ(answer.head.code, 0);
  }
}

TEST_F(CurlTransportTest, DialsAnAddressUnderTheNameOfItsCertificate) {
  TlsServer server(authority_.Issue("DNS:kubernetes.default.svc"), Hello);
  Open({At(server, "kubernetes.default.svc")});
  Answer answer;
  Get(answer);
  EXPECT_TRUE(answer.end->ok()) << *answer.end;
}

TEST_F(CurlTransportTest, DoesNotCarryItsTokenToWhereARedirectLeads) {
  std::atomic<int> requests = 0;
  TlsServer elsewhere(certificate_, [&](TlsServer::Exchange& exchange) {
    ++requests;
    return Hello(exchange);
  });
  TlsServer server(certificate_, [&](TlsServer::Exchange& exchange) {
    exchange.Answer(302, "", "text/plain", "Location: " + elsewhere.url() + "/\r\n");
    return true;
  });
  Open({At(server)}, {.token = "abc"});
  Answer answer;
  Get(answer);
  EXPECT_EQ(answer.head.code, 302);
  EXPECT_EQ(requests, 0);
}

TEST_F(CurlTransportTest, AsksTheNextServerAfterOneThatIsGone) {
  auto gone = std::make_unique<TlsServer>(certificate_, Hello);
  const ServerAddress first = At(*gone);
  gone.reset();
  TlsServer second(certificate_, Hello);
  Open({first, At(second)});
  Answer refused, answered;
  Get(refused);
  EXPECT_EQ(refused.end->code(), absl::StatusCode::kUnavailable);
  Get(answered);
  EXPECT_TRUE(answered.end->ok()) << *answered.end;
}

TEST_F(CurlTransportTest, AsksTheNextServerAfterOneThatIsIll) {
  TlsServer ill(certificate_, [](TlsServer::Exchange& exchange) {
    exchange.Answer(503, "no etcd");
    return true;
  });
  TlsServer second(certificate_, Hello);
  Open({At(ill), At(second)});
  Answer first, answered;
  Get(first);
  Get(answered);
  EXPECT_EQ(answered.body, "hello");
}

TEST_F(CurlTransportTest, SaysThatAnAnswerWasCut) {
  TlsServer server(certificate_, [](TlsServer::Exchange& exchange) {
    exchange.BeginStream();
    exchange.Chunk("{");
    return false;
  });
  Open({At(server)});
  Answer answer;
  Get(answer);
  EXPECT_EQ(answer.body, "{");
  EXPECT_FALSE(answer.end->ok());
}

TEST_F(CurlTransportTest, EndsAnAnswerThatItsReceiverRefuses) {
  TlsServer server(certificate_, Hello);
  Open({At(server)});
  Answer answer;
  answer.refuse = absl::DataLossError("not that");
  Get(answer);
  EXPECT_EQ(*answer.end, absl::DataLossError("not that"));
}

TEST_F(CurlTransportTest, ACancelledRequestIsHeardOfNoMore) {
  TlsServer server(certificate_, [](TlsServer::Exchange& exchange) {
    exchange.BeginStream();
    exchange.Chunk("x");
    exchange.WaitForClose();
    return false;
  });
  Open({At(server)});
  Answer cancelled, other;
  const uint64_t request = transport_->Start({.target = "/x"}, cancelled);
  ASSERT_TRUE(RunUntil([&] { return !cancelled.body.empty(); }));
  transport_->Cancel(request);
  transport_->Run(absl::ZeroDuration());
  EXPECT_FALSE(cancelled.end.has_value());
}

// A stream that is open and silent, and a server that answers /livez or not.
bool Silent(TlsServer::Exchange& exchange, bool answers) {
  if (exchange.Asks("/livez")) {
    if (answers) {
      exchange.Answer(401, "who are you");
      return true;
    }
  } else {
    exchange.BeginStream();
    exchange.Chunk("x");
  }
  exchange.WaitForClose();
  return false;
}

TEST_F(CurlTransportTest, ASilentConnectionLivesAsLongAsItsServerAnswersAtAll) {
  TlsServer server(certificate_, [](TlsServer::Exchange& e) { return Silent(e, true); });
  Open({At(server)});
  Answer stream;
  transport_->Start({.target = "/watch"}, stream);
  ASSERT_TRUE(RunUntil([&] { return !stream.body.empty(); }));
  const absl::Time later = absl::Now() + absl::Seconds(81);
  const int before = server.connections();
  transport_->Tick(later);
  ASSERT_TRUE(RunUntil([&] { return server.connections() > before; }));  // HTTP/1.1: its own
  ASSERT_TRUE(RunUntil([&] { return transport_->Tick(absl::Now()) < absl::InfiniteFuture(); }));
  EXPECT_FALSE(stream.end.has_value());
}

TEST_F(CurlTransportTest, ADeadConnectionIsGivenUpWithAllThatIsOnIt) {
  TlsServer server(certificate_, [](TlsServer::Exchange& e) { return Silent(e, false); });
  Open({At(server)});
  Answer first, second;
  transport_->Start({.target = "/1"}, first);
  transport_->Start({.target = "/2"}, second);
  ASSERT_TRUE(RunUntil([&] { return !first.body.empty() && !second.body.empty(); }));
  transport_->Tick(absl::Now() + absl::Seconds(81));
  ASSERT_TRUE(RunUntil([&] { return first.end.has_value() && second.end.has_value(); }));
  EXPECT_THAT(first.end->message(), HasSubstr("the connection is dead"));
}

TEST_F(CurlTransportTest, AllIsDialledAnewWhenTheClientCertificateIsReplaced) {
  TlsServer server(certificate_, [](TlsServer::Exchange& e) { return Silent(e, true); });
  const TestCertificate old_one = authority_.Issue("DNS:a"), new_one = authority_.Issue("DNS:b");
  const std::string path = ::testing::TempDir() + "shunt-client-" + std::to_string(getpid());
  const auto write = [&](const TestCertificate& certificate) {
    std::ofstream(path) << certificate.certificate << certificate.key;
  };
  write(old_one);
  Open({At(server)}, {.certificate = {.file = path}, .key = {.file = path}});
  Answer stream;
  transport_->Start({.target = "/watch"}, stream);
  ASSERT_TRUE(RunUntil([&] { return !stream.body.empty(); }));
  write(new_one);
  Tick(absl::Now() + absl::Minutes(2));
  unlink(path.c_str());
  ASSERT_TRUE(stream.end.has_value());
  EXPECT_THAT(stream.end->message(), HasSubstr("the client certificate was replaced"));
  Answer again;
  transport_->Start({.target = "/watch"}, again);
  ASSERT_TRUE(RunUntil([&] { return !again.body.empty(); }));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlTransportTest, WithoutCredentialsNothingIsSent) {
  TlsServer server(certificate_, Hello);
  Open({At(server)}, {.token_file = "/nowhere/token"});
  Answer answer;
  Get(answer);
  EXPECT_THAT(answer.end->message(), HasSubstr("/nowhere/token"));
  EXPECT_EQ(server.connections(), 0);
}

}  // namespace
}  // namespace shunt
