// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <streambuf>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/unit/cli/cli_fixture.h"

namespace shunt {
namespace {

using Objects = std::vector<Json>;

Listing ListingOf(const Objects& objects) {
  return {.kind = "Thing",
          .columns = {{"NAME", [](const Json& object) { return TextAt(object, "name"); }},
                      {"VALUE", [](const Json& object) { return TextAt(object, "value"); }}},
          .identity = [](const Json& object) { return TextAt(object, "name"); },
          .each =
              [&objects](Listing::Sink sink) {
                for (const Json& object : objects) sink(object);
              }};
}

class Watch : public ::testing::Test {
 protected:
  // What is printed when the objects become `objects`.
  std::string After(const Objects& objects) {
    out_.str("");
    Listing listing = ListingOf(objects);
    listing.passing = passing_;
    printer_.Update(listing);
    return out_.str();
  }

  Options options_;
  std::vector<const char*> passing_;
  std::ostringstream out_;
  WatchPrinter printer_{options_, out_};
};

const Json kA = {{"name", "a"}, {"value", 1}};
const Json kB = {{"name", "b"}, {"value", 2}};
const Json kNewB = {{"name", "b"}, {"value", 3}};

TEST_F(Watch, PrintsAllThenOnlyWhatBecameDifferent) {
  EXPECT_EQ(After({kA, kB}), "NAME   VALUE\na      1\nb      2\n");
  EXPECT_EQ(After({kA, kB}), "");
  EXPECT_EQ(After({kA, kNewB}), "b      3\n");
}

TEST_F(Watch, IsSilentAboutWhatChangesByItself) {
  passing_ = {"value"};
  EXPECT_EQ(After({kA, kB}), "NAME   VALUE\na      1\nb      2\n");
  EXPECT_EQ(After({kA, kNewB}), "");
  EXPECT_EQ(After({kNewB}), "a      1\n");
}

TEST_F(Watch, SaysWhatHappenedWhereAsked) {
  options_.watch_events = true;
  EXPECT_EQ(After({kA}), "EVENT   NAME   VALUE\nADDED   a      1\n");
  EXPECT_EQ(After({kB}), "ADDED   b      2\nDELETED   a      1\n");
  EXPECT_EQ(After({kNewB}), "MODIFIED   b      3\n");
}

TEST_F(Watch, PrintsOneYamlDocumentAChange) {
  options_.output = "yaml";
  EXPECT_EQ(After({kA}), "---\nname: a\nvalue: 1\n");
  EXPECT_EQ(After({}), "---\nname: a\nvalue: 1\n");
}

TEST_F(Watch, WrapsObjectsAsKubernetesDoesInWatchEvents) {
  options_.output = "json";
  options_.watch_events = true;
  EXPECT_EQ(Json::parse(After({kA})), Json({{"type", "ADDED"}, {"object", kA}}));
}

// A stream that fails after a number of lines, as a pipe does whose reader went.
class LinesThenGone : public std::streambuf {
 public:
  LinesThenGone(int lines, std::function<void()> on_line)
      : lines_(lines), on_line_(std::move(on_line)) {}

  const std::string& text() const { return text_; }

 private:
  int overflow(int c) override {
    if (lines_ == 0) return traits_type::eof();
    text_.push_back(static_cast<char>(c));
    if (c == '\n') {
      --lines_;
      on_line_();
    }
    return c;
  }

  int lines_;
  const std::function<void()> on_line_;
  std::string text_;
};

class WatchAgent : public CliFixture {};

TEST_F(WatchAgent, ShowsAChangeWhenItHappensAndEndsWhenNobodyReads) {
  agent_.PublishState({});
  StartServer();
  // Each line that arrives makes the next change; the fourth finds no reader.
  uint16_t port = 0;
  const auto change = [&] {
    ++port;
    agent_.PublishState({{{"shop", "web", "", SHUNT_TCP}, Port({Dialled("10.96.0.1", port)}, {})}});
  };
  LinesThenGone lines(4, change);
  std::ostream out(&lines);
  std::ostringstream err;
  EXPECT_EQ(RunCli({"get", "services", "-A", "-w"}, EnvironmentWith(out, err)), 0) << err.str();
  EXPECT_EQ(lines.text(),
            "NAMESPACE   NAME   PORT   FRONTENDS   BACKENDS\n"
            "shop        web    <none>   10.96.0.1:1/TCP   0\n"
            "shop        web    <none>   10.96.0.1:2/TCP   0\n"
            "shop        web    <none>   10.96.0.1:3/TCP   0\n");
}

TEST_F(WatchAgent, SaysSoWhenTheAgentGoesAway) {
  StartServer();
  std::thread stopper;
  LinesThenGone lines(100, [&] {  // the header has come: the watch is under way
    if (!stopper.joinable()) stopper = std::thread([this] { server_.reset(); });
  });
  std::ostream out(&lines);
  std::ostringstream err;
  EXPECT_EQ(RunCli({"get", "services", "-A", "-w"}, EnvironmentWith(out, err)), 1);
  stopper.join();
  EXPECT_EQ(err.str(), absl::StrCat("shuntctl: the agent on ", socket_, ": the agent stops\n"));
}

}  // namespace
}  // namespace shunt
