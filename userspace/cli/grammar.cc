// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/grammar.h"

#include <climits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "userspace/api/proto_flows.h"
#include "userspace/base/ip_address.h"
#include "userspace/cli/target.h"

namespace shunt {
namespace {

constexpr char kAbout[] =
    "Shows what Shunt's Service load balancer does on this node.\n"
    "Data goes to stdout, messages to stderr. Exit codes: 0 done, 1 error, 2 wrong usage.";

struct Parent {
  const char* name;
  const char* summary;
};
constexpr Parent kParents[] = {
    {"get", "Show objects as a table, JSON or YAML"},
    {"describe", "Show all about one object"},
    {"health", "Probes: exit code 0 for yes, 1 for no with the reason"},
    {"explain", "Say why something is as it is"},
    {"opt-out", "Choose processes whose connections are left alone (writes to the pinned maps)"},
};

std::string FooterOf(const Command& command) {
  std::string footer;
  if (command.examples[0] != '\0') {
    footer = absl::StrCat("Examples:\n  ", absl::StrReplaceAll(command.examples, {{"\n", "\n  "}}),
                          "\n\n");
  }
  return footer + "Options of every command: shuntctl --help";
}

void UseEnvironment(const char* value, std::string& option) {
  if (value != nullptr && value[0] != '\0') option = value;
}

CLI::App* FindCommand(CLI::App* app, const std::string& word) {
  for (CLI::App* command : Grammar::CommandsBelow(app)) {
    if (command->check_name(word)) return command;
  }
  return nullptr;
}

// Validators: why it is none; "" where it is one.
std::string WhyNoTarget(const std::string& text) {
  return std::string(ParseTarget(text).status().message());
}

std::string WhyNoAddress(const std::string& text) {
  return std::string(IpAddress::Parse(text).status().message());
}

std::string WhyNoAddresses(const std::string& text) {
  return std::string(ParseAddresses(text).status().message());
}

bool IsOptionWord(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

}  // namespace

Grammar::Grammar(const std::function<const char*(const char*)>& getenv) : app_(kAbout, "shuntctl") {
  UseEnvironment(getenv("SHUNT_SOCKET"), options_.socket);
  UseEnvironment(getenv("SHUNT_BPFFS"), options_.bpffs);
  app_.fallthrough();  // options of all commands are understood behind a command, too
  app_.require_subcommand(1);
  app_.get_formatter()->column_width(34);
  AddCommonOptions();
  for (const Command& command : Commands()) AddCommand(command);
}

void Grammar::AddCommonOptions() {
  app_.set_version_flag("--version", "shuntctl " SHUNT_VERSION, "Print the version and exit");
  app_.add_option("--socket", options_.socket, "Socket of the agent (env SHUNT_SOCKET)")
      ->type_name("PATH")
      ->capture_default_str();
  app_.add_option("--bpffs", options_.bpffs, "Directory of the pinned maps (env SHUNT_BPFFS)")
      ->type_name("DIR")
      ->capture_default_str();
  Restrict(
      app_.add_option("--source", options_.source,
                      "Whom to ask; without it the agent, or the pinned maps where none answers"),
      {"agent", "maps"});
  app_.add_option("--request-timeout", options_.timeout_seconds,
                  "Seconds to wait for an answer of the agent")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 86400.0).description(""))
      ->capture_default_str();
  app_.add_option("-n,--namespace", options_.name_space, "Namespace of the Services")
      ->type_name("NAMESPACE")
      ->capture_default_str();
}

CLI::App* Grammar::ParentFor(const Command& command) {
  if (command.parent[0] == '\0') return &app_;
  if (CLI::App* known = FindCommand(&app_, command.parent)) return known;
  for (const Parent& parent : kParents) {
    if (std::string(parent.name) != command.parent) continue;
    CLI::App* app = app_.add_subcommand(parent.name, parent.summary);
    app->require_subcommand(1);
    return app;
  }
  return &app_;
}

void Grammar::AddCommand(const Command& command) {
  CLI::App* app = ParentFor(command)->add_subcommand(command.name, command.summary);
  commands_[app] = &command;
  app->footer(FooterOf(command));
  for (const auto alias : absl::StrSplit(command.aliases, ' ', absl::SkipEmpty())) {
    app->alias(std::string(alias));
  }
  AddListOptions(command, app);
  AddArguments(command, app);
}

void Grammar::AddListOptions(const Command& command, CLI::App* app) {
  if (command.options & kNamespaces) {
    app->add_flag("-A,--all-namespaces", options_.all_namespaces, "Those of all namespaces");
  }
  if (command.options & kOutput) {
    Restrict(app->add_option("-o,--output", options_.output, "Form of the output"),
             {"table", "wide", "json", "yaml"});
    app->add_flag("--no-headers", options_.no_headers, "Print no line of headers");
  }
  if (command.options & kObjectOutput) {
    Restrict(app->add_option("-o,--output", options_.output, "Form of the output"),
             {"table", "json", "yaml"});
  }
  if (command.options & kWatch) {
    app->add_flag("-w,--watch", options_.watch, "Go on and print what changes, until interrupted");
    app->add_flag("--output-watch-events", options_.watch_events,
                  "With --watch: say whether it was ADDED, MODIFIED or DELETED");
  }
  if (command.options & kFlows) AddFlowFilter(app);
  if (command.options & kClientOnly) {
    app->add_flag("--client", options_.client_only, "Only that of shuntctl: ask nobody");
  }
}

void Grammar::AddArguments(const Command& command, CLI::App* app) {
  const char* about = command.options & kServiceName
                          ? "Name of a Service: NAME in the namespace of -n, or NAMESPACE/NAME"
                          : "Show only this one";
  if (command.options & (kOptionalName | kRequiredName)) {
    CLI::Option* name = app->add_option("NAME", options_.name, about)->type_name("");
    if (command.options & kRequiredName) name->required();
  }
  if (command.options & kTarget) AddTarget(app);
  if (command.options & kPacket) AddPacket(app);
  if (command.options & kCgroup) {
    app->add_option("CGROUP", options_.cgroup, "Directory of cgroup v2")->type_name("")->required();
  }
  if (command.options & kShell) {
    Restrict(app->add_option("SHELL", options_.shell, "The shell")->required(),
             {"bash", "zsh", "fish"});
  }
}

void Grammar::AddFlowFilter(CLI::App* app) {
  app->add_option("--address", options_.address, "Only those with an end at this address")
      ->type_name("IP|CIDR")
      ->check(CLI::Validator(WhyNoAddresses, ""));
  Restrict(app->add_option("--protocol", options_.protocol, "Only those of this protocol"),
           {"TCP", "UDP", "SCTP"});
  Restrict(app->add_option("--state", options_.state, "Only those in this state"),
           {"Unanswered", "Established", "Closing", "Closed", "Reset", "Stale"});
}

void Grammar::AddTarget(CLI::App* app) {
  app->add_option("TARGET", options_.target,
                  "What is dialled: IP:PORT[/TCP|/UDP|/SCTP], an IPv6 address in brackets")
      ->type_name("")
      ->required()
      ->check(CLI::Validator(WhyNoTarget, ""));
  CLI::Option* pod = app->add_option("--from-pod", options_.from_pod, "By the pod of this address")
                         ->type_name("IP")
                         ->check(CLI::Validator(WhyNoAddress, ""));
  CLI::Option* netns = app->add_option("--from-netns", options_.from_netns,
                                       "By this process, with its network namespace and cgroup")
                           ->type_name("PID")
                           ->check(CLI::Range(1, INT_MAX).description(""));
  app->add_flag("--from-host", options_.from_host, "By a process of the host (the default)")
      ->excludes(pod)
      ->excludes(netns);
  pod->excludes(netns);
}

void Grammar::AddPacket(CLI::App* app) {
  app->add_option("FROM", options_.from, "Who sends it: IP:PORT, an IPv6 address in brackets")
      ->type_name("")
      ->required()
      ->check(CLI::Validator(WhyNoTarget, ""));
  app->add_option("TO", options_.target, "To where: IP:PORT[/TCP|/UDP|/SCTP]")
      ->type_name("")
      ->required()
      ->check(CLI::Validator(WhyNoTarget, ""));
  app->add_option("--device", options_.device,
                  "The device of this host at which it arrives; asks the pinned maps")
      ->type_name("NAME");
}

// CLI11 checks the choices, but tells them to nobody.
CLI::Option* Grammar::Restrict(CLI::Option* option, std::vector<std::string> choices) {
  option->type_name(absl::StrJoin(choices, "|"))->check(CLI::IsMember(choices).description(""));
  choices_[option] = std::move(choices);
  return option;
}

const Command* Grammar::chosen() {
  CLI::App* app = &app_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return CommandOf(app);
}

const Command* Grammar::CommandOf(const CLI::App* app) const {
  const auto found = commands_.find(app);
  return found == commands_.end() ? nullptr : found->second;
}

Grammar::Position Grammar::Follow(const std::vector<std::string>& words) {
  Position position{.app = &app_};
  for (const std::string& word : words) {
    if (std::exchange(position.awaiting, nullptr) != nullptr) continue;
    if (IsOptionWord(word)) {
      FollowOption(word, position);
      continue;
    }
    if (CommandsBelow(position.app).empty()) {
      ++position.arguments;
    } else if (CLI::App* next = FindCommand(position.app, word)) {
      position.app = next;
    } else {
      position.unknown = word;
      return position;
    }
  }
  return position;
}

// "-o", "-ojson", "-Aw", "--output", "--output=json".
void Grammar::FollowOption(const std::string& word, Position& position) {
  const bool is_long = absl::StartsWith(word, "--");
  const std::string name = is_long ? word.substr(0, word.find('=')) : word.substr(0, 2);
  const CLI::Option* option = FindOption(position.app, name);
  if (option == nullptr) {
    if (position.unknown_option.empty()) position.unknown_option = name;
  } else if (TakesValue(option) && name == word) {
    position.awaiting = option;
  }
}

std::vector<CLI::App*> Grammar::CommandsBelow(CLI::App* app) {
  return app->get_subcommands([](CLI::App*) { return true; });
}

const CLI::Option* Grammar::FindOption(const CLI::App* app, const std::string& word) {
  const auto options = OptionsOf(app);
  const auto found = options.find(word);
  return found == options.end() ? nullptr : found->second;
}

std::map<std::string, const CLI::Option*> Grammar::OptionsOf(const CLI::App* app) {
  std::map<std::string, const CLI::Option*> options;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) options.emplace("--" + name, option);
      for (const std::string& name : option->get_snames()) options.emplace("-" + name, option);
    }
  }
  return options;
}

bool Grammar::TakesValue(const CLI::Option* option) { return option->get_items_expected_max() > 0; }

const std::vector<std::string>* Grammar::ChoicesOf(const CLI::Option* option) const {
  const auto found = choices_.find(option);
  return found == choices_.end() ? nullptr : &found->second;
}

}  // namespace shunt
