#include "server/starter.h"

namespace ipcbox::server {

Started start_program(const OpenConnection& connection, const ProgramPlan& program) {
    Environment environment = program.environment;
    environment.set_all(ucspi_environment(connection.told));
    environment.set_all(connection.variables);
    SpawnPlan plan;
    plan.input = plan.output = connection.socket.get();
    plan.group = ProcessGroup::own;
    plan.environment = &environment.entries();
    plan.limits = program.resource_limits;
    plan.nice = program.nice;
    plan.no_new_privileges = program.no_new_privileges;
    plan.kept = program.kept;
    if (program.relay)
        return start_relayed(connection.told, *program.relay, program.program, program.arguments,
                             plan);
    return start_process(program.program, program.arguments, plan);
}

} // namespace ipcbox::server
