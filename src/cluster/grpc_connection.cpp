#include "cluster/grpc_connection.h"

#include "core/error.h"
#include "core/syscall.h"
#include "net/tls_protocol.h"

#include <algorithm>
#include <cerrno>
#include <fmt/core.h>
#include <map>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::cluster {

namespace {

// The server does not want to talk, or we do not. A connection that breaks at any time says
// nothing.
bool is_refusal(const net::TlsError& error) {
    const bool is_cut = error.curl_status() == tls_protocol::cut_off;
    // In TLS 1.3, the server checks our certificate when the handshake is already over for us.
    return is_cut ? std::string_view{error.what()}.find(" alert ") != std::string_view::npos
                  : !error.is_lost();
}

nghttp2_nv field_of(const GrpcHeader& header) {
    const auto bytes = [](const std::string& text) {
        // nghttp2 only reads them.
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); // NOLINT
    };
    return {bytes(header.name), bytes(header.value), header.name.size(), header.value.size(),
            NGHTTP2_NV_FLAG_NONE};
}

} // namespace

// nghttp2 and its callbacks. They only note what has come; work() does everything else.
struct GrpcConnection::Session {
    explicit Session(GrpcConnection& owner) : owner_(owner) {
        nghttp2_session_callbacks* callbacks = nullptr;
        if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        const int failed = nghttp2_session_client_new(&session, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        if (failed != 0) throw std::bad_alloc();
        const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    }
    ~Session() { nghttp2_session_del(session); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] GrpcStream* find(StreamId id) {
        const auto found = streams.find(id);
        return found == streams.end() ? nullptr : &found->second;
    }

    // Nothing more comes on this stream.
    void end(StreamId id, std::uint32_t error) {
        const auto* stream = find(id);
        if (stream == nullptr) return;
        owner_.events_.push_back(
            {Event::Kind::ended, id, {}, stream->status(nghttp2_http2_strerror(error))});
        streams.erase(id);
    }

    // Ends a stream whose messages make no sense.
    void refuse(StreamId id) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        GrpcStatus why{GrpcCode::internal, "it sends a message that is too long, or compressed",
                       false};
        owner_.events_.push_back({Event::Kind::ended, id, {}, std::move(why)});
        streams.erase(id);
    }

    static Session& of(void* user_data) { return *static_cast<Session*>(user_data); }

    static int on_header(nghttp2_session* /*session*/, const nghttp2_frame* frame,
                         const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                         std::size_t value_size, std::uint8_t /*flags*/, void* user_data) {
        GrpcStream* stream = of(user_data).find(frame->hd.stream_id);
        if (stream == nullptr) return 0;
        const std::string_view key{reinterpret_cast<const char*>(name), name_size};
        const std::string_view text{reinterpret_cast<const char*>(value), value_size};
        stream->take_header(key, text);
        return 0;
    }

    static int on_data(nghttp2_session* /*session*/, std::uint8_t /*flags*/, StreamId id,
                       const std::uint8_t* data, std::size_t size, void* user_data) {
        GrpcStream* stream = of(user_data).find(id);
        if (stream == nullptr) return 0;
        stream->take_data({reinterpret_cast<const char*>(data), size});
        while (auto message = stream->next_message())
            of(user_data).owner_.events_.push_back(
                {Event::Kind::message, id, *std::move(message), {}});
        if (stream->is_unreadable()) of(user_data).refuse(id);
        return 0;
    }

    static int on_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user_data) {
        auto& self = of(user_data);
        if (frame->hd.type == NGHTTP2_SETTINGS) self.owner_.established_ = true;
        if (frame->hd.type == NGHTTP2_GOAWAY) self.is_told_to_go = true;
        if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
            (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            const auto id = frame->hd.stream_id;
            const auto* stream = self.find(id);
            if (stream != nullptr && !(stream->sends_no_more && stream->to_send.empty()))
                nghttp2_submit_rst_stream(self.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
            self.end(id, NGHTTP2_NO_ERROR);
        }
        return 0;
    }

    static int on_close(nghttp2_session* /*session*/, StreamId id, std::uint32_t error,
                        void* user_data) {
        of(user_data).end(id, error);
        return 0;
    }

    static ssize_t on_read(nghttp2_session* /*session*/, StreamId id, std::uint8_t* buffer,
                           std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                           void* /*user_data*/) {
        GrpcStream* stream = static_cast<Session*>(source->ptr)->find(id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const auto count = std::min(room, stream->to_send.size());
        if (count == 0 && !stream->sends_no_more) return NGHTTP2_ERR_DEFERRED;
        std::copy_n(stream->to_send.begin(), count, buffer);
        stream->to_send.erase(0, count);
        if (stream->to_send.empty() && stream->sends_no_more) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(count);
    }

    GrpcConnection& owner_;
    nghttp2_session* session = nullptr;
    std::map<StreamId, GrpcStream> streams;
    std::string greeting; // the first bytes, until they are enough to tell what the server is
    std::string unsent;
    bool is_told_to_go = false;
};

GrpcConnection::GrpcConnection(Fd socket, std::string authority)
    : socket_(std::move(socket)), authority_(std::move(authority)),
      session_(std::make_unique<Session>(*this)) {}

GrpcConnection::GrpcConnection(std::unique_ptr<net::TlsProcess> tls, std::string authority)
    : tls_(std::move(tls)), authority_(std::move(authority)),
      session_(std::make_unique<Session>(*this)) {}

GrpcConnection::~GrpcConnection() = default;

GrpcConnection::StreamId GrpcConnection::open(std::string_view path,
                                              const std::vector<GrpcHeader>& headers) {
    std::vector<GrpcHeader> all{{":method", "POST"},          {":scheme", tls_ ? "https" : "http"},
                                {":path", std::string{path}}, {":authority", authority_},
                                {"te", "trailers"},           {"content-type", "application/grpc"}};
    all.insert(all.end(), headers.begin(), headers.end());
    std::vector<nghttp2_nv> fields;
    std::ranges::transform(all, std::back_inserter(fields), field_of);
    nghttp2_data_provider body{};
    body.source.ptr = session_.get();
    body.read_callback = Session::on_read;
    const auto id = nghttp2_submit_request(session_->session, nullptr, fields.data(), fields.size(),
                                           &body, nullptr);
    if (id < 0) throw Error(fmt::format("cannot begin a call: {}", nghttp2_strerror(id)));
    session_->streams.emplace(id, GrpcStream{});
    return id;
}

void GrpcConnection::send(StreamId id, std::string_view message, End end) {
    GrpcStream* stream = session_->find(id);
    if (stream == nullptr) return;
    stream->to_send += '\0'; // not compressed
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        stream->to_send += static_cast<char>(static_cast<unsigned char>(message.size() >> shift));
    stream->to_send += message;
    stream->sends_no_more = end == End::yes;
    (void)nghttp2_session_resume_data(session_->session, id);
}

void GrpcConnection::cancel(StreamId id) {
    std::erase_if(events_, [id](const Event& event) { return event.stream == id; });
    if (session_->streams.erase(id) == 0) return;
    nghttp2_submit_rst_stream(session_->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

std::array<pollfd, 2> GrpcConnection::poll_entries() const {
    if (broken_) return {{{-1, 0, 0}, {-1, 0, 0}}};
    const bool sends =
        !session_->unsent.empty() || nghttp2_session_want_write(session_->session) != 0;
    const auto sending = static_cast<short>(sends ? POLLIN | POLLOUT : POLLIN);
    if (!tls_) return {{{socket_.get(), sending, 0}, {-1, 0, 0}}};
    return {{{tls_->in(), POLLIN, 0}, {tls_->out(), sending, 0}}}; // status lines come from out()
}

void GrpcConnection::work() {
    if (broken_) return;
    try {
        if (tls_) tls_->check();
        receive();
        if (!broken_) send_unsent();
    } catch (const net::TlsError& error) {
        break_off({GrpcCode::unavailable, error.what(), !established_ && is_refusal(error)});
    } catch (const Error& error) {
        break_off(unavailable(error.what()));
    }
}

void GrpcConnection::flush() {
    if (broken_) return;
    try {
        send_unsent();
    } catch (const Error& error) {
        break_off(unavailable(error.what()));
    }
}

std::optional<GrpcConnection::Event> GrpcConnection::next() {
    if (events_.empty()) return std::nullopt;
    std::optional<Event> event{std::move(events_.front())};
    events_.pop_front();
    return event;
}

void GrpcConnection::receive() {
    // A server that never stops talking must not keep us from our own work.
    constexpr int max_rounds = 64;
    std::array<char, 16UL * 1024> buffer{};
    for (int round = 0; round < max_rounds && !broken_; ++round) {
        const int fd = tls_ ? tls_->in() : socket_.get();
        const auto got =
            sys::call("read", ::read, fd, static_cast<void*>(buffer.data()), buffer.size());
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return receive_end(got == 0 ? 0 : errno);
        feed({buffer.data(), static_cast<std::size_t>(got)});
    }
}

void GrpcConnection::receive_end(int error) {
    if (tls_) tls_->check(); // throws the reason if there is one
    const auto& greeting = session_->greeting;
    if (!greeting.empty() && greeting.size() < greeting_size)
        return break_off(hopeless(*what_is_wrong_with(greeting)));
    const bool is_closed = error == 0 || (error == ECONNRESET && !established_);
    if (!is_closed) return break_off(unavailable(std::string{error_text(error)}));
    if (established_) return break_off(unavailable("it closed the connection"));
    break_off(unavailable(tls_ ? "it closed the connection without a word"
                               : "it closed the connection without a word (is it for https://?)"));
}

void GrpcConnection::feed(std::string_view bytes) {
    auto& greeting = session_->greeting;
    if (greeting.size() < greeting_size) {
        greeting += bytes;
        if (greeting.size() < greeting_size) return;
        if (auto wrong = what_is_wrong_with(greeting))
            return break_off(hopeless(std::move(*wrong)));
        bytes = greeting;
    }
    const auto taken = nghttp2_session_mem_recv(
        session_->session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken < 0) return break_off(unavailable(nghttp2_strerror(static_cast<int>(taken))));
    if (session_->is_told_to_go) break_off(unavailable("it is shutting down"));
}

void GrpcConnection::send_unsent() {
    auto& unsent = session_->unsent;
    for (;;) {
        if (unsent.empty()) {
            const std::uint8_t* bytes = nullptr;
            const auto size = nghttp2_session_mem_send(session_->session, &bytes);
            if (size < 0) return break_off(unavailable(nghttp2_strerror(static_cast<int>(size))));
            if (size == 0) break;
            unsent.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        }
        const int fd = tls_ ? tls_->out() : socket_.get();
        const auto sent = sys::call("send", ::send, fd, static_cast<const void*>(unsent.data()),
                                    unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        // What the server sent before it closed says more than EPIPE; receive() gets it.
        if (sent < 0 && (errno == EAGAIN || errno == EPIPE || errno == ECONNRESET)) return;
        if (sent < 0) return break_off(unavailable(std::string{error_text(errno)}));
        unsent.erase(0, static_cast<std::size_t>(sent));
    }
    if (nghttp2_session_want_read(session_->session) == 0 &&
        nghttp2_session_want_write(session_->session) == 0)
        break_off(unavailable("it made no sense in HTTP/2"));
}

void GrpcConnection::break_off(GrpcStatus why) {
    broken_ = true;
    for (const auto& [id, stream] : session_->streams)
        events_.push_back({Event::Kind::ended, id, {}, why});
    session_->streams.clear();
    why_broken_ = std::move(why);
    socket_ = Fd{};
    tls_.reset();
}

} // namespace ipcbox::cluster
