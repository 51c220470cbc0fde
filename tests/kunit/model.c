// SPDX-License-Identifier: GPL-2.0-only
/*
 * model - what a table should do, written to be obviously right.
 *
 * An array, searched from its beginning every time. It knows tuples but no
 * keys, a clock of 64 bits that never wraps, and no order but the ids that the
 * table under test gave its flows. Where the table may choose, as between two
 * flows to evict that die in the same tick, the model names what may be chosen
 * and is told what was.
 */
#include <linux/jiffies.h>
#include <linux/string.h>

#include "model.h"

static bool same_end(const union nf_inet_addr *addr_a, __be16 port_a,
		     const union nf_inet_addr *addr_b, __be16 port_b)
{
	return !memcmp(addr_a, addr_b, sizeof(*addr_a)) && port_a == port_b;
}

static bool same_direction(const struct udptrack_tuple *a,
			   const struct udptrack_tuple *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       same_end(&a->src, a->sport, &b->src, b->sport) &&
	       same_end(&a->dst, a->dport, &b->dst, b->dport);
}

static bool other_direction(const struct udptrack_tuple *a,
			    const struct udptrack_tuple *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       same_end(&a->src, a->sport, &b->dst, b->dport) &&
	       same_end(&a->dst, a->dport, &b->src, b->sport);
}

/* How many flows there are, dead ones included. */
unsigned int model_count(const struct model *m)
{
	unsigned int i, count = 0;

	for (i = 0; i < MODEL_MAX; i++)
		count += m->flow[i].used;
	return count;
}

bool model_dead(const struct model *m, const struct model_flow *flow)
{
	return m->now >= flow->expires;
}

/* The flow of a packet, dead or not, and which way the packet goes in it. */
struct model_flow *model_find(struct model *m,
			      const struct udptrack_tuple *tuple,
			      enum udptrack_dir *dir)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAX; i++) {
		if (!m->flow[i].used)
			continue;
		/* This first: who talks to himself answers himself. */
		*dir = UDPTRACK_REPLY;
		if (other_direction(tuple, &m->flow[i].tuple))
			return &m->flow[i];
		*dir = UDPTRACK_ORIGINAL;
		if (same_direction(tuple, &m->flow[i].tuple))
			return &m->flow[i];
	}
	return NULL;
}

/* The flow, dead or not, with the lowest id that is not below @id. */
struct model_flow *model_from(struct model *m, unsigned long id)
{
	struct model_flow *found = NULL;
	unsigned int i;

	for (i = 0; i < MODEL_MAX; i++)
		if (m->flow[i].used && m->flow[i].id >= id &&
		    (!found || m->flow[i].id < found->id))
			found = &m->flow[i];
	return found;
}

bool model_peek(struct model *m, const struct udptrack_tuple *tuple,
		enum udptrack_class *class)
{
	enum udptrack_dir dir;
	struct model_flow *flow = model_find(m, tuple, &dir);

	*class = UDPTRACK_NEW;
	if (!flow || model_dead(m, flow))
		return false;
	if (dir == UDPTRACK_REPLY || flow->replied)
		*class = UDPTRACK_ESTABLISHED;
	return true;
}

static void count_traffic(struct model_flow *flow, enum udptrack_dir dir,
			  const struct udptrack_visit *visit)
{
	if (!flow->acct)
		return;
	flow->traffic[dir].packets += visit->packets;
	flow->traffic[dir].bytes += visit->bytes;
}

/* nf_conntrack_udp_packet(), and what nf_conntrack does around it. */
static void refresh(struct model *m, struct model_flow *flow,
		    enum udptrack_dir dir, const struct udptrack_visit *visit,
		    struct model_visit *want)
{
	want->outcome = UDPTRACK_FOUND;
	want->class = flow->replied || dir == UDPTRACK_REPLY ?
		      UDPTRACK_ESTABLISHED : UDPTRACK_NEW;
	want->events = 0;
	flow->expires = m->now + visit->timeouts.unreplied_j;
	if (flow->replied && m->now > flow->opened + 2 * HZ) {
		flow->expires = m->now + visit->timeouts.stream_j;
		if (!flow->assured)
			want->events |= UDPTRACK_EVENT_ASSURED;
		flow->assured = true;
	}
	if (dir == UDPTRACK_REPLY) {
		if (!flow->replied)
			want->events |= UDPTRACK_EVENT_ESTABLISHED;
		flow->replied = true;
	}
	count_traffic(flow, dir, visit);
}

static bool evictable(const struct model *m, const struct model_flow *flow)
{
	return flow->used && (!flow->replied || model_dead(m, flow));
}

/* May the table have given up this flow? It must be the nearest to expiry. */
bool model_is_victim(const struct model *m, const struct model_flow *flow)
{
	unsigned int i;

	if (!evictable(m, flow))
		return false;
	for (i = 0; i < MODEL_MAX; i++)
		if (evictable(m, &m->flow[i]) &&
		    m->flow[i].expires < flow->expires)
			return false;
	return true;
}

static bool any_evictable(const struct model *m)
{
	unsigned int i;

	for (i = 0; i < MODEL_MAX; i++)
		if (evictable(m, &m->flow[i]))
			return true;
	return false;
}

/*
 * What a packet should come to. When that is UDPTRACK_CREATED, the caller has
 * the victim removed, if there is one, and calls model_open().
 */
void model_track(struct model *m, const struct udptrack_tuple *tuple,
		 const struct udptrack_visit *visit,
		 struct model_visit *want)
{
	enum udptrack_dir dir;
	struct model_flow *flow = model_find(m, tuple, &dir);

	want->evicts = false;
	if (flow && !model_dead(m, flow)) {
		refresh(m, flow, dir, visit, want);
		return;
	}
	if (flow)
		flow->used = false;
	want->outcome = UDPTRACK_ABSENT;
	if (!visit->create)
		return;
	if (model_count(m) >= visit->max) {
		want->outcome = UDPTRACK_REFUSED;
		if (!any_evictable(m))
			return;
		want->evicts = true;
	}
	want->outcome = UDPTRACK_CREATED;
	want->class = UDPTRACK_NEW;
	want->events = UDPTRACK_EVENT_NEW;
}

/* NULL when the model is full, which the caller is to avoid. */
struct model_flow *model_open(struct model *m,
			      const struct udptrack_tuple *tuple,
			      const struct udptrack_visit *visit,
			      unsigned long id)
{
	struct model_flow *flow;
	unsigned int i;

	for (i = 0; i < MODEL_MAX; i++)
		if (!m->flow[i].used)
			break;
	if (i == MODEL_MAX)
		return NULL;
	flow = &m->flow[i];
	*flow = (struct model_flow) {
		.used = true,
		.tuple = *tuple,
		.id = id,
		.opened = m->now,
		.expires = m->now + visit->timeouts.unreplied_j,
		.acct = visit->acct,
	};
	count_traffic(flow, UDPTRACK_ORIGINAL, visit);
	return flow;
}

/* True when there was a live flow; a dead one is removed, too. */
bool model_erase(struct model *m, const struct udptrack_tuple *tuple)
{
	enum udptrack_dir dir;
	struct model_flow *flow = model_find(m, tuple, &dir);

	if (!flow)
		return false;
	flow->used = false;
	return !model_dead(m, flow);
}

void model_flush(struct model *m)
{
	memset(m->flow, 0, sizeof(m->flow));
}
