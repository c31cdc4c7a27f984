// One direction of a relay (net/relay.h): it moves bytes from a source to a sink, and never waits.
#pragma once

#include "core/pipe.h"
#include "net/relay.h"
#include "net/relay_port.h"

#include <exception>
#include <limits>
#include <poll.h>
#include <vector>

namespace ipcbox::net {

class RelayStream {
  public:
    // OPTIONS and COUNT, which gets the bytes that came, must outlive the stream.
    RelayStream(Flow flow, RelayPort from, RelayPort to, const RelayOptions& options,
                std::uint64_t& count);

    // It is waiting for its source or for its sink, or has ended.
    enum class State { reading, writing, ended };
    [[nodiscard]] State state() const { return state_; }
    void end() { state_ = State::ended; }

    // The entry for poll(2): the event that we wait for, or whether the sink is gone meanwhile.
    [[nodiscard]] pollfd awaited() const;
    [[nodiscard]] pollfd watched() const;

    // Moves all bytes that can be moved without waiting. Call it when poll(2) reports the awaited
    // event. Throws SysError.
    void move();

    // The sink is gone. With an error, it did not take the last bytes. Throws SysError for an
    // answer.
    void lose_sink();

    // The reason why the request was refused, if it was.
    [[nodiscard]] const std::exception_ptr& refusal() const { return refusal_; }

  private:
    enum class Way { direct, own_pipe, memory };
    enum class Outcome { moved, would_wait, changed };

    [[nodiscard]] Way choose_way() const;
    [[nodiscard]] std::size_t room(std::size_t size) const;
    Outcome took(ssize_t size);
    Outcome wait(State state);
    [[noreturn]] void fail_source(int error) const;
    Outcome fail_sink(int error);
    Outcome finish();
    Outcome expect_end();
    [[nodiscard]] bool stops_at_urgent_data() const;
    Outcome go_through_memory();
    Outcome move_directly();
    [[nodiscard]] bool is_source_error(int error) const;
    Outcome move_through_pipe();
    void empty_pipe_into_memory();
    Outcome move_through_memory();
    Outcome read_into_memory();
    [[nodiscard]] ssize_t write_from_memory() const;

    Flow flow_;
    RelayPort from_;
    RelayPort to_;
    const RelayOptions& options_;
    std::uint64_t& count_;
    std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
    Way way_;
    State state_ = State::reading;
    std::exception_ptr refusal_;

    Pipe hold_; // for Way::own_pipe
    std::size_t held_ = 0;

    std::vector<char> buffer_; // for Way::memory
    std::string_view pending_;
    bool ending_ = false; // the source has ended, and pending_ is the filter's last output
};

} // namespace ipcbox::net
