/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's carrier (postgres.c), in three parts: the bytes, the talk, and the little of SQL that tells a search. */
#pragma once
#include "proto/database.h"

/* One of pgvector's distances stands outside of strings and comments, in a statement that reads. */
bool postgres_is_search(struct slice sql);
/* Vectors are spoken of: a table of them, their type, the extension. */
bool postgres_has_sign(struct slice sql);
/* @sql, of which postgres_is_search() is true, compares vectors: as its text or the parameters in @bind (a Bind message, letter
 * first; or empty) tell. The arrow alone is a distance of points and of words too. */
bool postgres_is_vector_search(struct slice sql, struct slice bind);

/* ---- what postgres.c, which follows the bytes, and postgres_message.c, which follows the talk, share ---- */
enum postgres_wait { WAIT_QUERY, WAIT_EXECUTE, WAIT_DESCRIBE, WAIT_SYNC };

struct postgres_waiting {
	enum postgres_wait is;
	uint64_t exchange; /* 0: of no interest */
	bool is_skipped;
	int statement; /* of which the columns are told; -1 */
};

struct postgres_statement {
	bool is_used;
	char name[64];
	size_t name_len;
	struct buf sql;
	struct buf columns; /* RowDescription as it was told for it */
};

enum { STATEMENTS_MAX = 16, COLUMNS_MAX = 16 << 10 };

struct postgres_side {
	enum direction dir;
	bool is_begun; /* past its first bytes, which have no letter */
	char head[5];
	size_t have;
	uint64_t left; /* of the payload */
	bool is_kept;
	bool is_damaged; /* a hole in it */
	uint64_t passed; /* of the open message, not yet accounted for */
	struct buf body; /* the letter and the payload */
	struct outgoing out;
};

struct postgres {
	struct proto *proto;
	bool has_client, is_lost, is_asking_tls;
	struct postgres_side sides[_DIR_MAX];
	enum direction client;
	uint64_t now_ns;
	struct patience patience;
	struct postgres_waiting waiting[WAITING_MAX];
	size_t waiting_count;
	struct postgres_statement statements[STATEMENTS_MAX];
	size_t statement_next;
	int bound;       /* statement of the newest Bind; -1 */
	struct buf bind; /* its payload */
	uint64_t carry;  /* bytes of the client that belong to the search that comes next */
	char ready[6];   /* lost: the newest bytes of the server */
	size_t ready_len;
};

/* Bytes of no exchange. */
void postgres_stray(struct postgres *pg, uint64_t len);
/* The place is lost: everything that is under way is over, its ends unseen. */
void postgres_lose(struct postgres *pg);
/* The payload of the message that begins, of @len bytes, is to be kept. */
bool postgres_is_wanted(struct postgres *pg, struct postgres_side *side, uint32_t len);
/* A search waits for its answer. */
bool postgres_is_search_due(const struct postgres *pg);
/* The answer of the oldest that waits, begun if it has not; NULL when that is no search. */
struct outgoing *postgres_answer_of(struct postgres *pg, struct postgres_side *side, uint64_t time_ns);
void postgres_client_message(struct postgres *pg, struct postgres_side *side, uint64_t time_ns);
void postgres_server_message(struct postgres *pg, struct postgres_side *side, uint64_t time_ns);
