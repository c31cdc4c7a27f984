#include "http/digest.h"

#include "core/ascii.h"
#include "core/text_lines.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nettle/base64.h>
#include <nettle/nettle-meta.h>
#include <stdexcept>

namespace ipcbox::http {

namespace {

// Not nettle_lookup_hash(), which would link all hashes into a static program.
constexpr std::array hashes{&nettle_md5, &nettle_sha1, &nettle_sha256, &nettle_sha384,
                            &nettle_sha512};

const nettle_hash* find_hash(std::string_view name) {
    for (const auto* hash : hashes)
        if (ascii::same_but_for_case(name, hash->name)) return hash;
    return nullptr;
}

const nettle_hash& require_hash(std::string_view name) {
    if (const auto* hash = find_hash(name)) return *hash;
    throw std::invalid_argument("expected md5, sha1, sha256, sha384 or sha512");
}

std::size_t digits_of(const nettle_hash& hash) {
    return 2UL * hash.digest_size;
}

bool is_hex(std::string_view text) {
    return std::ranges::all_of(text, [](char byte) { return ascii::hex_value(byte).has_value(); });
}

const std::uint8_t* octets(std::string_view bytes) {
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

struct Line {
    Checksum checksum;
    std::string name;
};

// Undoes the escapes that sha256sum(1) writes in a name with a line break or a backslash. Nothing
// if TEXT has an escape that sha256sum never writes.
std::optional<std::string> unescaped(std::string_view text) {
    std::string name;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            name += text[at];
            continue;
        }
        if (++at == text.size()) return std::nullopt;
        switch (text[at]) {
        case '\\':
            name += '\\';
            break;
        case 'n':
            name += '\n';
            break;
        case 'r':
            name += '\r';
            break;
        default:
            return std::nullopt;
        }
    }
    return name;
}

// "SHA256 (name) = hex"; the name between them can contain anything.
std::optional<Line> parse_tagged(std::string_view line) {
    constexpr std::string_view before = " (";
    constexpr std::string_view behind = ") = ";
    const auto begin = line.find(before);
    const auto end = line.rfind(behind);
    if (begin == std::string_view::npos || end == std::string_view::npos ||
        end < begin + before.size())
        return std::nullopt;
    const auto* hash = find_hash(line.substr(0, begin));
    const auto hex = line.substr(end + behind.size());
    if (hash == nullptr || hex.size() != digits_of(*hash) || !is_hex(hex)) return std::nullopt;
    const auto name = line.substr(begin + before.size(), end - begin - before.size());
    return Line{{hash->name, ascii::lower(hex)}, std::string{name}};
}

// "hex  name" or "hex *name"
std::optional<Line> parse_plain(std::string_view line) {
    const auto size = std::min(line.find(' '), line.size());
    const auto hex = line.substr(0, size);
    const auto hash = std::ranges::find(hashes, size, [](auto* each) { return digits_of(*each); });
    if (hash == hashes.end() || !is_hex(hex)) return std::nullopt;
    const auto rest = line.substr(size);
    if (!rest.starts_with("  ") && !rest.starts_with(" *")) return std::nullopt;
    return Line{{(*hash)->name, ascii::lower(hex)}, std::string{rest.substr(2)}};
}

std::optional<Line> parse_line(std::string_view text) {
    const bool is_escaped = text.starts_with('\\');
    if (is_escaped) text.remove_prefix(1);
    auto line = parse_tagged(text);
    if (!line) line = parse_plain(text);
    if (!line || !is_escaped) return line;
    const auto name = unescaped(line->name);
    if (!name) return std::nullopt;
    line->name = *name;
    return line;
}

} // namespace

Digest::Digest(std::string_view algorithm)
    : hash_(&require_hash(algorithm)),
      state_((hash_->context_size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)) {
    hash_->init(state_.data());
}

void Digest::update(std::string_view bytes) {
    hash_->update(state_.data(), bytes.size(), octets(bytes));
}

std::string Digest::hex() {
    std::vector<std::uint8_t> digest(hash_->digest_size);
    hash_->digest(state_.data(), digest.size(), digest.data());
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

Checksum Checksum::parse(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos)
        throw std::invalid_argument("expected ALGORITHM:DIGEST, such as sha256:e3b0c442…");
    const auto& hash = require_hash(text.substr(0, colon));
    const auto hex = text.substr(colon + 1);
    if (hex.size() != digits_of(hash) || !is_hex(hex))
        throw std::invalid_argument(
            fmt::format("expected {} hexadecimal digits for {}", digits_of(hash), hash.name));
    return {hash.name, ascii::lower(hex)};
}

std::optional<Checksum> checksum_in_list(std::string_view list, std::string_view file_name) {
    std::optional<Checksum> found;
    for (TextLines lines{list}; const auto text = lines.next();) {
        auto line = parse_line(text->text);
        if (!line) continue;
        std::string_view name = line->name;
        if (name != file_name && name.starts_with("./")) name.remove_prefix(2);
        if (name == file_name && (!found || line->checksum.hex.size() > found->hex.size()))
            found = std::move(line->checksum);
    }
    return found;
}

std::string base64(std::string_view bytes) {
    std::string text(BASE64_ENCODE_RAW_LENGTH(bytes.size()), '\0');
    ::base64_encode_raw(text.data(), bytes.size(), octets(bytes));
    return text;
}

} // namespace ipcbox::http
