/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a CURVE key pair, or of its public key alone, in the form that CZMQ and PyZMQ write and
 * read as certificates:
 *
 *	# a comment
 *	metadata
 *	    name = "lims"
 *	curve
 *	    public-key = "40 characters of Z85"
 *	    secret-key = "40 characters of Z85"
 */
#ifndef ASSAY_BASE_KEY_FILE_H
#define ASSAY_BASE_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_FILE_SIZE   32 /* of a key in bytes */
#define KEY_FILE_TEXT   41 /* of a key in Z85, with its final NUL */
#define KEY_FILE_ERRORS 400

struct key_pair {
	char public_key[KEY_FILE_TEXT];
	char secret_key[KEY_FILE_TEXT]; /* "": the file has none */
};

/* Decodes Z85; false: it is no key. */
bool key_file_decode(const char *text, uint8_t key[KEY_FILE_SIZE]);

/* Whether only the owner may read a file of this mode, as a secret key needs. */
bool key_file_is_private(unsigned mode);

/*
 * Reads `len` bytes of a file.  0, or -EINVAL with "LINE:COLUMN: reason" in `why`.  A public key is
 * required, a secret one may be there; a pair of different keys is an error.
 */
int key_file_parse(const char *text, size_t len, struct key_pair *pair, char why[KEY_FILE_ERRORS]);

/*
 * Reads a file.  With `is_secret` it must have the secret key, and its group and others must have no
 * rights on it.  0, or a negative errno with the file's name, the place and the reason in `why`.
 */
int key_file_read(
	const char *path, bool is_secret, struct key_pair *pair, char why[KEY_FILE_ERRORS]);

#endif
