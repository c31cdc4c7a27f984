// The events that a server reports while it runs.
#pragma once

#include "server/connection.h"

#include <string>
#include <vector>

namespace ipcbox::server {

// Called when something happens. Several threads may call it at the same time.
class ServerEvents {
  public:
    virtual ~ServerEvents() = default;
    virtual void connected(const Connection& connection) = 0;
    // A child serves it.
    virtual void started(const Connection& connection) = 0;
    virtual void ended(const Connection& connection, const ConnectionEnd& end) = 0;
    // A client was turned away.
    virtual void refused(const Connection& connection, const std::string& why) = 0;
    // News for the administrator.
    virtual void trouble(const std::string& what) = 0;
    // The name of an address has become known.
    virtual void named(const std::string& ip, const std::string& name) = 0;
    // SIGUSR1 asked for the table of connections.
    virtual void table(const std::vector<Connection>& connections) = 0;
    // The server accepts no more clients, and is about to end.
    virtual void draining() = 0;
    // The waiting thread is at work.
    virtual void alive() = 0;
};

} // namespace ipcbox::server
