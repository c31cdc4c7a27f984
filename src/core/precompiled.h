// What nearly every file includes, compiled once: it takes a third off a clean build. Each file
// still names all that it needs (-Db_pch=false builds without this one).
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <fmt/core.h>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>
