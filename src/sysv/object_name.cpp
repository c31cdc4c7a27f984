#include "sysv/object_name.h"

#include "core/number.h"

#include <stdexcept>

namespace ipcbox::sysv {

ObjectName ObjectName::parse(std::string_view text) {
    ObjectName name{text};
    for (const auto kind : {Kind::semaphores, Kind::memory, Kind::messages}) {
        const auto prefix = short_name_of(kind);
        if (!text.starts_with(prefix) || text.substr(prefix.size(), 1) != ":") continue;
        name.kind_ = kind;
        name.id_ = whole_number<int>(text.substr(prefix.size() + 1));
        if (name.id_ && *name.id_ >= 0) return name;
        throw std::invalid_argument("expected an id after the colon");
    }
    name.id_ = whole_number<int>(text);
    if (name.id_ == 0) return name; // a key of 0 would be IPC_PRIVATE
    name.key_ = Key::parse(text);
    return name;
}

bool ObjectName::may_mean(const Object& object) const {
    if (kind_) return object.kind == kind_ && object.id == id_;
    return (key_ && object.key == key_->value()) || (id_ && object.id == *id_);
}

bool ObjectName::means(const Entry& entry) const {
    return may_mean(entry.object) && (!is_name() || entry.name == text_);
}

} // namespace ipcbox::sysv
