// SPDX-License-Identifier: GPL-2.0-only
/*
 * line - how packets, deleters and a resize share one line of the table.
 *
 * A model for Spin, which tries every order in which the steps of all processes
 * can happen; run.sh says which scenes it plays. It has two generations of one
 * line of two slots, three records, and the lock that covers them. A step is one
 * access to shared memory, or several under the lock where nobody else can see
 * the difference. Steps happen in the order written: where the source needs a
 * barrier for that, a BREAK_ variant swaps them and has to be found.
 *
 * The time is a number that grows with each refresh, so that a lost one shows.
 * A packet is taken to read the clock when it refreshes: that one which was held
 * up for a jiffy takes back a jiffy is not looked for.
 *
 * What must hold, each named where it is asserted:
 *   another_flow  no packet sees or refreshes another flow than the one it asked
 *                 for, nor a dead one
 *   missed        a flow that lives through the whole of a lookup is found, or
 *                 the lookup says that it is not sure, and the lock finds it
 *   twice         a key never has two live slots in what lookups go through
 *   lost          a refresh that was done is seen by all lookups that begin after
 *                 it, and nothing but a deletion ends it
 *   freed         a generation is not looked at after it was freed
 */

#define SLOTS		2
#define RECORDS		3	/* from 1 on */
#define PROCS		5

/* The word of a slot: 0 is empty. */
#define WORD(index, expires)	((index) * 32 + (expires))
#define INDEX(word)		(((word) % 128) / 32)
#define EXPIRES(word)		((word) % 32)
#define FLAG			128

/* For what pan says when an assertion fails; never set. */
bool another_flow, missed, twice, lost, freed;

/* The two generations' lines. */
byte state[2 * SLOTS];
bit key_lo[2 * SLOTS], key_hi[2 * SLOTS];
bool moved[2];
bool has_next;
byte table_gen;
bool old_freed;
bool locked;

/* The records, and which one an id has: here an id is a number from 1 on. */
byte ids[RECORDS + 2];
byte record_id[RECORDS + 1];
bit record_lo[RECORDS + 1], record_hi[RECORDS + 1];
bool taken[RECORDS + 1];
byte last_id;
byte clock = 1;

/* RCU: who is reading, and for whom a freed record or generation waits. */
byte reading;
byte waits[RECORDS + 1];
#define BIT(n)		(1 << (n))

/* What is true, for the assertions. */
bool live[RECORDS + 1];
byte done[RECORDS + 1];		/* the last refresh that was done */
byte through[PROCS];		/* the record that lived since the lookup began */

inline rcu_read_lock()
{
	d_step { reading = reading | BIT(me) }
}

inline rcu_read_unlock()
{
	d_step {
		reading = reading & ~BIT(me);
		waits[0] = waits[0] & ~BIT(me);
		waits[1] = waits[1] & ~BIT(me);
		waits[2] = waits[2] & ~BIT(me);
		waits[3] = waits[3] & ~BIT(me);
	}
}

/* Give a record back once all who may know it are gone. */
inline call_rcu(index)
{
	d_step {
#ifndef BREAK_REUSE_EARLY
		waits[index] = reading;
#endif
		taken[index] = false;
	}
}

inline lock()
{
	atomic { !locked -> locked = true }
}

inline unlock()
{
	locked = false
}

/* Whoever goes by the key of @index now gets the flow that has it. */
inline check_flow(index)
{
	assert((live[index] && record_lo[index] == lo &&
		record_hi[index] == hi) || another_flow)
}

inline check_gen(gen)
{
	assert(!(old_freed && gen == 0) || freed)
}

/* No other slot has the key of slot @at. */
inline check_twice(at)
{
	for (other : 0 .. 2 * SLOTS - 1) {
		if
		:: other != at && state[other] &&
		   key_lo[other] == key_lo[at] && key_hi[other] == key_hi[at] ->
			assert(!state[other] || twice)
		:: else
		fi
	}
	other = 0
}

/* Where a lookup begins: is there a flow, and what was done to it so far? */
inline note_flow()
{
	d_step {
		through[me] = 0;
		floor = 0;
		for (other : 1 .. RECORDS) {
			if
			:: live[other] && record_lo[other] == lo &&
			   record_hi[other] == hi ->
				through[me] = other;
				floor = done[other]
			:: else
			fi
		}
		other = 0
	}
}

/*
 * A lookup without a lock, under rcu_read_lock(): @word is what the flow's slot
 * @at holds, or 0; then @sure says whether there is no flow. If it is not, who
 * must know has to look with the lock.
 */
inline lookup()
{
	note_flow();
	gen = table_gen;
	slot = 0;
#ifdef BREAK_NEXT_READ_FIRST
	had_next = has_next;
#endif
	do
	:: slot < SLOTS ->
		at = gen * SLOTS + slot;
		check_gen(gen);
#ifdef BREAK_KEY_FIRST
		match = (key_lo[at] == lo);
		match = match && (key_hi[at] == hi);
		word = state[at];
		match = match && word;
#else
		word = state[at];
		if
		:: word ->
			match = (key_lo[at] == lo);
			match = match && (key_hi[at] == hi)
		:: else -> match = false
		fi;
#endif
		if
		:: !match -> word = 0; slot++
		:: else ->
			/* Was the key the one of this word? */
			atomic {
				if
#ifndef BREAK_NO_SECOND_READ
				:: state[at] != word ->
					word = 0;
					slot = 0;
					gen = table_gen
				:: else ->
#else
				:: true ->
#endif
					check_flow(INDEX(word));
					assert(through[me] != INDEX(word) ||
					       EXPIRES(word) >= floor || lost);
					break
				fi
			}
		fi
	:: else ->
		check_gen(gen);
		if
		:: moved[gen] ->
			assert(has_next || missed);
			gen = 1;
			slot = 0
		:: else ->
#if defined(BREAK_SURE)
			sure = true;
#elif defined(BREAK_NEXT_READ_FIRST)
			sure = (gen == 1 || !had_next);
#else
			sure = (gen == 1 || !has_next);
#endif
			assert(!through[me] || !sure || missed);
			break
		fi
	od;
	if
	:: word || sure -> through[me] = 0
	:: else
	fi
}

/* The same with the lock, where it was not sure. */
inline look_again()
{
	lock();
	search_locked();
	assert(!through[me] || word || missed);
	through[me] = 0;
	unlock()
}

/* The word may be replaced: only the expiry is new. Sets @ok. */
inline refresh()
{
#if defined(BREAK_PLAIN_REFRESH)
	d_step {
		check_flow(INDEX(word));
		assert(INDEX(state[at]) == INDEX(word) || another_flow);
		clock++;
		state[at] = WORD(INDEX(word), clock);
		done[INDEX(word)] = clock;
		ok = true
	}
#else
	d_step {
		if
#ifdef BREAK_NO_INDEX
		:: state[at] && EXPIRES(state[at]) == EXPIRES(word) ->
			check_flow(INDEX(state[at]));
			word = state[at];
#else
		:: state[at] == word ->
			check_flow(INDEX(word));
#endif
			clock++;
			state[at] = word - EXPIRES(word) + clock;
			done[INDEX(word)] = clock;
			ok = true
		:: else -> ok = false
		fi
	}
#endif
}

/*
 * The same under the lock, and under rcu_read_lock(): only refreshes go on, so
 * that one step is as good as many.
 */
inline search_locked()
{
	gen = table_gen;
	check_gen(gen);
	d_step {
#ifndef BREAK_WRITER_STAYS
		if
		:: moved[gen] -> gen = 1
		:: else
		fi;
#endif
		word = 0;
		at = gen * SLOTS;
		for (slot : 0 .. SLOTS - 1) {
			if
			:: state[gen * SLOTS + slot] &&
			   key_lo[gen * SLOTS + slot] == lo &&
			   key_hi[gen * SLOTS + slot] == hi ->
				at = gen * SLOTS + slot;
				word = state[at]
			:: else
			fi
		}
		slot = 0
	}
}

/* Under the lock. Sets @ok to whether there was room. */
inline insert()
{
	d_step {
		at = 255;
		for (slot : 0 .. SLOTS - 1) {
			if
			:: at == 255 && !state[gen * SLOTS + slot] ->
				at = gen * SLOTS + slot
			:: else
			fi
		}
		slot = 0;
		index = 0;
		for (other : 1 .. RECORDS) {
			if
			:: !index && !taken[other] && !waits[other] ->
				index = other
			:: else
			fi
		}
		other = 0;
		ok = (at != 255 && index);
		if
		:: ok ->
			taken[index] = true;
			last_id++;
			record_id[index] = last_id;
			record_lo[index] = lo;
			record_hi[index] = hi
		:: else -> at = 0; index = 0
		fi
	};
	if
	:: ok ->
		ids[record_id[index]] = index;
#ifndef BREAK_STATE_FIRST
		key_lo[at] = lo;
		key_hi[at] = hi;
#endif
		d_step {
			live[index] = true;
			done[index] = clock;
			state[at] = WORD(index, clock);
#ifndef BREAK_STATE_FIRST
			check_twice(at)
#endif
		};
#ifdef BREAK_STATE_FIRST
		key_lo[at] = lo;
		key_hi[at] = hi;
#endif
	:: else
	fi
}

/*
 * The slot @at is empty from now on, whatever it held: @word, @index. The
 * flow's end is this step.
 */
inline zero(at)
{
	word = state[at];
	index = INDEX(word);
	state[at] = 0;
	live[index] = false;
	for (other : 0 .. PROCS - 1) {
		if
		:: through[other] == index -> through[other] = 0
		:: else
		fi
	}
	other = 0
}

inline give_back()
{
#ifdef BREAK_IDS_LATE
	call_rcu(index);
	ids[record_id[index]] = 0
#else
	ids[record_id[index]] = 0;
	call_rcu(index)
#endif
}

#define LOCALS							\
	byte gen, slot, at, word, index, other, floor;		\
	bool match, ok, sure, had_next

/* A packet of a key: refreshes its flow, or makes one. */
proctype packet(byte me; bit lo; bit hi)
{
	LOCALS;

	rcu_read_lock();
	do
	:: lookup();
		if
		:: word ->
			refresh();
			if
			:: ok -> break
			:: else
			fi
		:: else ->
			lock();
			search_locked();
			assert(!through[me] || word || missed);
			through[me] = 0;
#ifdef BREAK_NO_RECHECK
			word = 0;
#endif
			if
			:: word -> refresh()
			:: else -> insert(); ok = true
			fi;
			unlock();
			if
			:: ok -> break
			:: else
			fi
		fi
	od;
	rcu_read_unlock()
}

/* A packet that is only looked at, twice. */
proctype peeker(byte me; bit lo; bit hi)
{
	LOCALS;
	byte looks;

	do
	:: looks < 2 ->
		rcu_read_lock();
		lookup();
		if
		:: !word && !sure -> look_again()
		:: else
		fi;
		rcu_read_unlock();
		looks++
	:: else -> break
	od
}

/* Somebody deletes a flow, whatever happened to it. */
proctype deleter(byte me; bit lo; bit hi)
{
	LOCALS;

#ifndef BREAK_WRITER_NO_RCU
	rcu_read_lock();
#endif
	lock();
	search_locked();
	if
	:: word ->
		index = INDEX(word);
#ifdef BREAK_RCU_FIRST
		give_back();
#endif
		d_step { zero(at) }
#ifndef BREAK_RCU_FIRST
		give_back()
#endif
	:: else
	fi;
	unlock();
#ifndef BREAK_WRITER_NO_RCU
	rcu_read_unlock();
#endif
}

/* The time of all flows that were not refreshed is up. */
proctype collector(byte me; bit lo; bit hi)
{
	LOCALS;

	rcu_read_lock();
	lock();
	do
	:: search_locked();
		if
		:: word && EXPIRES(word) <= 1 ->
			index = INDEX(word);
			d_step {
				if
#ifndef BREAK_EXPIRE_XCHG
				:: state[at] != word -> ok = false
				:: else ->
#else
				:: true ->
#endif
					assert(done[index] <= 1 || lost);
					zero(at);
					ok = true
				fi
			};
			if
			:: ok -> give_back(); break
			:: else
			fi
		:: else -> break
		fi
	od;
	unlock();
	rcu_read_unlock()
}

/* A change of a flow's state other than its expiry. */
proctype changer(byte me; bit lo; bit hi)
{
	LOCALS;

	rcu_read_lock();
	lock();
	do
	:: search_locked();
		if
		:: word ->
			d_step {
				if
#ifndef BREAK_SLOW_STORE
				:: state[at] != word -> ok = false
				:: else ->
#else
				:: true ->
#endif
					assert(EXPIRES(word) >=
					       done[INDEX(word)] || lost);
					state[at] = word | FLAG;
					ok = true
				fi
			};
			if
			:: ok -> break
			:: else
			fi
		:: else -> break
		fi
	od;
	unlock();
	rcu_read_unlock()
}

/* Who asks for a flow by its id. */
proctype getter(byte me; byte id)
{
	LOCALS;
	byte found;

	rcu_read_lock();
	found = ids[id];
	if
	:: found ->
		lock();
		gen = table_gen;
		check_gen(gen);
		d_step {
			if
			:: moved[gen] -> gen = 1
			:: else
			fi;
			match = false;
			for (slot : 0 .. SLOTS - 1) {
				if
				:: INDEX(state[gen * SLOTS + slot]) == found ->
					match = true
				:: else
				fi
			}
			slot = 0;
#ifdef BREAK_GET_NO_VERIFY
			match = true;
#endif
			assert(!match || (live[found] &&
			       record_id[found] == id) || another_flow)
		};
		unlock()
	:: else
	fi;
	rcu_read_unlock()
}

/* The flow of slot @at of the old line, if there is one, goes into the new one. */
inline move_slot(at)
{
	if
	:: state[at] ->
#if defined(BREAK_COPY_FIRST)
		word = state[at];
		key_lo[SLOTS + at] = key_lo[at];
		key_hi[SLOTS + at] = key_hi[at];
		d_step {
			state[SLOTS + at] = word;
			check_twice(SLOTS + at)
		};
		state[at] = 0
#else
#if defined(BREAK_PLAIN_MOVE)
		word = state[at];
		state[at] = 0;
#else
		/* Nobody refreshes it here from now on. */
		d_step { word = state[at]; state[at] = 0 };
#endif
		key_lo[SLOTS + at] = key_lo[at];
		key_hi[SLOTS + at] = key_hi[at];
		d_step {
			state[SLOTS + at] = word;
			check_twice(SLOTS + at)
		}
#endif
	:: else
	fi
}

/* The resize: one line, then the generation it was in is freed. */
proctype mover(byte me)
{
	byte word, other;

#ifdef BREAK_GEN_FIRST
	table_gen = 1;
#endif
#ifndef BREAK_NEXT_LATE
	has_next = true;
#endif
	lock();
#ifdef BREAK_MOVED_FIRST
	moved[0] = true;
#endif
	move_slot(0);
	move_slot(1);
#ifndef BREAK_MOVED_FIRST
	moved[0] = true;
#endif
	unlock();
#ifdef BREAK_NEXT_LATE
	has_next = true;
#endif
	table_gen = 1;
#ifndef BREAK_FREE_EARLY
	waits[0] = reading;
	waits[0] == 0;
#endif
	old_freed = true
}

/* A flow that is there when the scene begins. */
inline begin_flow(at, index, lo, hi)
{
	state[at] = WORD(index, clock);
	key_lo[at] = lo;
	key_hi[at] = hi;
	taken[index] = true;
	live[index] = true;
	last_id++;
	record_id[index] = last_id;
	ids[last_id] = index;
	record_lo[index] = lo;
	record_hi[index] = hi;
	done[index] = clock
}

/* When all have come home: each live flow stands in one slot, as it was left. */
inline check_end()
{
	d_step {
		for (index : 1 .. RECORDS) {
			other = 0;
			for (slot : 0 .. 2 * SLOTS - 1) {
				if
				:: INDEX(state[slot]) == index ->
					other++;
					assert(slot / SLOTS == table_gen || missed);
					assert(EXPIRES(state[slot]) == done[index] || lost)
				:: else
				fi
			}
			assert(other <= 1 || twice);
			assert((other == 1) == live[index] || missed);
			assert(live[index] == taken[index] || missed);
		}
	}
}

init {
	byte index, slot, other;

	atomic {
#if defined(SCENE_REFRESH)
		/* Two packets of a flow, and one of another, while it moves. */
		begin_flow(0, 1, 0, 0);
		begin_flow(1, 2, 1, 1);
		run mover(0);
		run packet(1, 0, 0);
		run packet(2, 0, 0);
		run packet(3, 1, 1);
#elif defined(SCENE_LOOK)
		/* What was refreshed is seen, wherever it is. */
		begin_flow(1, 1, 1, 0);
		run mover(0);
		run packet(1, 1, 0);
		run peeker(2, 1, 0);
#elif defined(SCENE_FIRST)
		/* First packets of a key race, beside that of another. */
		run mover(0);
		run packet(1, 0, 0);
		run packet(2, 0, 0);
		run packet(3, 1, 0);
#elif defined(SCENE_REUSE)
		/* A slot and a record change hands under a packet's eyes. */
		begin_flow(0, 1, 0, 0);
		run packet(1, 0, 0);
		run peeker(2, 1, 0);
		run deleter(3, 0, 0);
		run packet(4, 1, 1);
#elif defined(SCENE_REUSE_MOVE)
		/* The same while it moves. */
		begin_flow(0, 1, 0, 0);
		run mover(0);
		run peeker(1, 1, 0);
		run deleter(2, 0, 0);
		run packet(3, 1, 1);
#elif defined(SCENE_EXPIRE)
		/* A packet comes as the flow's time is up. */
		begin_flow(0, 1, 0, 0);
		run mover(0);
		run packet(1, 0, 0);
		run collector(2, 0, 0);
		run peeker(3, 0, 0);
#elif defined(SCENE_CHANGE)
		/* Refreshed by one packet, changed by another. */
		begin_flow(0, 1, 0, 0);
		run mover(0);
		run packet(1, 0, 0);
		run changer(2, 0, 0);
		run peeker(3, 0, 0);
#elif defined(SCENE_GET)
		/* Asked for by id while it goes and another one comes. */
		begin_flow(0, 1, 0, 0);
		run mover(0);
		run getter(1, 1);
		run deleter(2, 0, 0);
		run packet(3, 1, 1);
		run getter(4, 2);
#else
#error "no SCENE_"
#endif
	};
	_nr_pr == 1;
	check_end()
}
