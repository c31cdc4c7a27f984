// The data of -d and similar options: pieces, joined in the order of the command line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

// The content of a file; "-" is standard input. Throws TransferError with status cannot_read, even
// for more than 64 MiB, because -T and -F send files of any size.
[[nodiscard]] std::string input_text(const std::string& name);

class PostData {
  public:
    // -d: TEXT, or after an @ the name of a file, whose line ends and null bytes are left out.
    void add_text(std::string_view text);
    // --data-raw: TEXT, whatever it begins with.
    void add_raw(std::string_view text);
    // --data-binary: like -d, but a file stays unchanged.
    void add_binary(std::string_view text);
    // --data-urlencode: see urlencoded_data().
    void add_urlencoded(std::string_view text);
    // --json: like --data-binary, but without the & between two pieces.
    void add_json(std::string_view text);

    // Nothing as long as nothing was added.
    [[nodiscard]] const std::optional<std::string>& text() const { return text_; }
    [[nodiscard]] bool is_json() const { return json_; }

  private:
    void add(std::string_view piece);

    std::optional<std::string> text_;
    bool json_ = false;
};

// "content", "=content", "name=content", "@file" and "name@file": the content is encoded, the name
// is not. As in curl, a blank becomes +.
[[nodiscard]] std::string urlencoded_data(std::string_view text);

} // namespace ipcbox::front
