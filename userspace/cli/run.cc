// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "userspace/base/absl_view.h"
#include "userspace/base/quote.h"
#include "userspace/base/similar.h"
#include "userspace/base/text.h"
#include "userspace/cli/completion.h"
#include "userspace/cli/grammar.h"

namespace shunt {
namespace {

// "shuntctl get"
std::string PathOf(const CLI::App* app) {
  std::string path = app->get_name();
  for (app = app->get_parent(); app != nullptr; app = app->get_parent()) {
    path = absl::StrCat(app->get_name(), " ", path);
  }
  return path;
}

int UsageError(const std::string& reason, const CLI::App* app, std::ostream& err) {
  err << "shuntctl: " << reason << "\nRun '" << PathOf(app) << " --help' for usage.\n";
  return kExitUsage;
}

std::vector<std::string> NamesBelow(CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* command : Grammar::CommandsBelow(app)) {
    names.push_back(command->get_name());
  }
  return names;
}

std::string Unknown(const char* kind, const std::string& word, const CLI::App* app,
                    const std::vector<std::string>& known) {
  std::string reason = absl::StrCat("unknown ", kind, " ", Quoted(word), " for ", PathOf(app));
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view nearest = MostSimilar(word, views);
  if (!nearest.empty()) absl::StrAppend(&reason, ". Did you mean \"", Absl(nearest), "\"?");
  return reason;
}

std::vector<std::string> OptionNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const auto& [name, option] : Grammar::OptionsOf(app)) names.push_back(name);
  return names;
}

// Where parsing failed, CLI11 has the reason, but speaks in its own terms where
// a word is not known or missing.
std::string ReasonOf(const CLI::ParseError& error, const Grammar::Position& position) {
  CLI::App* app = position.app;
  if (!position.unknown_option.empty()) {
    return Unknown("option", position.unknown_option, app, OptionNames(app));
  }
  if (!position.unknown.empty()) return Unknown("command", position.unknown, app, NamesBelow(app));
  if (!Grammar::CommandsBelow(app).empty() && position.awaiting == nullptr) {
    return absl::StrCat("what? One of: ", absl::StrJoin(NamesBelow(app), ", "));
  }
  return ForTerminal(error.what());
}

// Shows the help where it was asked for, else says what is wrong.
int ParseFailed(const CLI::ParseError& error, Grammar& grammar,
                const std::vector<std::string>& words, const Environment& environment) {
  const Grammar::Position position = grammar.Follow(words);
  if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) {
    environment.out << error.what() << '\n';
    return kExitOk;
  }
  if (error.get_exit_code() == 0) {
    const CLI::App* parent = position.app->get_parent();
    environment.out << position.app->help(parent == nullptr ? "" : PathOf(parent));
    return kExitOk;
  }
  return UsageError(ReasonOf(error, position), position.app, environment.err);
}

// A NAME that is half a name is wrong usage, not a Service that is not there.
bool IsWholeName(const Options& options) {
  if (options.name.find('/') == std::string::npos) return true;
  const ServiceFilter filter = options.Filter();
  return !filter.name_space.empty() && !filter.name.empty() &&
         filter.name.find('/') == std::string::npos;
}

int Run(const Command& command, const Options& options, const Environment& environment) {
  Session session(options, environment);
  const absl::Status status = command.run(session);
  environment.out.flush();
  if (status.ok()) return kExitOk;
  environment.err << "shuntctl: " << ForTerminal(Std(status.message())) << '\n';
  return kExitError;
}

// Whoever read our output has seen enough ("shuntctl dump | head -1").
bool ReaderHasGone(int fd) {
  pollfd event{.fd = fd, .events = 0, .revents = 0};
  return poll(&event, 1, 0) == 1 && (event.revents & POLLERR) != 0;
}

bool WantsColor() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || no_color[0] == '\0') &&
         term != nullptr && strcmp(term, "dumb") != 0;
}

}  // namespace

int RunCli(const std::vector<std::string>& words, const Environment& environment) {
  Grammar grammar(environment.getenv);
  if (!words.empty() && words[0] == "__complete") {
    PrintCompletions(grammar, {words.begin() + 1, words.end()}, environment);
    return kExitOk;
  }
  std::vector<std::string> line = words;
  if (!line.empty() && line[0] == "help") {  // "help get services"
    line.erase(line.begin());
    line.push_back("--help");
  }
  try {
    grammar.app().parse(std::vector<std::string>(line.rbegin(), line.rend()));
  } catch (const CLI::ParseError& error) {
    return ParseFailed(error, grammar, line, environment);
  }
  const Options& options = grammar.options();
  if (!IsWholeName(options)) {
    return UsageError(absl::StrCat(Quoted(options.name), " is no NAME and no NAMESPACE/NAME"),
                      grammar.Follow(line).app, environment.err);
  }
  return Run(*grammar.chosen(), options, environment);
}

int RunCli(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  signal(SIGPIPE, SIG_IGN);  // a write that fails is noticed below
  const Environment environment{
      .out = std::cout, .err = std::cerr, .color = WantsColor(), .getenv = std::getenv};
  const int code = RunCli({argv + std::min(argc, 1), argv + argc}, environment);
  std::cout.flush();
  if (std::cout.good() || code != kExitOk || ReaderHasGone(STDOUT_FILENO)) return code;
  std::cerr << "shuntctl: cannot write to stdout\n";
  return kExitError;
}

}  // namespace shunt
