// SPDX-License-Identifier: Apache-2.0
#include "userspace/state/dump.h"

#include <gtest/gtest.h>

#include "tests/unit/state/state_builder.h"

namespace shunt {
namespace {

TEST(Dump, ShowsForEveryFrontendWhereItsConnectionsMayGo) {
  DatapathState state;
  state[{"shop", "web", "http"}] =
      Port({{.key = Key("10.96.0.10", 80)}, {.key = Key("fd00:96::a", 80)}},
           {Chosen("10.244.1.5", 8080), Chosen("10.244.2.7", 8080), Draining("10.244.3.9", 8080),
            Chosen("fd00:244::5", 8080)});
  state[{"shop", "api", ""}] = Port({{.key = Key("10.96.0.9", 443)}}, {});
  state[{"kube-system", "kube-dns", "dns", SHUNT_UDP}] =
      Port({{.key = Key("10.96.0.10", 53, SHUNT_UDP)}}, {Chosen("10.244.0.2", 53)});

  EXPECT_EQ(Dump(state),
            "FRONTEND              SERVICE                    BACKEND              NOTE\n"
            "10.96.0.9:443/TCP     shop/api                   -                    refused\n"
            "10.96.0.10:53/UDP     kube-system/kube-dns:dns   10.244.0.2:53\n"
            "10.96.0.10:80/TCP     shop/web:http              10.244.1.5:8080\n"
            "10.96.0.10:80/TCP     shop/web:http              10.244.2.7:8080\n"
            "[fd00:96::a]:80/TCP   shop/web:http              [fd00:244::5]:8080\n"
            "-                     shop/web:http              10.244.3.9:8080      draining\n");
}

TEST(Dump, ShowsAFrontendOfTheLocalListWithLocalBackendsOnly) {
  DatapathState state;
  state[{"shop", "web", ""}] = Port({{.key = Key("10.96.0.10", 80), .list = BackendList::kLocal}},
                                    {ChosenLocally("10.244.1.5", 80), Chosen("10.244.2.7", 80)});

  EXPECT_EQ(Dump(state),
            "FRONTEND            SERVICE    BACKEND         NOTE\n"
            "10.96.0.10:80/TCP   shop/web   10.244.1.5:80\n"
            "-                   shop/web   10.244.2.7:80   draining\n");
}

TEST(Dump, SaysThatTheSocketDoesNotSeeSctp) {
  DatapathState state;
  state[{"shop", "web", "", SHUNT_SCTP}] =
      Port({{.key = Key("10.96.0.10", 80, SHUNT_SCTP)}}, {Chosen("10.244.1.5", 80)});
  state[{"shop", "none", "", SHUNT_SCTP}] = Port({{.key = Key("10.96.0.11", 80, SHUNT_SCTP)}}, {});

  EXPECT_EQ(Dump(state),
            "FRONTEND             SERVICE     BACKEND         NOTE\n"
            "10.96.0.10:80/SCTP   shop/web    10.244.1.5:80   (not seen at the socket)\n"
            "10.96.0.11:80/SCTP   shop/none   -               refused (not seen at the socket)\n");
}

TEST(Dump, NamesTheVerdictOfAnEmptyListThatDoesNotRefuse) {
  DatapathState state;
  state[{"shop", "web", ""}] =
      Port({{.key = Key("10.96.0.10", 80), .when_empty = SHUNT_NOT_A_SERVICE}}, {});

  EXPECT_EQ(Dump(state),
            "FRONTEND            SERVICE    BACKEND   NOTE\n"
            "10.96.0.10:80/TCP   shop/web   -         not_a_service\n");
}

Frontend LoadBalancer(std::string_view address) {
  return {.key = Key(address, 80), .kind = SHUNT_LOAD_BALANCER_IP, .checks_source = true};
}

TEST(Dump, SaysWhoMayDial) {
  Frontend loopback{.key = Key("127.0.0.1", 30080), .kind = SHUNT_NODE_PORT, .host_only = true};
  ServicePortState web = *Port({loopback, LoadBalancer("192.0.2.1")}, {Chosen("10.244.1.5", 80)});
  web.sources = {Cidr::Parse("10.0.0.0/8").value(), Cidr::Parse("2001:db8::/32").value()};
  DatapathState state;
  state[{"shop", "web", ""}] = std::make_shared<ServicePortState>(web);
  state[{"shop", "api", ""}] = Port({LoadBalancer("192.0.2.2")}, {});

  EXPECT_EQ(Dump(state),
            "FRONTEND              SERVICE    BACKEND         NOTE\n"
            "127.0.0.1:30080/TCP   shop/web   10.244.1.5:80   (host only)\n"
            "192.0.2.1:80/TCP      shop/web   10.244.1.5:80   (from 10.0.0.0/8, 2001:db8::/32)\n"
            "192.0.2.2:80/TCP      shop/api   -               refused (from nobody)\n");
}

TEST(Dump, ShowsWhatIsDialledFromOutsideWhereThatGoesElsewhere) {
  Frontend outside{.key = Key("192.0.2.1", 80),
                   .kind = SHUNT_EXTERNAL_IP,
                   .list = BackendList::kLocal,
                   .when_empty = SHUNT_NO_LOCAL_ENDPOINT};
  outside.key.scope = SHUNT_SCOPE_OUTSIDE;
  DatapathState state;
  state[{"shop", "web", ""}] =
      Port({{.key = Key("192.0.2.1", 80), .kind = SHUNT_EXTERNAL_IP}, outside},
           {Chosen("10.244.1.5", 80)});

  EXPECT_EQ(Dump(state),
            "FRONTEND                        SERVICE    BACKEND         NOTE\n"
            "192.0.2.1:80/TCP                shop/web   10.244.1.5:80\n"
            "192.0.2.1:80/TCP from outside   shop/web   -               no_local_endpoint\n");
}

TEST(Dump, DoesNotRepeatThatOtherPortsAreRefused) {
  DatapathState state;
  state[{"shop", "web", ""}] = Port({{.key = Key("10.96.0.10", 0, SHUNT_ANY_PROTOCOL),
                                      .kind = SHUNT_OTHER_PORTS,
                                      .when_empty = SHUNT_NO_PORT},
                                     {.key = Key("10.96.0.10", 80)}},
                                    {Chosen("10.244.1.5", 80)});

  EXPECT_EQ(Dump(state),
            "FRONTEND            SERVICE    BACKEND         NOTE\n"
            "10.96.0.10:80/TCP   shop/web   10.244.1.5:80\n");
}

TEST(Dump, OfANodeWithoutServicesIsTheHeaderAlone) {
  EXPECT_EQ(Dump({}), "FRONTEND   SERVICE   BACKEND   NOTE\n");
}

}  // namespace
}  // namespace shunt
