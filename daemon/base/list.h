/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive doubly linked list.  The comment of a link member names its list:
 *
 *	struct list link;	// core.workers
 */
#ifndef ASSAY_BASE_LIST_H
#define ASSAY_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}

/* Legal on an item that is on no list, as long as it was initialised. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define list_item(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* `next_` keeps the walk valid when the body removes the current item. */
#define list_for_each(item, head, member)                                                      \
	for (struct list *at_ = (head)->next, *next_ = at_->next;                              \
		at_ != (head) && ((item) = list_item(at_, __typeof__(*(item)), member), true); \
		at_ = next_, next_ = at_->next)

#endif
