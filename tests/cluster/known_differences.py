# SPDX-License-Identifier: Apache-2.0
"""Where Shunt answers otherwise than kube-proxy, and is meant to (README.md shows the list)."""

import collections

import matrix

# Of answers. applies(question, theirs, ours, mode): theirs is kube-proxy's in that mode.
Rule = collections.namedtuple("Rule", "title applies")

DENIED = {"no answer", "not permitted"}
AWAY = {"no answer", "unreachable", "not permitted"}  # what becomes of a packet that no rule of kube-proxy takes


def is_host(question):
    return question.client in matrix.HOSTS


def keeps_client(question, theirs, ours):
    """The same backends answer; where they see another client, Shunt shows the real one, kube-proxy a node."""
    changed = {name for name in theirs.seen if theirs.seen[name] != ours.seen.get(name)}
    return (theirs.seen.keys() == ours.seen.keys() and theirs.error == ours.error and
            all(ours.seen[name] == {seen_as(question.client)} and is_node(theirs.seen[name]) for name in changed))


def seen_as(client):
    return client.removeprefix("host-")


def is_node(seen):
    return all(name.startswith("node-") for name in seen)


def socket_keeps_client(question, theirs, ours, _):
    return question.client in matrix.PODS and keeps_client(question, theirs, ours)


def packet_keeps_client(question, theirs, ours, _):
    return question.client not in matrix.PODS and keeps_client(question, theirs, ours)


def host_is_told(question, theirs, ours, _):
    return is_host(question) and theirs.text == "not permitted" and ours.text in ("refused", "no answer")


def refused_on_the_node(question, theirs, ours, mode):
    return (mode == "iptables" and is_host(question) and question.service.endpoints == "none" and
            theirs.text in AWAY and ours.text == "refused")


def sources_are_checked_first(question, theirs, ours, mode):
    return (mode == "iptables" and question.service.policy.startswith("for ") and
            question.service.endpoints == "none" and theirs.text in AWAY | {"refused"} and ours.text == "no answer")


def undefined_port(question, theirs, ours, mode):
    return (mode == "iptables" and question.frontend == "undefined port" and theirs.text in AWAY and
            ours.text == "refused")


def unallocated(question, theirs, ours, mode):
    return (mode == "nftables" and question.frontend == "unallocated ClusterIP" and theirs.text in DENIED and
            ours.text in AWAY)


def loopback(question, theirs, ours, _):
    return question.frontend == "node port of loopback" and is_host(question) and theirs.failed and not ours.error


def other_addresses(question, theirs, ours, mode):
    return (mode == "nftables" and question.frontend == "node port of another address" and
            theirs.text == "refused" and not ours.error)


def pod_of_another_node(question, theirs, ours, _):
    """To kube-proxy it is local, as its address is of the clusterCIDR; often it hears nothing, as answers go around.
    Shunt shows it as itself, but to itself as the node: it would not answer itself to another port."""
    node = {"backend-1": "node-1", "pod-1": "node-1", "pod-2": "node-2"}.get(question.client)
    dialled = next((other for other in ("node-1", "node-2")
                    if node not in (None, other) and question.frontend == f"node port of {other}"), None)
    return (question.service.policy == "external Local" and dialled is not None and
            ours.error in (None, "no answer") and
            all(seen == {dialled if name == question.client else question.client}
                for name, seen in ours.seen.items()))


RULES = [
    Rule("A pod is seen under its own address", socket_keeps_client),
    Rule("Who is outside is seen under its own address by a backend on the node that it dialled", packet_keeps_client),
    Rule("A process of the host gets the error that others get", host_is_told),
    Rule("No endpoints: the host is refused, too", refused_on_the_node),
    Rule("Source ranges are checked also without endpoints", sources_are_checked_first),
    Rule("A port that a ClusterIP does not have is refused", undefined_port),
    Rule("A ClusterIP that no Service has is left alone", unallocated),
    Rule("Node ports at loopback, in both families", loopback),
    Rule("Node ports at all addresses of the node", other_addresses),
    Rule("A pod that dials another node comes from outside", pod_of_another_node),
]


def rule_for(question, theirs, ours, mode):
    """The first that covers the difference; None if none does."""
    return next((rule for rule in RULES if rule.applies(question, theirs, ours, mode)), None)
