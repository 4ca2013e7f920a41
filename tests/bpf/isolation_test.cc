// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/bpf/socket_storage.h"
#include "tests/support/command.h"
#include "tests/support/datapath_test.h"
#include "tests/support/dial.h"
#include "tests/support/wait_for.h"

namespace shunt::testing {
namespace {

constexpr int kServices = 3000;
constexpr int kTcpServices = 30;  // those have real servers, on kTcpPods ports each
constexpr int kTcpPods = 4;

// What happens to a Service all the time, beside a new list of pods.
enum class Fortune {
  kAlwaysServed,      // nothing else: it must never refuse
  kSometimesEmpty,    // has no pod for a while
  kSometimesDeleted,  // is not there for a while
  kRenamed,           // its address goes to a Service of another name, and back
};

Fortune FortuneOf(int service) { return static_cast<Fortune>(service % 4); }
shunt_protocol ProtocolOf(int service) { return service < kTcpServices ? SHUNT_TCP : SHUNT_UDP; }

// The address tells whose it is: 10.96.H.L is the Service's, 10.200.H.L its pods'.
IpAddress AddressOf(int service, int net) {
  return IpAddress::Parse(absl::StrCat("10.", net, ".", service / 250, ".", service % 250 + 1))
      .value();
}
HostPort VipOf(int service) { return {AddressOf(service, 96), 80}; }

// Whether an error of connect() tells the truth about a Service of that kind.
bool MayFail(Fortune fortune, int error) {
  switch (fortune) {
    case Fortune::kAlwaysServed:
      return false;
    case Fortune::kSometimesEmpty:
      return error == ECONNREFUSED;
    case Fortune::kSometimesDeleted:
    case Fortune::kRenamed:
      return error == ENETUNREACH;  // nobody's address, and no route to it
  }
  return false;
}

// Changes a few Services at a time, at random, as fast as it can.
class Changer {
 public:
  StateChanges Next() {
    StateChanges changes;
    for (int i = 0; i < 40; ++i) Change(Below(kServices), changes);
    return changes;
  }

  StateChanges Everything() {
    StateChanges changes = {.changed = {}, .complete = true};
    for (int service = 0; service < kServices; ++service) {
      changes.changed[Name(service, 's')] = State(service, 1 + Below(3));
    }
    return changes;
  }

 private:
  int Below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  static ServicePortName Name(int service, char kind) {
    return NameOf({absl::StrCat(std::string(1, kind), service), ProtocolOf(service), {}, {}});
  }

  ServicePortStatePtr State(int service, int pods) {
    ServiceSpec spec = {"", ProtocolOf(service), {VipOf(service)}, {}};
    const int ports = service < kTcpServices ? kTcpPods : 1000;
    const int first = Below(ports);
    for (int i = 0; i < pods; ++i) {
      const int port = 1000 + (first + i) % ports;
      spec.backends.push_back({AddressOf(service, 200), static_cast<uint16_t>(port)});
    }
    return StateOf(spec);
  }

  void Change(int service, StateChanges& changes) {
    switch (FortuneOf(service)) {
      case Fortune::kAlwaysServed:
        changes.changed[Name(service, 's')] = State(service, 1 + Below(4));
        break;
      case Fortune::kSometimesEmpty:
        changes.changed[Name(service, 's')] = State(service, Below(3));
        break;
      case Fortune::kSometimesDeleted:
        changes.changed[Name(service, 's')] = Below(2) ? nullptr : State(service, 1 + Below(3));
        break;
      case Fortune::kRenamed:
        const bool renamed = Below(2);
        changes.changed[Name(service, renamed ? 's' : 't')] = nullptr;
        changes.changed[Name(service, renamed ? 't' : 's')] = State(service, 1 + Below(3));
    }
  }

  std::mt19937 random_{20240607};
};

// What clients found wrong. Thread-safe.
class Complaints {
 public:
  void Add(int service, const std::string& what) {
    absl::MutexLock lock(&mutex_);
    if (list_.size() < 10) list_.push_back(absl::StrCat(VipOf(service).ToString(), ": ", what));
  }
  std::vector<std::string> list() {
    absl::MutexLock lock(&mutex_);
    return list_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> list_ ABSL_GUARDED_BY(mutex_);
};

class Isolation : public DatapathTest {
 protected:
  void SetUp() override {
    DatapathTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const absl::Status routed =
        MustRun({"ip", "route", "add", "local", "10.200.0.0/16", "dev", "lo"});
    ASSERT_TRUE(routed.ok()) << routed;
    std::vector<HostPort> pods;
    for (int service = 0; service < kTcpServices; ++service) {
      for (int i = 0; i < kTcpPods; ++i) {
        pods.push_back({AddressOf(service, 200), static_cast<uint16_t>(1000 + i)});
      }
    }
    Serve(pods);
  }

  // Looks at what the programs chose: cheap, so very many.
  void ConnectUdp(Complaints& complaints) {
    std::mt19937 random(1);
    std::uniform_int_distribution<int> any(kTcpServices, kServices - 1);
    UniqueFd socket = OpenSocket(VipOf(0), {.transport = Transport::kUdp});
    for (; !stop_; ++connected_) {
      const int service = any(random);
      const int error = Connect(socket.get(), VipOf(service));
      const auto noted = storage_->Read(socket.get());
      if (error != 0) {
        if (!MayFail(FortuneOf(service), error)) complaints.Add(service, strerror(error));
      } else if (!noted.has_value() || ToHostPort(noted->dialled) != VipOf(service)) {
        complaints.Add(service, "not translated");
      } else if (ToHostPort(noted->got).address != AddressOf(service, 200)) {
        complaints.Add(service, "reached " + ToHostPort(noted->got).ToString());
      }
    }
  }

  // Listens to who really answers.
  void ConnectTcp(Complaints& complaints) {
    std::mt19937 random(2);
    std::uniform_int_distribution<int> any(0, kTcpServices - 1);
    for (; !stop_; ++answered_) {
      const int service = any(random);
      const DialResult result = Dial(VipOf(service));
      if (result.error != 0) {
        if (!MayFail(FortuneOf(service), result.error)) complaints.Add(service, result.ToString());
      } else if (HostPort::Of(result.answer).address != AddressOf(service, 200)) {
        complaints.Add(service, result.ToString());
      }
    }
  }

  std::optional<SocketStorage> storage_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> connected_ = 0, answered_ = 0;
};

TEST_F(Isolation, NoConnectionReachesAnotherServiceWhileThousandsChange) {
  Changer changer;
  ApplyChanges(changer.Everything());
  absl::StatusOr<SocketStorage> storage = SocketStorage::Open(bpffs());
  ASSERT_TRUE(storage.ok()) << storage.status();
  storage_ = *std::move(storage);
  Complaints complaints;
  std::thread udp([&] { ConnectUdp(complaints); });
  std::thread tcp([&] { ConnectTcp(complaints); });
  constexpr int kRounds = 800;
  uint64_t writes = 0;
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    const Reconciler::Result result = reconciler().Apply(changer.Next());
    EXPECT_EQ(result.pending, 0u);
    writes += result.writes;
  }
  EXPECT_TRUE(WaitFor([&] { return connected_ > 100'000 && answered_ > 1'000; }));
  stop_ = true;
  udp.join();
  tcp.join();
  EXPECT_THAT(complaints.list(), ::testing::IsEmpty());
  printf("%d updates of 40 Services, %lu writes, %lu UDP connects, %lu TCP connections\n", kRounds,
         writes, connected_.load(), answered_.load());
}

}  // namespace
}  // namespace shunt::testing
