/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: behind the filter files, sockets and threads work; what is of no use fails; an intruder's calls are death. */
#include "base/cleanup.h"
#include "daemon/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* How a child ends that does @what behind the filter: its exit status, or 1000 and the signal. */
static int confined(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || confine_reader() < 0)
			_exit(99);
		_exit(what());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void *thread_run(void *user)
{
	*(int *)user = 7;
	return NULL;
}

static int works(void)
{
	int seen = 0, fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC),
	    udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct addrinfo *found = NULL;
	pthread_t thread;

	if (fd < 0 || udp < 0)
		return 1;
	if (pthread_create(&thread, NULL, thread_run, &seen) || pthread_join(thread, NULL) || seen != 7)
		return 2;
	if (getaddrinfo("localhost", "80", NULL, &found))
		return 3;
	freeaddrinfo(found);
	close(fd);
	close(udp);
	return 0;
}

static int fails_softly(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EPERM)
		return 1;
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 || errno != EPERM)
		return 2;
	if (mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return 3;
	return 0;
}

static int executes(void)
{
	return execl("/bin/true", "true", NULL);
}

static int traces(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int signals(void)
{
	return kill(getppid(), 0);
}

static int forks(void)
{
	return fork() < 0 && errno == EPERM ? 0 : 1;
}

static void what_the_reader_does_works(void **state)
{
	assert_int_equal(confined(works), 0);
}

static void what_it_never_does_fails(void **state)
{
	assert_int_equal(confined(fails_softly), 0);
	assert_int_equal(confined(forks), 0);
}

static void what_an_intruder_does_is_death(void **state)
{
	assert_int_equal(confined(executes), 1000 + SIGSYS);
	assert_int_equal(confined(traces), 1000 + SIGSYS);
	assert_int_equal(confined(signals), 1000 + SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_reader_does_works),
		cmocka_unit_test(what_it_never_does_fails),
		cmocka_unit_test(what_an_intruder_does_is_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
