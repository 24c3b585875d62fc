/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify's protocol is one datagram; a library for it would be larger than this file. */
#include "daemon/notify.h"
#include "base/log.h"
#include "base/slice.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void systemd_tell(const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;
	int fd;

	if (!len || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, name, len);
	if (name[0] == '@') /* abstract */
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void notify_ready(int ready_fd)
{
	static const char line[] = "READY\n";

	if (ready_fd >= 0) {
		if (write(ready_fd, line, sizeof(line) - 1) < 0)
			log_warn(0, "nobody reads the descriptor of --ready-fd, ignoring");
		close(ready_fd);
	}
	log_info("READY");
	systemd_tell("READY=1");
}

void notify_stopping(void)
{
	systemd_tell("STOPPING=1");
}
