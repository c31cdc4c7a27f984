// etcd_stage MEMBERS COMMAND [ARGUMENT...] - runs COMMAND while a cluster of etcd runs, whose
// endpoints are in ETCDCTL_ENDPOINTS. COMMAND runs in an empty directory, which is removed
// afterwards.
#include "core/program.h"
#include "core/spawn.h"
#include "harness/etcd_cluster.h"
#include "harness/scenario.h"

#include <cstdlib>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

int main(int count, char** arguments) {
    if (count < 3) return 2;
    const std::vector<std::string> words{arguments + 2, arguments + count};
    const Scenario scenario;
    const EtcdCluster cluster{scenario.path("."),
                              {.members = static_cast<std::size_t>(std::atoi(arguments[1]))}};
    ::setenv("ETCDCTL_ENDPOINTS", cluster.endpoints().c_str(), 1);
    return spawn(find_program(words.front()), words, {}).wait().as_exit_status();
}
