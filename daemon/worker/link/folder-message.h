/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between a worker and the keeper of its folder; numbers are little-endian.
 *
 *	request:  u8 act, u32 number, fields
 *	reply:    the same act and number, i32 0 or a negative errno, and if it is 0 fields
 *
 *	act    fields of the request    fields of the reply
 *	OPEN   (sent without request)   -
 *	NEXT   u32 limit in ms,         u8 1: a data set; u8 is folder, u32 files, u64 size,
 *	       u8 1: the last one       i64 modified, 32 bytes digest, its path; or u8 0: none,
 *	       is not recorded          u32 unreadable, i32 errno, path of one of them
 *	FILE   u32 index                u64 size, i64 modified, its path
 *	READ   u32 index, u64 offset,   the bytes; none at the end of the file
 *	       u32 size
 *	END    u8 verdict               u8 1 if the content was the same all the time
 *
 * FILE, READ and END are about the data set of the last NEXT.  A path is all bytes up to the end.  The
 * keeper sends OPEN when it has the folder, and with an error when it has lost it.  `number` counts the
 * replies that the worker did not wait for, so that it knows a late one, and that recorded requests are
 * the same when they are played back.
 */
#ifndef ASSAY_WORKER_LINK_FOLDER_MESSAGE_H
#define ASSAY_WORKER_LINK_FOLDER_MESSAGE_H

enum folder_act {
	FOLDER_OPEN = 1,
	FOLDER_NEXT,
	FOLDER_FILE,
	FOLDER_READ,
	FOLDER_END,
};

#define FOLDER_REQUEST   5 /* bytes before the fields */
#define FOLDER_REPLY     9
#define FOLDER_READ_MAX  (64u << 10)
#define FOLDER_REPLY_MAX (FOLDER_REPLY + FOLDER_READ_MAX)

#endif
