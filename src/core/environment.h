// The environment of a program that we start, made of several layers: environ(7).
//
//     Environment environment = Environment::ours(); // what we keep of our own
//     environment.set("PROTO=TCP");                  // what we know is stronger
//     environment.set_all(rule_variables);           // what the administrator says is strongest
//     plan.environment = &environment.entries();
//
// Each name occurs in it exactly once. That matters for security: of two entries with one name,
// getenv(3) finds the first, while perl and others keep the last.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox {

class Environment {
  public:
    Environment() = default;

    // Our own environment. Of several entries with one name, it keeps the one that getenv(3) finds.
    // Entries without a name or without "=" are dropped.
    [[nodiscard]] static Environment ours();

    // Sets "NAME=VALUE": in the place of the entry with that name, or at the end. It changes
    // nothing when ENTRY has no name or no "=".
    void set(std::string entry);
    // Sets each of ENTRIES in turn, so the last one of a name wins.
    void set_all(std::span<const std::string> entries);

    // Removes every variable for whose name IS_DROPPED is true.
    void remove_if(const std::function<bool(std::string_view name)>& is_dropped);

    // Every entry, "NAME=VALUE", as SpawnPlan::environment takes them.
    [[nodiscard]] const std::vector<std::string>& entries() const noexcept { return entries_; }

  private:
    std::vector<std::string> entries_;
};

} // namespace ipcbox
