/* SPDX-License-Identifier: Apache-2.0 */
/* The world of a test, new for each. */
#pragma once
#include "unit/call/fake.h"

static struct world world;

static inline int world_setup(void **state)
{
	world = (struct world){ 0 };
	assert_true(world_open(&world));
	return 0;
}

static inline int world_teardown(void **state)
{
	world_close(&world);
	return 0;
}

#define world_test(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
