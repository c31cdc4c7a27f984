#include "front/ipc/cluster_taking.h"

#include "cli/json.h"
#include "cli/output.h"
#include "cli/values.h"
#include "cluster/lent_token.h"
#include "cluster/token_sets.h"
#include "core/error.h"
#include "core/process_info.h"
#include "core/signals.h"
#include "front/ipc/guarded_run.h"
#include "front/run_command.h"

#include <algorithm>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox::front {

namespace {

Duration parse_ttl(std::string_view text) {
    constexpr auto shortest = std::chrono::seconds{2};
    constexpr auto longest = std::chrono::hours{24};
    const auto ttl = cli::parse_duration(text);
    if (ttl < shortest || ttl > longest || ttl % std::chrono::seconds{1} != Duration::zero())
        throw std::invalid_argument("expected whole seconds, from 2s to 24h");
    return ttl;
}

cluster::OnLost parse_on_lost(std::string_view text) {
    if (text == "kill") return cluster::OnLost::kill;
    if (text == "pause") return cluster::OnLost::pause;
    if (text == "warn") return cluster::OnLost::warn;
    throw std::invalid_argument("expected kill, pause or warn");
}

bool fails_at_once(const ClusterTaking& taking) {
    return taking.wait == Duration::zero();
}

// The end of the wait for a token. With -n, we ask once and give the cluster its usual patience.
Deadline end_of_wait(const ClusterTaking& taking) {
    return fails_at_once(taking) ? Deadline::never() : Deadline::after_or_never(taking.wait);
}

cluster::TokenWish wish_of(const ClusterTaking& taking, const cluster::TokenEntry& entry) {
    const auto patience = Deadline::after(etcd_patience);
    return {.keys = etcd_keys(taking.key),
            .entry = entry,
            .slots = taking.slots,
            .ttl = taking.options.ttl,
            .must_be_free = fails_at_once(taking),
            .first_answer = std::min(end_of_wait(taking), patience)};
}

} // namespace

void declare(cli::Options& options, ClusterOptions& into) {
    declare(options, into.etcd);
    options.value("--ttl DURATION", into.ttl, parse_ttl,
                  "if the host fails, give the token back after this time (default 15s)");
    options.value("--on-lost ACTION", into.on_lost, parse_on_lost,
                  "the action if the token may be lost: kill (default), pause or warn");
    options.value(
        "--grace DURATION", into.grace, cli::parse_duration,
        "with --on-lost kill: the time between TERM and KILL (default a quarter of --ttl)");
}

void ClusterOptions::check() const {
    if (grace && *grace > cluster::max_grace_of(ttl))
        throw cli::UsageError("--grace: expected at most half of --ttl");
}

cluster::KeeperPlan keeper_plan(const ClusterTaking& taking, const cluster::TokenEntry& entry) {
    return {.access = taking.access,
            .wish = wish_of(taking, entry),
            .on_lost = taking.options.on_lost,
            .grace = taking.options.grace,
            .wait = end_of_wait(taking),
            .busy_status = taking.busy_status,
            .silence = taking.silence,
            .tells_result = taking.tells_result};
}

int take_for_command(const ClusterTaking& taking, const std::vector<std::string>& command) {
    return run_command(command, [&](const Command& found) {
        return run_guarded(found, keeper_plan(taking, cluster::TokenEntry::ours(command.front())));
    });
}

int take_until_given(const ClusterTaking& taking) {
    const auto parent = find_process(::getppid());
    auto entry = cluster::TokenEntry::ours(parent ? parent->name : "");
    entry.pid = ::getppid();
    etcd::Client client{taking.access};
    const auto tell = [&taking](const std::string& line) {
        if (taking.tells_result) cli::diagnose(line);
    };
    const auto lent = cluster::take_lent_token(
        client, {wish_of(taking, entry), end_of_wait(taking), taking.silence, tell});
    if (lent.signal != 0) die_of(lent.signal);
    if (!lent.is_taken) tell(lent.refusal);
    try {
        if (taking.json)
            cli::JsonLine{}.set("key", taking.key).set_flag("taken", lent.is_taken).print();
    } catch (const Error&) {
        // Give it back, because we are about to fail. A script does not give a token back after
        // sem-take has failed.
        if (lent.is_taken)
            (void)cluster::give_back(client, etcd_keys(taking.key).entry(lent.entry.lease),
                                     lent.entry.revision, Deadline::after(etcd_patience));
        throw;
    }
    return lent.is_taken ? exit_status::done : taking.busy_status;
}

} // namespace ipcbox::front
