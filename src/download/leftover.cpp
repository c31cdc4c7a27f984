#include "download/leftover.h"

namespace ipcbox::download {

void Leftover::open() {
    if (goes_to_output() || part || descriptor_named(target_.file)) return;
    existing_ = look_at(target_.file);
    if (existing_.kind == ExistingFile::Kind::special) return;
    const bool takes_up = options_.resume && !options_.include_head;
    part.emplace(target_.file, target_.url.text(),
                 takes_up ? PartFile::Begin::where_it_broke_off : PartFile::Begin::anew);
}

Continuation Leftover::continuation() const {
    if (must_start_over_) return {};
    if (goes_to_output()) {
        if (written_version.validator().empty()) return {};
        return {written, written_version, {}};
    }
    if (!part) return {};
    if (part->size() > 0 && !part->version().validator().empty())
        return {part->size(), part->version(), {}};
    const bool is_file = existing_.kind == ExistingFile::Kind::regular && existing_.size > 0;
    if (options_.resume && is_file && part->size() == 0)
        return {existing_.size, {}, existing_.modified};
    return {};
}

} // namespace ipcbox::download
