// The environment that a command under test is started with.
#pragma once

#include <cstdlib>
#include <string>

namespace ipcbox::test {

// A variable of the environment that is there while this is.
class Variable {
  public:
    Variable(const char* name, const std::string& value) : name_(name) {
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() { ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

  private:
    const char* name_;
};

} // namespace ipcbox::test
