// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_SESSION_H_
#define SHUNT_CLI_SESSION_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "userspace/cli/options.h"
#include "userspace/cli/source.h"

namespace shunt {

// What a run of shuntctl has to do with: what main() fills in, and a test.
struct Environment {
  std::ostream& out;  // data
  std::ostream& err;  // messages
  bool color = false;
  std::function<const char*(const char* name)> getenv;
  std::function<std::unique_ptr<Source>(const std::string& bpffs)> make_maps_source =
      MakeMapsSource;
};

// One command being run: its options, its streams, and the source that it asks,
// which is chosen when first needed.
class Session {
 public:
  Session(const Options& options, const Environment& environment)
      : options_(options), environment_(environment) {}

  const Options& options() const { return options_; }
  std::ostream& out() const { return environment_.out; }
  std::ostream& err() const { return environment_.err; }
  bool color() const { return environment_.color; }

  // As --source says. Without it: the agent where one listens, else the pinned
  // maps, with a notice.
  absl::StatusOr<Source*> source();

 private:
  absl::Status ChooseSource();

  const Options& options_;
  const Environment& environment_;
  std::unique_ptr<Source> source_;
};

}  // namespace shunt

#endif  // SHUNT_CLI_SESSION_H_
