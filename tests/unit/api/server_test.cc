// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "shunt/v1/shunt.grpc.pb.h"
#include "tests/unit/api/api_fixture.h"
#include "userspace/api/proto_state.h"
#include "userspace/api/service_filter.h"
#include "userspace/api/unix_socket.h"

namespace shunt {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A client with gRPC's defaults: messages of 4 MiB at most.
class ApiServerTest : public ApiFixture {
 protected:
  void StartWith(DatapathState state) {
    agent_.PublishState(std::move(state));
    StartServer();
    channel_ = grpc::CreateChannel(GrpcTarget(socket_), grpc::InsecureChannelCredentials());
    stub_ = v1::Shunt::NewStub(channel_);
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  }

  // All service ports that ListServices sends.
  DatapathState ListServices(const ServiceFilter& filter = ServiceFilter()) {
    v1::ListServicesRequest request;
    request.mutable_filter()->set_namespace_(filter.name_space);
    request.mutable_filter()->set_name(filter.name);
    auto reader = stub_->ListServices(&context_, request);
    DatapathState state;
    ServicePortAssembler assembler;
    v1::ListServicesResponse message;
    while (reader->Read(&message)) {
      for (const auto& part : message.services()) EXPECT_TRUE(assembler.Add(part, state).ok());
    }
    const grpc::Status status = reader->Finish();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_FALSE(assembler.incomplete());
    return state;
  }

  // A unary call of a service whose messages are not generated here.
  std::string CallRaw(const std::string& method, const std::string& request) {
    grpc::GenericStub stub(channel_);
    grpc::CompletionQueue queue;
    grpc::Slice slice(request);
    auto reader = stub.PrepareUnaryCall(&context_, method, grpc::ByteBuffer(&slice, 1), &queue);
    reader->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    reader->Finish(&response, &status, nullptr);
    void* tag;
    bool ok;
    queue.Next(&tag, &ok);
    EXPECT_TRUE(status.ok()) << status.error_message();
    grpc::Slice answer;
    if (status.ok()) EXPECT_TRUE(response.DumpToSingleSlice(&answer).ok());
    return std::string(answer.begin(), answer.end());
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Shunt::Stub> stub_;
  grpc::ClientContext context_;
};

void ExpectEqual(const DatapathState& a, const DatapathState& b) {
  ASSERT_EQ(a.size(), b.size());
  for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
    EXPECT_EQ(x->first, y->first);
    EXPECT_EQ(*x->second, *y->second) << x->first.ToString();
  }
}

TEST_F(ApiServerTest, ListsEveryServicePortAsTheAgentKnowsIt) {
  StartWith(Shop());
  ExpectEqual(ListServices(), Shop());
}

TEST_F(ApiServerTest, ListsNothingWhereThereIsNothing) {
  StartWith({});
  EXPECT_THAT(ListServices(), SizeIs(0));
}

TEST_F(ApiServerTest, ListsOnlyTheServiceThatWasAskedFor) {
  DatapathState state = Shop();
  state[{"other", "web", "", SHUNT_TCP}] = Port({Dialled("10.96.9.9", 80)}, {});
  StartWith(state);
  const DatapathState found = ListServices({.name_space = "shop", .name = "web"});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found.begin()->first.ToString(), "shop/web:http");
}

TEST_F(ApiServerTest, ListsAServiceThatIsBiggerThanAMessage) {
  const DatapathState state = {
      {{"shop", "big", "", SHUNT_TCP}, Port({Dialled("10.96.0.1", 80)}, ManyBackends(200000))}};
  StartWith(state);
  ExpectEqual(ListServices(), state);
}

TEST_F(ApiServerTest, ListsMoreBackendsThanFitInAMessage) {
  StartWith({{{"shop", "big", "", SHUNT_TCP}, Port({}, ManyBackends(200000))}});
  auto reader = stub_->ListBackends(&context_, v1::ListBackendsRequest());
  size_t backends = 0;
  v1::ListBackendsResponse message;
  while (reader->Read(&message)) backends += message.backends_size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(backends, 200000u);
}

TEST_F(ApiServerTest, SendsValidTextWhereANameIsNot) {
  StartWith({{{"shop", "\xff\xfe", "", SHUNT_TCP}, Port({}, {})}});
  EXPECT_EQ(ListServices().begin()->first.name, "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(ApiServerTest, TellsItsStatus) {
  agent_.counters->at(SHUNT_TRANSLATED)[SHUNT_CONNECT4] = 7;
  AgentView view{.version = "1.2.3", .node_name = "node-a", .synced = true};
  view.started = absl::UnixEpoch();
  view.last_apply = absl::InfinitePast();
  view.refusal = "EPERM";
  view.state = Shop();
  view.problems = {{"Service shop/web", "web.yaml:3", "spec.ports[0].port", "70000 is no port"}};
  view.pending = {"shop/web:http: map shunt_frontends is full (262144)"};
  agent_.Publish(view);
  StartWith(view.state);
  v1::GetStatusResponse status;
  ASSERT_TRUE(stub_->GetStatus(&context_, v1::GetStatusRequest(), &status).ok());
  EXPECT_EQ(status.version(), "1.2.3");
  EXPECT_FALSE(status.has_last_apply());
  EXPECT_EQ(status.features().refusal(), v1::REFUSAL_EPERM);
  EXPECT_EQ(status.counts().services(), 2u);
  EXPECT_EQ(status.counts().backends(), 4u);
  EXPECT_EQ(status.problems(0).field(), "spec.ports[0].port");
  EXPECT_EQ(status.pending_count(), 1u);
  ASSERT_EQ(status.verdict_counters_size(), 1);
  EXPECT_EQ(status.verdict_counters(0).verdict(), v1::VERDICT_TRANSLATED);
  EXPECT_EQ(status.verdict_counters(0).hook(), v1::HOOK_CONNECT4);
  EXPECT_EQ(status.verdict_counters(0).runs(), 7u);
}

TEST_F(ApiServerTest, TellsItsStatusHoweverManyObjectsAreBroken) {
  AgentView view;
  view.started = absl::UnixEpoch();
  view.last_apply = absl::InfinitePast();
  for (int i = 0; i < 100000; ++i) {
    view.problems.push_back({absl::StrCat("Service shop/web-", i), "web.yaml", "spec", "is wrong"});
    view.pending.push_back(absl::StrCat("shop/web-", i, ": the map is full, it really is"));
  }
  agent_.Publish(view);
  StartWith({});
  v1::GetStatusResponse status;
  const grpc::Status result = stub_->GetStatus(&context_, v1::GetStatusRequest(), &status);
  ASSERT_TRUE(result.ok()) << result.error_message();
  EXPECT_EQ(status.problem_count(), 100000u);
  EXPECT_GT(status.problems_size(), 1000);
  EXPECT_LT(status.problems_size(), 100000);
  EXPECT_EQ(status.pending_count(), 100000u);
}

TEST_F(ApiServerTest, TellsTheRestOfItsStatusWhereCountersCannotBeRead) {
  agent_.counters = absl::PermissionDeniedError("no right to read shunt_counters");
  StartWith(Shop());
  v1::GetStatusResponse status;
  ASSERT_TRUE(stub_->GetStatus(&context_, v1::GetStatusRequest(), &status).ok());
  EXPECT_EQ(status.counts().services(), 2u);
  EXPECT_EQ(status.counters_error(), "no right to read shunt_counters");
}

TEST_F(ApiServerTest, SaysWhyMapsCannotBeListed) {
  agent_.maps = absl::NotFoundError("nothing is pinned in /sys/fs/bpf/shunt");
  StartWith({});
  v1::ListMapsResponse maps;
  const grpc::Status status = stub_->ListMaps(&context_, v1::ListMapsRequest(), &maps);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "nothing is pinned in /sys/fs/bpf/shunt");
}

TEST_F(ApiServerTest, DistinguishesAnEmptyMapFromOneThatCannotBeCounted) {
  agent_.maps = std::vector<MapInfo>{{.name = "shunt_frontends", .entries = 0},
                                     {.name = "shunt_socket", .entries = std::nullopt}};
  StartWith({});
  v1::ListMapsResponse maps;
  ASSERT_TRUE(stub_->ListMaps(&context_, v1::ListMapsRequest(), &maps).ok());
  EXPECT_TRUE(maps.maps(0).has_entries());
  EXPECT_FALSE(maps.maps(1).has_entries());
}

TEST_F(ApiServerTest, AnswersHealthChecksWithoutAName) {
  StartWith({});
  EXPECT_EQ(CallRaw("/grpc.health.v1.Health/Check", ""), "\x08\x01");  // status: SERVING
}

TEST_F(ApiServerTest, AnswersHealthChecksForItsService) {
  StartWith({});
  EXPECT_EQ(CallRaw("/grpc.health.v1.Health/Check", "\x0a\x0eshunt.v1.Shunt"), "\x08\x01");
}

TEST_F(ApiServerTest, DescribesItselfByReflection) {
  StartWith({});
  // ServerReflectionRequest{list_services: ""}; a stream of one message.
  EXPECT_THAT(CallRaw("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                      std::string("\x3a\x00", 2)),
              HasSubstr("shunt.v1.Shunt"));
}

// --- Watch

class ApiWatch : public ApiServerTest {
 protected:
  void StartWatch(DatapathState state) {
    StartWith(std::move(state));
    reader_ = stub_->Watch(&context_, v1::WatchRequest());
  }

  // Reads one update, all its parts as one.
  v1::WatchResponse ReadUpdate() {
    v1::WatchResponse update, part;
    while (reader_->Read(&part)) {
      update.MergeFrom(part);
      if (part.complete()) break;
    }
    return update;
  }

  // As ReadUpdate(), but the next one that says something.
  v1::WatchResponse ReadChange() {
    v1::WatchResponse update = ReadUpdate();
    while (update.complete() && update.changed_size() + update.removed_size() == 0) {
      update = ReadUpdate();
    }
    return update;
  }

  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader_;
};

TEST_F(ApiWatch, BeginsWithEverything) {
  StartWatch(Shop());
  const v1::WatchResponse update = ReadUpdate();
  EXPECT_TRUE(update.initial());
  EXPECT_EQ(update.changed_size(), 2);
}

TEST_F(ApiWatch, GoesOnWithWhatChangedAndNothingElse) {
  StartWatch(Shop());
  ReadUpdate();
  DatapathState state = Shop();
  state.erase(state.begin());  // shop/dns
  state[{"shop", "api", "", SHUNT_TCP}] = Port({Dialled("10.96.0.12", 80)}, {});
  agent_.PublishState(state);
  const v1::WatchResponse update = ReadChange();
  EXPECT_FALSE(update.initial());
  ASSERT_EQ(update.changed_size(), 1);
  EXPECT_EQ(update.changed(0).name().name(), "api");
  ASSERT_EQ(update.removed_size(), 1);
  EXPECT_EQ(update.removed(0).name(), "dns");
}

TEST_F(ApiWatch, ShowsThatTheAgentLivesWhileNothingChanges) {
  StartWatch(Shop());
  const uint64_t generation = ReadUpdate().generation();
  const v1::WatchResponse heartbeat = ReadUpdate();
  EXPECT_TRUE(heartbeat.complete());
  EXPECT_EQ(heartbeat.changed_size(), 0);
  EXPECT_EQ(heartbeat.generation(), generation);
}

TEST_F(ApiWatch, LetsASlowReaderSkipToTheLatestState) {
  StartWatch({{{"shop", "big", "", SHUNT_TCP}, Port({}, ManyBackends(20000))}});
  const uint64_t first = agent_.Latest()->generation;
  constexpr int kChanges = 100;  // 80 MB, if each were sent
  for (int i = 0; i < kChanges; ++i) {
    std::vector<Backend> backends = ManyBackends(20000);
    backends.back().port = static_cast<uint16_t>(i + 1);
    agent_.PublishState({{{"shop", "big", "", SHUNT_TCP}, Port({}, std::move(backends))}});
  }
  int updates = 0;
  v1::WatchResponse update;
  do {
    update = ReadUpdate();
    ASSERT_TRUE(update.complete());
    ++updates;
  } while (update.generation() < first + kChanges);
  EXPECT_LT(updates, kChanges / 2);
  EXPECT_EQ(update.changed(update.changed_size() - 1).backends().rbegin()->port(),
            static_cast<uint32_t>(kChanges));
}

TEST_F(ApiWatch, StopsWithinASecondWhileClientsWatchOrDoNotRead) {
  StartWatch({{{"shop", "big", "", SHUNT_TCP}, Port({}, ManyBackends(50000))}});
  grpc::ClientContext idle_context;
  auto idle = stub_->Watch(&idle_context, v1::WatchRequest());
  ReadUpdate();  // then this one waits for changes, and `idle` has read nothing
  const absl::Time start = absl::Now();
  server_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace shunt
