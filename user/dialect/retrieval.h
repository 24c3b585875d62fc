/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stores and searches do alike: a query goes, documents come. A store is told by a table (struct retrieval): where its
 * names stand in the request and in the answer. Documents are shown in the one shape that MLflow knows, and vectors never
 * leave: in their place stands how long they were.
 */
#pragma once
#include "dialect/common.h"
#include "dialect/dialect.h"
#include "dialect/vendors.h"

enum { RETRIEVAL_PATHS = 12, RETRIEVAL_NAMES = 8, RETRIEVAL_PLACES = 6, WITHOUT = 4 };

struct retrieval_path {
	struct slice has;  /* somewhere in the path; what stands behind it names the data source */
	struct slice ends; /* the path's end */
	bool is_generic;   /* others use it too: the answer must agree */
};

/* Places are member names joined by '/', from the whole body; names are members of one document, the first found counts. */
struct retrieval {
	const char *vendor;
	const char *system; /* db.system.name, or NULL: no database */
	struct retrieval_path paths[RETRIEVAL_PATHS];
	struct slice asks[RETRIEVAL_NAMES]; /* one of these is in the request; none: any object */
	const char *query[RETRIEVAL_PLACES], *top_k[RETRIEVAL_PLACES], *source[RETRIEVAL_PLACES];
	const char *space;                   /* db.namespace */
	struct slice lists[RETRIEVAL_NAMES]; /* members that hold documents, or further lists */
	struct slice ids[RETRIEVAL_NAMES], scores[RETRIEVAL_NAMES];
	struct slice texts[RETRIEVAL_NAMES]; /* tried before the common names */
	struct slice metadata;               /* member whose members are metadata too */
	struct slice uri;                    /* member that is the document's address */
	const char *tokens;                  /* place in the answer */
};

/* One document of an answer, all raw JSON. */
struct document {
	struct slice id, score, text, metadata;
	struct slice whole; /* the object in which the above stand: its other members are metadata; or none */
	struct slice without[WITHOUT]; /* names that are not metadata, since they are shown elsewhere */
};

struct documents {
	struct call *call;
	const struct retrieval *shape;
	struct out shown, ids;
	size_t count;
};

void documents_open(struct documents *documents, struct call *call, const struct retrieval *shape, size_t guess);
void documents_add(struct documents *documents, const struct document *document);
/* Reads what @shape says of an object, and adds it. */
void documents_read(struct documents *documents, struct slice object);
/* All that is in @value: documents, lists of them, lists in members named shape->lists. */
void documents_walk(struct documents *documents, struct slice value);
/* Outputs and attributes. */
void documents_close(struct documents *documents);

/* Value at a place ("a/b/c"; "#0" is an index; "" the value itself). */
struct slice place_get(struct slice value, const char *place);

/* A request's or answer's @value with every vector replaced by {"dimensions":n}; *ret_dimensions: of the first (untouched where there is none). */
struct slice vectors_remove(struct call *call, struct slice value, int64_t *ret_dimensions);

unsigned retrieval_score(const struct retrieval *shape, const struct dialect_hint *hint);
/* Steps of a dialect; a store with a shape of its own takes them apart. */
void retrieval_request(struct call *call, const struct retrieval *shape);
/* @source: the data source, where the dialect knows it better than its table. */
void retrieval_request_from(struct call *call, const struct retrieval *shape, struct slice source);
/* As answer_open(); also reads errors of stores. */
bool retrieval_answer_open(struct call *call, struct slice *ret);
void retrieval_response(struct call *call, const struct retrieval *shape);
void retrieval_finish(struct call *call, void *state);
struct slice retrieval_span_name(const struct call *call);

/* A dialect that is wholly told by its @shape. */
#define RETRIEVER(tag, label, rank, shape)                                                                             \
	static unsigned tag##_recognise(const struct dialect_hint *hint)                                               \
	{                                                                                                              \
		return retrieval_score(&(shape), hint);                                                                \
	}                                                                                                              \
	RETRIEVER_WITH(tag, label, rank, shape, tag##_recognise)

/* The same with a recogniser of its own. */
#define RETRIEVER_WITH(tag, label, rank, shape, own)                                                                   \
	static void tag##_request(struct call *call, void *state)                                                      \
	{                                                                                                              \
		retrieval_request(call, &(shape));                                                                     \
	}                                                                                                              \
	static void tag##_response(struct call *call, void *state)                                                     \
	{                                                                                                              \
		retrieval_response(call, &(shape));                                                                    \
	}                                                                                                              \
	RETRIEVER_OF(tag, label, rank, own, tag##_request, tag##_response)

#define RETRIEVER_OF(tag, label, rank, is_mine, on_request, on_response)                                               \
	DIALECT(tag, {                                                                                                 \
			     .name = (label),                                                                          \
			     .order = (rank),                                                                          \
			     .recognise = (is_mine),                                                                   \
			     .request = (on_request),                                                                  \
			     .event = no_event,                                                                        \
			     .response = (on_response),                                                                \
			     .finish = retrieval_finish,                                                               \
			     .span_name = retrieval_span_name,                                                         \
		     })
