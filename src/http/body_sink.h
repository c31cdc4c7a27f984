// A sink takes the body of an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ipcbox::http {

class BodySink {
  public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;

    virtual void write(std::string_view bytes) = 0;

    // A descriptor to which the kernel may move bytes without write(); nothing when the sink must
    // see every byte. Errors call the descriptor OBJECT.
    struct Direct {
        int fd;
        std::string_view object;
    };
    [[nodiscard]] virtual std::optional<Direct> direct() { return std::nullopt; }
    // The kernel moved this many bytes to the descriptor of direct().
    virtual void moved(std::uint64_t /*bytes*/) {}

    // The body has ended. Throws when a part of it is missing.
    virtual void finish() {}
};

} // namespace ipcbox::http
