#include "etcd/grpc_session.h"

#include "core/error.h"

#include <algorithm>
#include <fmt/core.h>
#include <nghttp2/nghttp2.h>

namespace ipcbox::etcd {

namespace {

nghttp2_nv field_of(const GrpcHeader& header) {
    const auto bytes = [](const std::string& text) {
        // nghttp2 only reads the texts.
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data())); // NOLINT
    };
    return {bytes(header.name), bytes(header.value), header.name.size(), header.value.size(),
            NGHTTP2_NV_FLAG_NONE};
}

} // namespace

// nghttp2 calls these during feed() and to_send(). They only store what has come.
struct GrpcSession::Callbacks {
    static GrpcSession& of(void* user_data) { return *static_cast<GrpcSession*>(user_data); }

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
        auto& self = of(user_data);
        GrpcStream* stream = self.find(id);
        if (stream == nullptr) return 0;
        stream->take_data({reinterpret_cast<const char*>(data), size});
        while (auto message = stream->next_message())
            self.events_.push_back({Event::Kind::message, id, *std::move(message), {}});
        if (stream->is_unreadable()) self.refuse(id);
        return 0;
    }

    static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
        auto& self = of(user_data);
        if (frame->hd.type == NGHTTP2_SETTINGS) self.established_ = true;
        if (frame->hd.type == NGHTTP2_GOAWAY) self.is_told_to_go_ = true;
        if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
            (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            const auto id = frame->hd.stream_id;
            const auto* stream = self.find(id);
            if (stream != nullptr && !(stream->sends_no_more && stream->to_send.empty()))
                nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
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
        GrpcStream* stream = of(source->ptr).find(id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const auto count = std::min(room, stream->to_send.size());
        if (count == 0 && !stream->sends_no_more) return NGHTTP2_ERR_DEFERRED;
        std::copy_n(stream->to_send.begin(), count, buffer);
        stream->to_send.erase(0, count);
        if (stream->to_send.empty() && stream->sends_no_more) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(count);
    }
};

GrpcSession::GrpcSession() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_close);
    const int failed = nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    if (failed != 0) throw std::bad_alloc();
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
}

GrpcSession::~GrpcSession() {
    nghttp2_session_del(session_);
}

GrpcStream* GrpcSession::find(StreamId id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
}

// Nothing more comes on this stream.
void GrpcSession::end(StreamId id, std::uint32_t error) {
    const auto* stream = find(id);
    if (stream == nullptr) return;
    events_.push_back({Event::Kind::ended, id, {}, stream->status(nghttp2_http2_strerror(error))});
    streams_.erase(id);
}

// Ends a stream whose messages make no sense.
void GrpcSession::refuse(StreamId id) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    GrpcStatus why{GrpcCode::internal, "it sends a message that is too long, or compressed", false};
    events_.push_back({Event::Kind::ended, id, {}, std::move(why)});
    streams_.erase(id);
}

GrpcSession::StreamId GrpcSession::open(const std::vector<GrpcHeader>& headers) {
    std::vector<nghttp2_nv> fields;
    std::ranges::transform(headers, std::back_inserter(fields), field_of);
    nghttp2_data_provider body{};
    body.source.ptr = this;
    body.read_callback = Callbacks::on_read;
    const auto id =
        nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &body, nullptr);
    if (id < 0) throw Error(fmt::format("cannot begin a call: {}", nghttp2_strerror(id)));
    streams_.emplace(id, GrpcStream{});
    return id;
}

void GrpcSession::send(StreamId id, std::string_view message, End end) {
    GrpcStream* stream = find(id);
    if (stream == nullptr) return;
    stream->to_send += '\0'; // not compressed
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        stream->to_send += static_cast<char>(static_cast<unsigned char>(message.size() >> shift));
    stream->to_send += message;
    stream->sends_no_more = end == End::yes;
    (void)nghttp2_session_resume_data(session_, id);
}

void GrpcSession::cancel(StreamId id) {
    std::erase_if(events_, [id](const Event& event) { return event.stream == id; });
    if (streams_.erase(id) == 0) return;
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void GrpcSession::end_all(const GrpcStatus& why) {
    for (const auto& [id, stream] : streams_)
        events_.push_back({Event::Kind::ended, id, {}, why});
    streams_.clear();
}

std::optional<GrpcSession::Event> GrpcSession::next() {
    if (events_.empty()) return std::nullopt;
    std::optional<Event> event{std::move(events_.front())};
    events_.pop_front();
    return event;
}

void GrpcSession::feed(std::string_view bytes) {
    const auto taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken < 0) throw Error(nghttp2_strerror(static_cast<int>(taken)));
    if (is_told_to_go_) throw Error("it is shutting down");
}

std::string_view GrpcSession::to_send() {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) throw Error(nghttp2_strerror(static_cast<int>(size)));
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool GrpcSession::has_to_send() const {
    return nghttp2_session_want_write(session_) != 0;
}

bool GrpcSession::is_over() const {
    return nghttp2_session_want_read(session_) == 0 && !has_to_send();
}

} // namespace ipcbox::etcd
