#include "cli/options.h"

#include "cli/command_line.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/version_line.h"
#include "core/trace.h"

#include <algorithm>
#include <stdexcept>

namespace ipcbox::cli {

namespace {

// While this is not null, parse() stores the declarations there and does not parse.
constinit Declared* asked_for = nullptr;

void tell_declarations(const Declarations& declared, Declared& into) {
    for (const auto& declaration : declared.all)
        if (declaration.kind == Declaration::Kind::operand) {
            into.operands.push_back(declaration.name.value);
            into.repeats_operand = declaration.repeated;
        } else {
            into.options.push_back(declaration.name);
        }
    into.runs_command = declared.command != nullptr;
}

} // namespace

Options::Options(const Invocation& invocation, std::string_view usage)
    : arguments_(invocation.arguments) {
    declared_.program = invocation.name;
    declared_.summary = invocation.summary;
    declared_.usage = usage;
}

void Options::section(std::string_view title) {
    auto& sections = declared_.sections;
    if (std::ranges::find(sections, title) == sections.end()) sections.push_back(title);
    declared_.section = title;
}

void Options::flag(std::string_view names, bool& into, std::string_view text) {
    declared_.all.push_back({.kind = Declaration::Kind::flag,
                             .name = split_names(names, text),
                             .set = [&into](std::string_view no) { into = no.empty(); },
                             .section = declared_.section});
}

void Options::add_value(std::string_view names, Setter set, std::string_view text) {
    declared_.all.push_back({.kind = Declaration::Kind::value,
                             .name = split_names(names, text),
                             .set = std::move(set),
                             .section = declared_.section});
}

void Options::add_operand(std::string_view name, Setter set, std::string_view text,
                          Presence presence) {
    OptionName names;
    names.value = name;
    names.text = text;
    declared_.all.push_back({.kind = Declaration::Kind::operand,
                             .name = std::move(names),
                             .set = std::move(set),
                             .required = presence == Presence::required,
                             .repeated = presence == Presence::repeated});
}

void Options::command(std::vector<std::string>& into) {
    declared_.command = &into;
}

void Options::json(bool& into) {
    flag("-J,--json", into, "print JSON, one object on each line");
}

void Options::negatable_flags() {
    declared_.negatable = true;
}

void Options::refuse(std::span<const RefusedOption> table) {
    declared_.refused = table;
}

void Options::include(std::string_view names, WordReader read, std::string_view text) {
    add_value(names, {}, text);
    declared_.all.back().include = std::move(read);
}

void Options::respell(Spelling spelling) {
    declared_.respell = std::move(spelling);
}

void Options::note(std::string_view text) {
    declared_.notes.push_back(text);
}

void Options::example(std::string_view command, std::string_view text) {
    declared_.examples.push_back({command, text});
}

Verbosity Options::parse() {
    if (!declared_.sections.empty()) section("General");
    flag("-v,--verbose", verbosity_.verbose, "print more on standard error");
    flag("-q,--quiet", verbosity_.quiet, "print errors only");
    flag("--trace", trace_, "print each system call on standard error");
    flag("-h,--help", help_, "print this help");
    flag("-V,--version", version_, "print the version");
    if (asked_for != nullptr) {
        tell_declarations(declared_, *asked_for);
        throw Finished{};
    }
    const auto line = read_command_line(declared_, arguments_);
    const auto is_given = [this](std::string_view name) { return declared_.find(name)->given; };
    if (is_given("--help")) {
        print_help(declared_);
        throw Finished{};
    }
    if (is_given("--version")) {
        print(version_line());
        throw Finished{};
    }
    if (line.unexpected)
        throw UsageError(fmt::format("unexpected operand '{}'", *line.unexpected),
                         usage_line(declared_));
    if (line.lacks_command)
        throw UsageError("the command after -- is missing", usage_line(declared_));
    interpret(line);
    if (trace_) sys::start_tracing();
    return verbosity_;
}

void Options::interpret(const CommandLine& line) const {
    for (const auto& [declaration, value, place] : line.given)
        try {
            declaration->set(value);
        } catch (const std::invalid_argument& wrong) {
            throw UsageError(fmt::format("{}{} '{}': {}", place_prefix(place),
                                         declaration->shown_name(), value, wrong.what()),
                             help_row(*declaration));
        } catch (Error& error) {
            // The line is correct, but something that it names does not exist or cannot be used.
            const auto* command = declared_.command;
            if (command != nullptr && !command->empty() && error.status() == exit_status::failed)
                error.set_status(exit_status::before_command);
            throw;
        }
    for (const auto& declaration : declared_.all)
        if (declaration.required && !declaration.given)
            throw UsageError(fmt::format("{} is missing", declaration.shown_name()),
                             help_row(declaration));
}

Declared declarations_of(const AppletRow& applet) {
    Declared declared;
    asked_for = &declared;
    try {
        (void)applet.applet->run({applet.name, applet.applet->summary, {}});
    } catch (const Finished&) { // NOLINT(bugprone-empty-catch): that is how parse() ends
    }
    asked_for = nullptr;
    return declared;
}

} // namespace ipcbox::cli
