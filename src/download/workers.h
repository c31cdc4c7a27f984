// Fetches all documents, with one or several workers. Each worker has connections of its own.
#pragma once

#include "download/download.h"

#include <functional>
#include <string>
#include <vector>

namespace ipcbox::download {

// Makes the text that standard output gets after a document. It is called once for each document
// when that is done, by one thread at a time.
using Report = std::function<std::string(const Target& target, const Outcome& outcome)>;

// Fetches TARGETS, which must be numbered from 0 in their order. When standard output takes no
// more, it does not fetch the rest. Throws what OUTPUT throws.
void fetch_all(const std::vector<Target>& targets, const DownloadOptions& options, int workers,
               OrderedOutput& output, Progress* progress, const Report& report);

} // namespace ipcbox::download
