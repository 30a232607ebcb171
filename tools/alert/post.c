/* SPDX-License-Identifier: Apache-2.0 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_TOPIC "alert"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "post.h"

#define BODY_MAX (4u << 20)

static bool read_body(struct buffer *body)
{
	char piece[4096];
	ssize_t got;
	while ((got = read(STDIN_FILENO, piece, sizeof piece)) > 0 && body->len < BODY_MAX)
		buffer_append(body, piece, (size_t)got);
	return got == 0 && !body->failed;
}

/* The reply is not used. */
static size_t drop(char *data, size_t size, size_t count, void *arg)
{
	return size * count;
}

static CURL *make_request(
	const struct alert_options *options, const struct buffer *body, struct curl_slist *headers)
{
	CURL *curl = curl_easy_init();
	if (curl == NULL)
		return NULL;
	/* Redirects are not followed: they could lead to plain HTTP, or elsewhere. */
	curl_easy_setopt(curl, CURLOPT_URL, options->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(options->deadline / NS_PER_MS));
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "assay-alert/" ASSAY_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body->data);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	return curl;
}

int post_run(const struct alert_options *options)
{
	struct buffer body = {0};
	struct curl_slist *headers = NULL;
	long status = 0;
	int done = 1;
	CURL *curl = NULL;
	if (!read_body(&body)) {
		log_error("webhook: the message cannot be read");
	} else if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
		   (headers = curl_slist_append(NULL, "Content-Type: application/json")) != NULL &&
		   (curl = make_request(options, &body, headers)) != NULL) {
		CURLcode r = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
		done = r == CURLE_OK && status / 100 == 2 ? 0 : 1;
		if (r != CURLE_OK)
			log_warn("webhook: %s", curl_easy_strerror(r));
		else if (done != 0)
			log_warn("webhook: the server replied with status %ld", status);
	} else {
		log_error("webhook: out of memory");
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	buffer_finish(&body);
	return done;
}
