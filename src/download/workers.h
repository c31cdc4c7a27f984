// All documents, by one worker or several, each with connections of its own.
#pragma once

#include "download/download.h"

#include <functional>
#include <string>
#include <vector>

namespace ipcbox::download {

// What standard output gets behind a document. Called once for each, as they are done, by one
// thread at a time.
using Report = std::function<std::string(const Target& target, const Outcome& outcome)>;

// TARGETS have to be numbered from 0, in their order. When standard output takes no more, those
// that are left are not fetched. Throws what OUTPUT does.
void fetch_all(const std::vector<Target>& targets, const DownloadOptions& options, int workers,
               OrderedOutput& output, Progress* progress, const Report& report);

} // namespace ipcbox::download
