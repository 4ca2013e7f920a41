// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/command.h"

namespace shunt {
namespace {

constexpr Command kCommands[] = {
    {"get", "services", "service svc",
     "Service ports: what clients dial, and how many backends stand behind it",
     "shuntctl get services -A\n"
     "shuntctl get services web -n shop -o wide\n"
     "shuntctl get services shop/web -o json",
     kNamespaces | kOutput | kWatch | kOptionalName | kServiceName, GetServices},
    {"get", "backends", "backend endpoints ep",
     "Backends: the endpoints that connections arrive at, by Service",
     "shuntctl get backends -A\n"
     "shuntctl get backends shop/web -w --output-watch-events",
     kNamespaces | kOutput | kWatch | kOptionalName | kServiceName, GetBackends},
    {"get", "sockets", "socket so",
     "Who is connected where, through which Service, in all network namespaces",
     "shuntctl get sockets -A\n"
     "shuntctl get sockets shop/web -o wide",
     kNamespaces | kOutput | kWatch | kOptionalName | kServiceName, GetSockets},
    {"get", "flows", "flow conntrack",
     "Whose packets go where: what shuntd --packets translates, with both directions in one row",
     "shuntctl get flows -A\n"
     "shuntctl get flows shop/web --state Established -o wide\n"
     "shuntctl get flows -A --address 192.0.2.0/24 --protocol UDP --watch",
     kNamespaces | kOutput | kWatch | kOptionalName | kServiceName | kFlows, GetFlows},
    {"get", "maps", "map", "BPF maps: how full they are and what they take",
     "shuntctl get maps\n"
     "shuntctl get maps shunt_frontends -o yaml",
     kOutput | kWatch | kOptionalName, GetMaps},
    {"get", "programs", "program progs prog",
     "BPF programs; RUNS and NS/RUN count while sysctl kernel.bpf_stats_enabled is 1",
     "shuntctl get programs -o wide", kOutput | kWatch | kOptionalName, GetPrograms},
    {"get", "affinity", "affinities clients",
     "Session affinity: which client stays with which backend, and for how long",
     "shuntctl get affinity -A\n"
     "shuntctl get affinity shop/web -o json",
     kNamespaces | kOutput | kOptionalName | kServiceName, GetAffinity},
    {"explain", "service", "services svc",
     "Why a Service is served as it is: its frontends, and what became of each endpoint",
     "shuntctl explain service shop/web\n"
     "shuntctl explain service web -n shop -o json",
     kObjectOutput | kRequiredName | kServiceName, ExplainService},
    {"explain", "connect", "dial", "What would become of a connect, step by step, and why",
     "shuntctl explain connect 10.96.0.10:80\n"
     "shuntctl explain connect [fd00::10]:53/UDP --from-pod fd00:1::5\n"
     "shuntctl explain connect 10.96.0.10:80 --from-netns $(pgrep -o nginx)",
     kObjectOutput | kTarget, ExplainConnect},
    {"explain", "packet", "packets",
     "What would become of a packet that arrives from outside, step by step, and why",
     "shuntctl explain packet 203.0.113.9:40000 192.0.2.1:30080\n"
     "shuntctl explain packet 203.0.113.9:40000 192.0.2.1:30053/UDP --device eth0\n"
     "shuntctl explain packet [2001:db8::9]:40000 [2001:db8::1]:30080",
     kObjectOutput | kPacket, ExplainPacket},
    {"opt-out", "add", "", "Leave the processes of a cgroup alone, and those of all below it",
     "shuntctl opt-out add /sys/fs/cgroup/kubepods.slice/kubepods-pod1234.slice", kCgroup,
     AddOptOut},
    {"opt-out", "remove", "rm delete", "Serve them again; CGROUP may also be an id of the list",
     "shuntctl opt-out remove /sys/fs/cgroup/kubepods.slice/kubepods-pod1234.slice\n"
     "shuntctl opt-out remove 4711",
     kCgroup, RemoveOptOut},
    {"opt-out", "list", "ls", "The cgroups that opted out", "shuntctl opt-out list -o json",
     kOutput, ListOptOuts},
    {"describe", "service", "services svc",
     "All about one Service: frontends, backends, what could not be used",
     "shuntctl describe service shop/web\n"
     "shuntctl describe service web -n shop",
     kRequiredName | kServiceName, DescribeService},
    {"", "status", "", "The agent, its sources, what it could not use, what the programs counted",
     "shuntctl status\n"
     "shuntctl status -o json",
     kObjectOutput, ShowStatus},
    {"", "dump", "", "The whole table from service to backend, as one sorted text",
     "shuntctl dump\n"
     "shuntctl dump --source maps",
     kNoOptions, ShowDump},
    {"health", "live", "", "Whether the agent works: its control thread answers, synced or not",
     "shuntctl health live && echo alive", kNoOptions, ProbeLive},
    {"health", "ready", "",
     "Whether traffic is served: all was written once, or an earlier agent's tables are in charge",
     "until shuntctl health ready; do sleep 1; done", kNoOptions, ProbeReady},
    {"", "version", "", "The versions of shuntctl and of the agent", "shuntctl version --client",
     kObjectOutput | kClientOnly, ShowVersion},
    {"", "completion", "", "A script that completes shuntctl's command line in a shell",
     "source <(shuntctl completion bash)\n"
     "shuntctl completion zsh > /usr/local/share/zsh/site-functions/_shuntctl\n"
     "shuntctl completion fish > ~/.config/fish/completions/shuntctl.fish",
     kShell, PrintCompletionScript},
};

}  // namespace

absl::Span<const Command> Commands() { return kCommands; }

}  // namespace shunt
