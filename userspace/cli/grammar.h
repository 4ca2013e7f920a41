// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_CLI_GRAMMAR_H_
#define SHUNT_CLI_GRAMMAR_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "userspace/cli/command.h"
#include "userspace/cli/options.h"

namespace shunt {

// The command line of shuntctl: CLI11's tree made from the table of commands,
// with what CLI11 does not keep. For parsing, help and completion alike.
class Grammar {
 public:
  // Where a line of words has led to.
  struct Position {
    CLI::App* app = nullptr;                // the innermost command
    const CLI::Option* awaiting = nullptr;  // the option whose value comes next
    std::string unknown;                    // a word where a command was expected
    std::string unknown_option;             // and the first option that nobody has
    size_t arguments = 0;                   // of `app` so far
  };

  explicit Grammar(const std::function<const char*(const char*)>& getenv);
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  CLI::App& app() { return app_; }
  // Filled in when app() parses.
  const Options& options() const { return options_; }
  // Which command was parsed. Null: none.
  const Command* chosen();
  const Command* CommandOf(const CLI::App* app) const;

  // Follows words without parsing them. Never fails.
  Position Follow(const std::vector<std::string>& words);
  static std::vector<CLI::App*> CommandsBelow(CLI::App* app);
  // The option that is spelled so at `app`, or null.
  static const CLI::Option* FindOption(const CLI::App* app, const std::string& word);
  static bool TakesValue(const CLI::Option* option);
  // What the value of an option can be. Null: anything.
  const std::vector<std::string>* ChoicesOf(const CLI::Option* option) const;
  // Every spelling ("-n", "--namespace") that `app` understands, with its option.
  static std::map<std::string, const CLI::Option*> OptionsOf(const CLI::App* app);

 private:
  void AddCommonOptions();
  static void FollowOption(const std::string& word, Position& position);
  CLI::App* ParentFor(const Command& command);
  void AddCommand(const Command& command);
  void AddListOptions(const Command& command, CLI::App* app);
  void AddArguments(const Command& command, CLI::App* app);
  void AddFlowFilter(CLI::App* app);
  void AddTarget(CLI::App* app);
  void AddPacket(CLI::App* app);
  CLI::Option* Restrict(CLI::Option* option, std::vector<std::string> choices);

  Options options_;
  CLI::App app_;
  std::map<const CLI::App*, const Command*> commands_;
  std::map<const CLI::Option*, std::vector<std::string>> choices_;
};

}  // namespace shunt

#endif  // SHUNT_CLI_GRAMMAR_H_
