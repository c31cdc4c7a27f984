#include "http/digest_login.h"

#include "core/ascii.h"
#include "http/digest.h"
#include "http/failure.h"
#include "http/response_parser.h"
#include "http/tokens.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::http {

namespace {

constexpr std::string_view blanks = " \t";

// Parses a list of challenges from its front.
class Reader {
  public:
    explicit Reader(std::string_view text) : left_(text) {}

    [[nodiscard]] bool at_end() const { return left_.empty(); }
    void skip(std::string_view bytes) {
        left_.remove_prefix(std::min(left_.find_first_not_of(bytes), left_.size()));
    }
    bool take(char byte) {
        if (!left_.starts_with(byte)) return false;
        left_.remove_prefix(1);
        return true;
    }
    void drop_byte() { left_.remove_prefix(left_.empty() ? 0 : 1); }
    std::string_view token() {
        const auto size = std::ranges::find_if_not(left_, is_token_byte) - left_.begin();
        const auto word = left_.substr(0, static_cast<std::size_t>(size));
        left_.remove_prefix(word.size());
        return word;
    }
    // A token, or the text between quotes.
    std::string value() {
        if (!take('"')) return std::string{token()};
        std::string text;
        while (!left_.empty() && !take('"')) {
            if (left_.front() == '\\' && left_.size() > 1) left_.remove_prefix(1);
            text += left_.front();
            left_.remove_prefix(1);
        }
        return text;
    }

  private:
    std::string_view left_;
};

std::string hash(bool sha256, std::string_view text) {
    Digest digest{sha256 ? "sha256" : "md5"};
    digest.update(text);
    return digest.hex();
}

// Inside quotes (RFC 9110, section 5.6.4).
std::string escaped(std::string_view text) {
    std::string result;
    for (const char byte : text) {
        if (byte == '"' || byte == '\\') result += '\\';
        result += byte;
    }
    return result;
}

bool lists(std::string_view list, std::string_view wanted) {
    return std::ranges::any_of(list_elements(list), [wanted](std::string_view element) {
        return ascii::same_but_for_case(element, wanted);
    });
}

} // namespace

std::string_view AuthChallenge::find(std::string_view name) const {
    const auto found = std::ranges::find(parameters, name, &Parameter::name);
    return found == parameters.end() ? std::string_view{} : found->value;
}

std::vector<AuthChallenge> parse_challenges(std::string_view value) {
    std::vector<AuthChallenge> challenges;
    Reader reader{value};
    for (reader.skip(", \t"); !reader.at_end(); reader.skip(", \t")) {
        const auto word = ascii::lower(reader.token());
        if (word.empty()) {
            reader.drop_byte(); // skip a byte that is no token, as at the end of "Negotiate YII=="
            continue;
        }
        reader.skip(blanks);
        if (!reader.take('=')) {
            challenges.push_back({word, {}});
            continue;
        }
        reader.skip(blanks);
        auto text = reader.value();
        if (!challenges.empty()) challenges.back().parameters.push_back({word, std::move(text)});
    }
    return challenges;
}

std::optional<DigestChallenge> DigestChallenge::find(const ResponseHead& head,
                                                     std::string_view field_name) {
    std::optional<DigestChallenge> best;
    for (const auto& field : head.fields) {
        if (!ascii::same_but_for_case(field.name, field_name)) continue;
        for (const auto& offer : parse_challenges(field.value)) {
            if (offer.scheme != "digest" || offer.find("nonce").empty()) continue;
            DigestChallenge challenge;
            challenge.algorithm_ = offer.find("algorithm");
            auto name = ascii::lower(challenge.algorithm_);
            constexpr std::string_view session = "-sess";
            challenge.session_ = name.ends_with(session);
            if (challenge.session_) name.resize(name.size() - session.size());
            challenge.sha256_ = name == "sha-256";
            if (!challenge.sha256_ && !name.empty() && name != "md5") continue;
            const auto quality = offer.find("qop");
            challenge.quality_ = lists(quality, "auth");
            // Skip a challenge that offers only auth-int, which signs the body, or a session
            // without a client nonce.
            if (!challenge.quality_ && (!quality.empty() || challenge.session_)) continue;
            challenge.realm_ = offer.find("realm");
            challenge.nonce_ = offer.find("nonce");
            challenge.opaque_ = offer.find("opaque");
            challenge.has_opaque_ = std::ranges::any_of(
                offer.parameters, [](const auto& one) { return one.name == "opaque"; });
            challenge.user_hash_ = ascii::same_but_for_case(offer.find("userhash"), "true");
            challenge.stale_ = ascii::same_but_for_case(offer.find("stale"), "true");
            if (!best || (challenge.sha256_ && !best->sha256_)) best = std::move(challenge);
        }
    }
    return best;
}

// RFC 7616, sections 3.4.1 to 3.4.4.
std::string DigestChallenge::answer(const Credentials& login, std::string_view method,
                                    std::string_view target, std::string_view client_nonce) {
    if (std::ranges::any_of(login.user, ascii::is_control))
        throw TransferError("cannot log in: the user name contains control characters",
                            status::cannot_log_in);
    const auto count = fmt::format("{:08x}", ++count_);
    auto secret = hash(sha256_, fmt::format("{}:{}:{}", login.user, realm_, login.password));
    if (session_) secret = hash(sha256_, fmt::format("{}:{}:{}", secret, nonce_, client_nonce));
    const auto action = hash(sha256_, fmt::format("{}:{}", method, target));
    const auto response = quality_ ? hash(sha256_, fmt::format("{}:{}:{}:{}:auth:{}", secret,
                                                               nonce_, count, client_nonce, action))
                                   : hash(sha256_, fmt::format("{}:{}:{}", secret, nonce_, action));
    const auto user =
        user_hash_ ? hash(sha256_, fmt::format("{}:{}", login.user, realm_)) : escaped(login.user);
    auto text =
        fmt::format(R"(Digest username="{}", realm="{}", nonce="{}", uri="{}", response="{}")",
                    user, escaped(realm_), escaped(nonce_), target, response);
    if (quality_) text += fmt::format(R"(, cnonce="{}", nc={}, qop=auth)", client_nonce, count);
    if (has_opaque_) text += fmt::format(R"(, opaque="{}")", escaped(opaque_));
    if (!algorithm_.empty()) text += fmt::format(", algorithm={}", algorithm_);
    if (user_hash_) text += ", userhash=true";
    return text;
}

bool offers(const ResponseHead& head, std::string_view field_name, std::string_view scheme) {
    return std::ranges::any_of(head.fields, [&](const Field& field) {
        if (!ascii::same_but_for_case(field.name, field_name)) return false;
        const auto challenges = parse_challenges(field.value);
        return std::ranges::find(challenges, scheme, &AuthChallenge::scheme) != challenges.end();
    });
}

} // namespace ipcbox::http
