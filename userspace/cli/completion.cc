// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/completion.h"

#include <memory>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "userspace/api/unix_socket.h"
#include "userspace/base/text.h"

namespace shunt {
namespace {

// A shell waits for this at every press of a key.
constexpr absl::Duration kPatience = absl::Milliseconds(500);

class Candidates {
 public:
  Candidates(std::string prefix, std::ostream& out) : prefix_(std::move(prefix)), out_(out) {}

  void Add(const std::string& word, const std::string& about = "") {
    if (!absl::StartsWith(word, prefix_)) return;
    out_ << word;
    if (!about.empty()) out_ << '\t' << about;
    out_ << '\n';
  }

 private:
  const std::string prefix_;
  std::ostream& out_;
};

// What stands behind the last `name` in the words, or `otherwise`.
std::string ValueIn(const std::vector<std::string>& words, const std::string& name,
                    std::string otherwise) {
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == name) otherwise = words[i + 1];
  }
  return otherwise;
}

DatapathState StateForCompletion(const Options& options, const std::vector<std::string>& words,
                                 const Environment& environment) {
  const std::string socket = ValueIn(words, "--socket", options.socket);
  const std::unique_ptr<Source> source =
      ProbeSocket(socket).ok()
          ? MakeAgentSource(socket, kPatience)
          : environment.make_maps_source(ValueIn(words, "--bpffs", options.bpffs));
  return source->State(ServiceFilter()).value_or(DatapathState());
}

// Names as they are typed: those of the namespace, and NAMESPACE/NAME.
void AddServiceNames(const Options& options, const std::vector<std::string>& words,
                     const Environment& environment, Candidates& candidates) {
  const std::string name_space =
      ValueIn(words, "--namespace", ValueIn(words, "-n", options.name_space));
  std::set<std::string> names;
  for (const auto& [name, port] : StateForCompletion(options, words, environment)) {
    if (name.name_space == name_space) names.insert(ForTerminal(name.name));
    names.insert(ForTerminal(absl::StrCat(name.name_space, "/", name.name)));
  }
  for (const std::string& name : names) candidates.Add(name);
}

void AddNamespaces(const Options& options, const std::vector<std::string>& words,
                   const Environment& environment, Candidates& candidates) {
  std::set<std::string> names;
  for (const auto& [name, port] : StateForCompletion(options, words, environment)) {
    names.insert(ForTerminal(name.name_space));
  }
  for (const std::string& name : names) candidates.Add(name);
}

void AddOptions(const CLI::App* app, Candidates& candidates) {
  for (const auto& [name, option] : Grammar::OptionsOf(app)) {
    candidates.Add(name, option->get_description());
  }
}

void AddArguments(Grammar& grammar, const Grammar::Position& position,
                  const std::vector<std::string>& words, const Environment& environment,
                  Candidates& candidates) {
  const Command* command = grammar.CommandOf(position.app);
  if (command == nullptr || position.arguments > 0) return;
  if (command->options & kServiceName) {
    AddServiceNames(grammar.options(), words, environment, candidates);
  }
  for (const CLI::Option* option : position.app->get_options()) {
    const std::vector<std::string>* choices = grammar.ChoicesOf(option);
    if (!option->get_positional() || choices == nullptr) continue;
    for (const std::string& choice : *choices) candidates.Add(choice);
  }
}

void AddCommands(CLI::App* app, Candidates& candidates) {
  for (const CLI::App* command : Grammar::CommandsBelow(app)) {
    candidates.Add(command->get_name(), command->get_description());
  }
}

}  // namespace

void PrintCompletions(Grammar& grammar, const std::vector<std::string>& words,
                      const Environment& environment) {
  if (words.empty()) return;
  std::string typed = words.back();
  std::vector<std::string> before(words.begin(), words.end() - 1);
  // "--output=js" is completed as its two words would be.
  const size_t equals = typed.find('=');
  std::string kept;
  if (absl::StartsWith(typed, "--") && equals != std::string::npos) {
    before.push_back(typed.substr(0, equals));
    kept = typed.substr(0, equals + 1);
    typed = typed.substr(equals + 1);
  }
  const Grammar::Position position = grammar.Follow(before);
  if (!position.unknown.empty()) return;
  Candidates candidates(kept + typed, environment.out);
  if (position.awaiting != nullptr) {
    if (const auto* choices = grammar.ChoicesOf(position.awaiting)) {
      for (const std::string& choice : *choices) candidates.Add(kept + choice);
    } else if (position.awaiting->check_name("--namespace")) {
      AddNamespaces(grammar.options(), before, environment, candidates);
    }
  } else if (absl::StartsWith(typed, "-")) {
    AddOptions(position.app, candidates);
  } else {
    AddCommands(position.app, candidates);
    AddArguments(grammar, position, before, environment, candidates);
  }
}

}  // namespace shunt
