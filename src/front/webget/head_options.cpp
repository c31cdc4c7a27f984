#include "front/webget/head_options.h"

#include "core/fd.h"
#include "core/io.h"
#include "download/place.h"

#include <fcntl.h>
#include <memory>
#include <mutex>
#include <unistd.h>

namespace ipcbox::front {

namespace {

// The file to which several workers write, one head at a time.
struct HeadFile {
    std::string name;
    Fd file; // none: a descriptor that we were started with
    int fd;
    std::mutex mutex;

    explicit HeadFile(const std::string& path) : name(path) {
        if (const auto inherited = download::descriptor_named(path)) {
            fd = *inherited;
        } else {
            file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
            fd = file.get();
        }
    }
};

} // namespace

void dump_heads(download::DownloadOptions& download, const std::string& file,
                download::OrderedOutput& output) {
    const auto before = std::move(download.on_head);
    const auto heads = file == "-" || download::descriptor_named(file) == STDOUT_FILENO
                           ? nullptr
                           : std::make_shared<HeadFile>(file);
    download.on_head = [before, heads, &output](const download::Target& target,
                                                const http::Url& url,
                                                const http::ResponseHead& head) {
        if (before) before(target, url, head);
        if (!heads) return output.write(target.number, head.bytes, Deadline::never());
        const std::lock_guard lock{heads->mutex};
        write_all(heads->fd, head.bytes, heads->name);
    };
}

} // namespace ipcbox::front
