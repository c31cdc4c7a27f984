#include "front/server/tls.h"

#include "cli/values.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/spawn.h"
#include "net/tls_process.h"

#include <fmt/core.h>

namespace ipcbox::front {

namespace {

constexpr auto default_handshake = std::chrono::seconds{10};

std::vector<std::string> words_for(const std::string& program, const ServerTls& tls) {
    std::vector<std::string> words{program, "serve", "certificate=" + *tls.certificate};
    if (tls.key) words.push_back("key=" + *tls.key);
    if (tls.client_ca) words.push_back("client-ca=" + *tls.client_ca);
    return words;
}

} // namespace

void declare(cli::Options& options, ServerTls& into) {
    options.section("TLS");
    options.value("--tls-cert PATH", into.certificate, cli::parse_file,
                  "speak TLS with this certificate (PEM); for a directory, with NAME.pem, where "
                  "NAME is the host that the client asks for");
    options.value("--tls-key FILE", into.key, cli::parse_file,
                  "TLS: the private key of --tls-cert (PEM), if it is in another file");
    options.value("--tls-client-ca FILE", into.client_ca, cli::parse_file,
                  "TLS: require a client certificate from one of the issuers in FILE (PEM)");
}

void check(const ServerTls& tls) {
    if (!tls && (tls.key || tls.client_ca))
        throw cli::UsageError("--tls-key and --tls-client-ca need --tls-cert");
}

void serve_over_tls(const ServerTls& tls, std::optional<Duration> handshake,
                    server::ProgramPlan& program) {
    const auto speaker = net::tls_program();
    auto words = words_for(speaker, tls);
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(
        handshake.value_or(Duration{default_handshake}));
    words.push_back(fmt::format("handshake={}", limit.count()));
    words.push_back("program=" + program.program);
    words.emplace_back("--");
    words.insert(words.end(), program.arguments.begin(), program.arguments.end());
    program.program = speaker;
    program.arguments = std::move(words);
}

void check_tls_files(const ServerTls& tls) {
    const auto speaker = net::tls_program();
    Pipe problems = make_pipe();
    SpawnPlan plan;
    plan.error = problems.writer.get();
    Child child = net::spawn_tls(speaker, words_for(speaker, tls), plan);
    problems.writer = Fd{};
    constexpr std::size_t max_text = 16UL * 1024;
    std::string_view prefix = "ipcbox-tls: ";
    auto text = read_to_end(problems.reader.get(), max_text, "ipcbox-tls");
    if (child.wait().succeeded()) return;
    if (text.starts_with(prefix)) text.erase(0, prefix.size());
    throw Error(text.substr(0, text.find('\n')));
}

} // namespace ipcbox::front
