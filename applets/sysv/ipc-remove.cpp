// ipc-remove - remove System V objects that nobody uses
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/io.h"
#include "front/ipc/choice.h"
#include "front/ipc/rows.h"
#include "sysv/object_name.h"
#include "sysv/survey.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    std::vector<sysv::ObjectName> names;
    front::IpcKinds kinds;
    bool orphans = false;
    std::optional<Duration> older;
    std::optional<cli::Owner> owner;
    bool all_mine = false;
    bool force = false;
    bool yes = false;
    bool dry_run = false;
    bool json = false;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[KEY...]"};
    options.operands("KEY", config.names, sysv::ObjectName::parse,
                     "an object: 1234, 0x4d2, ./path, @name, an id, or sem:12");
    options.flag("-s,--sem", config.kinds.semaphores, "remove only semaphore sets");
    options.flag("-m,--shm", config.kinds.memory, "remove only shared memory segments");
    options.flag("--msg", config.kinds.messages, "remove only message queues");
    options.flag("--orphans", config.orphans, "remove only unused objects whose creator has ended");
    options.value("--older DURATION", config.older, cli::parse_duration,
                  "remove only objects that were not used or changed for this long");
    options.value("--owner USER", config.owner, cli::parse_owner,
                  "remove only objects that belong to USER");
    options.flag("--all-mine", config.all_mine, "remove only objects that belong to the caller");
    options.flag("-f,--force", config.force, "also remove objects that are in use");
    options.flag("-y,--yes", config.yes, "remove the objects without asking");
    options.flag("-n,--dry-run", config.dry_run,
                 "print the objects that would be removed, and remove nothing");
    options.json(config.json);
    options.note("ipc-remove removes the objects that the KEYs name, or without a KEY, all objects "
                 "to which the options apply. With both, both must apply. ipc-remove keeps an "
                 "object that is in use, or if it cannot find out whether the object is in use.");
    options.example("ipc-remove @build", "remove the set that sem-create made");
    options.example("ipc-remove --orphans --older 1h --dry-run",
                    "show the objects that earlier programs left behind");
    options.example("ipc-remove --yes --shm --all-mine", "remove your segments in a script");
    config.verbosity = options.parse();
    if (config.owner && config.all_mine)
        throw cli::UsageError("--owner and --all-mine cannot be combined");
    if (config.all_mine) config.owner = cli::Owner{::geteuid(), 0, {}};
    if (config.names.empty() && !config.orphans && !config.older && !config.owner)
        throw cli::UsageError("expected a KEY, --orphans, --older, --owner or --all-mine");
    return config;
}

// Whether the options choose ENTRY, in use or not.
bool is_chosen(const sysv::Entry& entry, const Config& config) {
    if (config.owner && entry.object.owner != config.owner->uid) return false;
    if (config.orphans && entry.creator != sysv::Presence::gone) return false;
    if (config.older) {
        const auto idle = std::chrono::seconds{std::time(nullptr) - entry.object.last_change()};
        if (idle < *config.older) return false;
    }
    return front::is_meant(entry, config.names);
}

// Why ENTRY cannot be removed. Empty when it can.
std::string obstacle(const sysv::Entry& entry, const Config& config) {
    return config.force || entry.use == sysv::Use::free ? std::string{} : entry.why;
}

class Removal {
  public:
    explicit Removal(const Config& config)
        : config_(config), survey_(front::known_names(config.names)) {}

    int run() {
        auto chosen = look(front::ipc_objects(config_.kinds, config_.names));
        check_names(chosen);
        std::erase_if(chosen, [this](const auto& entry) { return refuses(entry); });
        if (config_.dry_run)
            for (const auto& entry : chosen)
                print("would remove", entry);
        else if (!chosen.empty() && may_remove(chosen))
            remove(chosen);
        return failures_ == 0 ? exit_status::done : exit_status::failed;
    }

  private:
    std::vector<sysv::Entry> look(const std::vector<sysv::Object>& objects) {
        auto entries = survey_.look_at(objects);
        std::erase_if(entries, [this](const auto& entry) { return !is_chosen(entry, config_); });
        return entries;
    }

    void fail(std::string_view object, std::string_view reason) {
        cli::diagnose(fmt::format("cannot remove {}: {}", object, reason));
        ++failures_;
    }

    // A name means all objects that were created with it. Any other word must mean a single object.
    void check_names(std::vector<sysv::Entry>& chosen) {
        for (const auto& name : config_.names) {
            std::vector<std::string> meant;
            for (const auto& entry : chosen)
                if (name.means(entry)) meant.push_back(entry.object.handle());
            if (meant.empty()) fail(name.text(), "there is no such object");
            if (meant.size() < 2 || name.is_name()) continue;
            fail(name.text(),
                 fmt::format("this can be {}: name one of them", fmt::join(meant, " or ")));
            std::erase_if(chosen, [&](const auto& entry) { return name.means(entry); });
        }
    }

    // If the user named the object, reports why it stays. If options chose it, the user did not
    // mean objects in use.
    bool refuses(const sysv::Entry& entry) {
        const auto reason = obstacle(entry, config_);
        if (reason.empty()) return false;
        if (!config_.names.empty())
            fail(front::object_text(entry), reason + " (--force removes it anyway)");
        else if (config_.verbosity.verbose)
            cli::diagnose(fmt::format("kept {}: {}", front::object_text(entry), reason));
        return true;
    }

    void print(std::string_view what, const sysv::Entry& entry) const {
        if (config_.json)
            cli::print(cli::JsonLine{}
                           .set("kind", sysv::short_name_of(entry.object.kind))
                           .set("id", entry.object.id)
                           .set("key", static_cast<std::uint32_t>(entry.object.key))
                           .set_flag("removed", !config_.dry_run)
                           .text());
        else
            cli::print_line("{} {}: {}", what, front::object_text(entry), front::state_text(entry));
    }

    [[nodiscard]] bool may_remove(const std::vector<sysv::Entry>& chosen) {
        if (config_.yes) return true;
        if (!cli::is_terminal(STDIN_FILENO))
            throw Error("cannot ask before it removes anything: standard input is no terminal "
                        "(use --yes)");
        for (const auto& entry : chosen)
            cli::print_line("{}: {}; {}", front::object_text(entry), front::state_text(entry),
                            front::users_text(entry));
        cli::print(fmt::format("remove {}? [y/N] ",
                               chosen.size() == 1 ? "it" : fmt::format("these {}", chosen.size())));
        cli::flush();
        std::array<std::byte, 256> answer{};
        const auto size = read_some(STDIN_FILENO, answer, "standard input");
        const bool agrees =
            size > 0 && (answer[0] == std::byte{'y'} || answer[0] == std::byte{'Y'});
        if (!agrees) ++failures_;
        return agrees;
    }

    // Removes a few at a time, and looks at each one again first, because a process may have taken
    // it in the meantime.
    void remove(const std::vector<sysv::Entry>& chosen) {
        constexpr std::size_t portion = 64;
        for (std::size_t at = 0; at < chosen.size(); at += portion) {
            std::vector<sysv::Object> objects;
            for (auto one = at; one < std::min(at + portion, chosen.size()); ++one)
                objects.push_back(chosen[one].object);
            std::vector<sysv::Object> still_there;
            for (const auto& object : objects)
                if (auto now = sysv::find_object(object.kind, object.id))
                    still_there.push_back(*now);
            for (const auto& entry : survey_.look_at(still_there))
                remove_one(entry);
        }
    }

    void remove_one(const sysv::Entry& entry) try {
        const auto text = front::object_text(entry);
        if (!is_chosen(entry, config_)) return fail(text, "it was used in the meantime");
        if (const auto reason = obstacle(entry, config_); !reason.empty())
            return fail(text, "it was taken in the meantime: " + reason);
        if (!sysv::remove_object(entry.object.kind, entry.object.id)) return; // already gone
        if (config_.json || config_.verbosity.verbose) print("removed", entry);
    } catch (const SysError& error) {
        cli::diagnose(error.what());
        ++failures_;
    }

    const Config& config_;
    sysv::Survey survey_;
    int failures_ = 0;
};

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return Removal{config}.run();
}

} // namespace

extern constexpr Applet ipc_remove{"remove System V objects that nobody uses", run};

} // namespace ipcbox
