/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eager: a driver whose constructor tries what no driver may do, while its module is loaded.  The
 * version that it reports is the first act that succeeded, "confined" if none did.
 */
#include <assay/driver.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLACE "/tmp/assay-eager-was-here"

static char did[32] = "nothing";

static bool can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static const char *try_all(void)
{
	if (can_open("/etc/passwd", O_RDONLY))
		return "read-a-file";
	if (can_open(PLACE, O_WRONLY | O_CREAT)) {
		unlink(PLACE);
		return "wrote-a-file";
	}
	if (unlink(PLACE) == 0 || errno != EPERM)
		return "removed-a-file";
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		return "made-a-socket";
	if (execl("/bin/true", "true", (char *)0) == 0 || (errno != EPERM && errno != EACCES))
		return "executed";
	if (fork() >= 0)
		return "forked";
	return "confined";
}

__attribute__((constructor)) static void load(void)
{
	const char *act = try_all();
	memcpy(did, act, strlen(act) + 1);
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	memcpy(id->make, "assayd", sizeof("assayd"));
	memcpy(id->model, did, sizeof(did));
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	return ASSAY_DONE;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	return -EBADMSG;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "eager",
	.version = did,
	.summary = "a driver that acts while it is loaded",
	.technique = "xrf",
	.links = ASSAY_LINK_NONE,
	.raw_max = 1,
	.identify = identify,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
