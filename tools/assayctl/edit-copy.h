/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of one file of the configuration, in a folder where the rest of the configuration is beside
 * it as links: so the copy can be checked as part of the whole, and takes the file's place by a rename.
 */
#ifndef ASSAY_ASSAYCTL_EDIT_COPY_H
#define ASSAY_ASSAYCTL_EDIT_COPY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct edit_copy {
	char folder[PATH_MAX]; /* of the configuration, without symbolic links */
	char file[PATH_MAX];   /* the original, below `folder` */
	char place[PATH_MAX];  /* the folder of the copy, below `folder`; "": there is none */
	char main[PATH_MAX];   /* the main file as seen there */
	char copy[PATH_MAX];   /* the file to edit */
	int fd;                /* of the original, locked; -1: it is new */
	struct stat st;        /* of the original; of the main file if it is new */
	bool is_new;           /* there is no original yet */
	char *text;            /* its bytes */
	size_t len;
};

/*
 * `main` is the main file, `file` it or one in instruments.d or methods.d, which may be a new one.  0, or 1 after a message:
 * such as that another edit has the file.  Finish it in any case.
 */
int edit_copy_make(struct edit_copy *edit, const char *main, const char *file);
void edit_copy_finish(struct edit_copy *edit);

/* 1: the copy has the bytes of the original; 0: other ones; or a negative errno. */
int edit_copy_is_same(const struct edit_copy *edit);

/*
 * Puts the copy in the place of the original, durably, with its owner and mode.  -ESTALE: the original
 * was changed, or made, by someone else in the meantime, and stays.
 */
int edit_copy_replace(struct edit_copy *edit);

#endif
