#include "tls/channel.h"

#include "core/error.h"
#include "net/tls_protocol.h"
#include "tls/certificate.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pemerr.h>
#include <openssl/ssl.h>

namespace ipcbox::tls {

using namespace tls_protocol;

void ContextCloser::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}
void Channel::Closer::operator()(ssl_st* ssl) const {
    SSL_free(ssl);
}

Context make_context(Role role) {
    Context owner{SSL_CTX_new(role == Role::client ? TLS_client_method() : TLS_server_method())};
    SSL_CTX* context = owner.get();
    if (context == nullptr) throw Error(first_error(), handshake_failed);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    // Refuse a key with a passphrase: OpenSSL would ask for it on the terminal. Zero would not
    // refuse, but try the empty passphrase.
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
    // One read(2) takes several records.
    constexpr std::size_t read_ahead = 128UL * 1024;
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, read_ahead);
    return owner;
}

namespace {

// Why OpenSSL cannot use a file, in words for the user who gave the file. nullptr for all other
// errors.
const char* reason_of_file(unsigned long error) {
    const int reason = ERR_GET_REASON(error);
    const int library = ERR_GET_LIB(error);
    if ((library == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
        (library == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED))
        return "it has none in PEM form";
    // What a refusal to give a passphrase becomes: make_context().
    if ((library == ERR_LIB_CRYPTO && reason == ERR_R_INTERRUPTED_OR_CANCELLED) ||
        (library == ERR_LIB_PEM && reason == PEM_R_BAD_PASSWORD_READ))
        return "it wants a passphrase";
    return nullptr;
}

} // namespace

std::string first_error() {
    const auto error = ERR_get_error();
    const char* reason = reason_of_file(error);
    if (reason == nullptr) reason = ERR_reason_error_string(error);
    if (ERR_SYSTEM_ERROR(error)) reason = error_text(ERR_GET_REASON(error)).data();
    ERR_clear_error();
    return reason != nullptr ? printable(reason) : "no reason given";
}

Channel::Channel(Context context, Role role, int network, std::unique_ptr<Judgement> judgement)
    : judgement_(std::move(judgement)), context_(std::move(context)),
      ssl_(SSL_new(context_.get())) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), network) != 1) throw Error(first_error(), handshake_failed);
    role == Role::client ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
}

Channel::~Channel() = default;
Channel::Channel(Channel&&) noexcept = default;

Outcome Channel::outcome_of(int result, int number, std::string_view what) {
    const int error = errno;
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE:
        return Outcome::done;
    case SSL_ERROR_WANT_READ:
        return Outcome::wants_read;
    case SSL_ERROR_WANT_WRITE:
        return Outcome::wants_write;
    case SSL_ERROR_ZERO_RETURN:
        if (number != not_sent) return Outcome::ended;
        // After the peer has ended its half, OpenSSL reports every failure of ours like this.
        [[fallthrough]];
    case SSL_ERROR_SYSCALL:
        throw ConnectionBroken(fmt::format("{}{}", what, error_text(error)), number);
    default:
        break;
    }
    switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        throw ConnectionBroken(fmt::format("{}the peer closed the connection without a word", what),
                               number);
    case SSL_R_WRONG_VERSION_NUMBER:
        throw Error(fmt::format("{}the answer is not TLS", what), number);
    default:
        throw Error(fmt::format("{}{}", what, first_error()), number);
    }
}

// A server that knows none of the protocols can end the handshake, or just not answer the question.
void Channel::check_protocol() {
    if (judgement_->alpn.empty()) return;
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &chosen, &size);
    if (std::string_view{reinterpret_cast<const char*>(chosen), size} != judgement_->alpn)
        throw Error(fmt::format("the server does not speak {} (ALPN)", judgement_->alpn),
                    handshake_failed);
}

Outcome Channel::shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    try {
        const auto outcome = outcome_of(result, handshake_failed, "the handshake failed: ");
        if (outcome == Outcome::done) check_protocol();
        if (outcome != Outcome::ended) return outcome;
    } catch (const Error&) {
        if (!judgement_->refusal.empty()) throw Error(judgement_->refusal, judgement_->number);
        throw;
    }
    throw Error("the handshake failed: the peer closed the connection", handshake_failed);
}

std::string Channel::description() const {
    return fmt::format("{} {}", SSL_get_version(ssl_.get()), SSL_get_cipher_name(ssl_.get()));
}

Step Channel::read(std::span<char> into) {
    ERR_clear_error();
    Step step{Outcome::done};
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &step.bytes);
    step.outcome = outcome_of(result, cut_off, "");
    return step;
}

Step Channel::write(std::span<const char> from) {
    ERR_clear_error();
    Step step{Outcome::done};
    const int result = SSL_write_ex(ssl_.get(), from.data(), from.size(), &step.bytes);
    step.outcome = outcome_of(result, not_sent, "");
    return step;
}

Outcome Channel::close() {
    ERR_clear_error();
    const int result = SSL_shutdown(ssl_.get());
    // 0 means that our alert was sent and the peer has not answered yet.
    return result >= 0 ? Outcome::done : outcome_of(result, not_sent, "");
}

} // namespace ipcbox::tls
