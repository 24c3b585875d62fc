/* SPDX-License-Identifier: Apache-2.0 */
/* spantap: the command line's table of commands. */
#include "base/log.h"
#include "config/config.h"
#include "daemon/attacher.h"
#include "daemon/replay.h"
#include "daemon/tools.h"

static int (*const commands[_COMMAND_MAX])(const struct config *config) = {
	[COMMAND_RUN] = attacher_run,  [COMMAND_ATTACH] = attacher_run, [COMMAND_RECORD] = attacher_run,
	[COMMAND_REPLAY] = replay_run, [COMMAND_DOCTOR] = tools_doctor, [COMMAND_TARGETS] = tools_targets,
	[COMMAND_SPOOL] = tools_spool, [COMMAND_CONFIG] = config_print,
};

int main(int argc, char **argv)
{
	CLEANUP(config_free) struct config *config = NULL;
	int r = config_load(argc, argv, &config);

	if (r > 0)
		return r - 1;
	log_setup((enum log_level)log_level_from(config->log_level), strcmp(config->log_format, "json") == 0);
	return commands[config->command](config);
}
