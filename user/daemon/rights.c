/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors that are needed are open by now; what is opened later belongs to the same user. */
#include "daemon/rights.h"
#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

int rights_drop(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	capng_clear(CAPNG_SELECT_BOTH);
	/* Without root there is nothing in the bounding set that could be dropped. */
	if (capng_apply(CAPNG_SELECT_BOTH) < 0 && capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}
