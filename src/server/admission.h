// Limits the connections of a server: at the same time, from one network, in a period, and in
// total. Each connection holds a Place from the moment it is accepted to its end. The destructor of
// a Place gives back everything that it counted, however the connection ended.
#pragma once

#include "core/deadline.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace ipcbox::server {

class Admission;

// A connection's right to be here. Movable; an empty one holds nothing.
class Place {
  public:
    Place() noexcept = default;
    Place(Place&& other) noexcept;
    Place& operator=(Place&& other) noexcept;
    // Gives the place back. The total and the rate do not count a connection that was never
    // confirmed.
    ~Place();

    // A connection that our former image counted for NETWORK and CLIENT. Admission::take_over()
    // makes it a place.
    [[nodiscard]] static Place left(std::string network, std::string client);

    explicit operator bool() const noexcept { return admission_ != nullptr; }

    // The client is served: from now on the connection counts in the total and in the rate.
    void confirm();

    // Counts the connection as one of NETWORK. False when NETWORK has MAX connections already. Call
    // it once.
    [[nodiscard]] bool enter_network(const std::string& network, unsigned max);
    // Counts the connection as one of CLIENT, and returns how many CLIENT has now. Call it once.
    unsigned enter_client(const std::string& client);

    // As they were entered, for the next image of the server; empty when none was.
    [[nodiscard]] const std::string& network() const noexcept { return network_; }
    [[nodiscard]] const std::string& client() const noexcept { return client_; }

  private:
    friend class Admission;
    Place(Admission& admission, std::uint64_t number) noexcept
        : admission_(&admission), number_(number) {}

    Admission* admission_ = nullptr;
    std::uint64_t number_ = 0; // of its entry in the rate
    bool is_confirmed_ = false;
    std::string network_;
    std::string client_;
};

// At most COUNT connections in any PERIOD.
struct Rate {
    int count = 0;
    Duration period{};
};

// Hands out places to several accept loops. It has to outlive every Place.
class Admission {
  public:
    struct Limits {
        int places = 128;                        // connections at the same time
        std::optional<Rate> rate = {};           // more of them wait in the backlog
        std::optional<std::uint64_t> total = {}; // confirmed ones, then no place
    };

    // SERVED_BEFORE counts in the total: connections that our former image served.
    explicit Admission(Limits limits, std::uint64_t served_before = 0)
        : limits_(limits), served_(served_before) {}

    // Waits until a place is free, the rate allows one and no pause lasts; then returns the place.
    // Returns nothing once the admission is closed or the total is served. Take a place only when a
    // client has come: a place that waits for a client keeps other clients out.
    [[nodiscard]] std::optional<Place> take();
    // The same without waiting for a place: nothing when none is free.
    [[nodiscard]] std::optional<Place> try_take();
    // Waits for the end of a pause. False when there will be no place any more: the admission is
    // closed, or the total is served.
    [[nodiscard]] bool wait_for_pause();

    // A place for a connection that our former image accepted. No limit applies to it. COUNTED says
    // whether SERVED_BEFORE includes it already or it has yet to be confirmed.
    enum class Counted { already, not_yet };
    [[nodiscard]] Place take_over(Place left, Counted counted);

    // Gives nobody a place for DURATION, because the system lacks something. Only time or close()
    // ends the pause.
    void pause(Duration duration);

    // No place is handed out any more, until open().
    void close();
    void open();

    // The number of connections confirmed so far, and whether the total is reached.
    [[nodiscard]] std::uint64_t served();
    [[nodiscard]] bool is_total_served();

  private:
    friend class Place;
    struct Entry {
        std::uint64_t number;
        Deadline leaves; // the rate's period
    };

    [[nodiscard]] bool is_over() const;
    [[nodiscard]] bool has_room() const;
    [[nodiscard]] Deadline next_opening() const;
    [[nodiscard]] Place issue();
    void give_back(const Place& place) noexcept;

    const Limits limits_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int taken_ = 0;
    std::uint64_t undecided_ = 0; // places that were neither confirmed nor given back
    std::uint64_t served_ = 0;
    std::uint64_t next_number_ = 0;
    bool is_closed_ = false;
    Deadline pause_ends_ = Deadline::after(Duration::zero());
    std::deque<Entry> recent_; // at most as many as the rate allows, the oldest first
    std::unordered_map<std::string, unsigned> networks_;
    std::unordered_map<std::string, unsigned> clients_;
};

} // namespace ipcbox::server
